"""Conversion by qemu-img, for formats without a forward writer; confined to the two files."""

from __future__ import annotations

import os
import re
import shutil
import sys
from contextlib import suppress
from typing import Any

import sh

from diskwright._process import (
    ENVIRONMENT,
    Rule,
    on_spawner_thread,
    raise_if_refused,
    tool_command,
    tool_rules,
)
from diskwright._ways import Choice
from diskwright.errors import DiskFull, ToolMissing
from diskwright.formats.identity import check_identity
from diskwright.formats.limits import QEMU_IMG_BYTES
from diskwright.formats.qemu import driver_of, image_options, meaning, open_files, version_in
from diskwright.model.image import DiskFile, ImageFormat
from diskwright.model.units import MIB
from diskwright.ports import CancelToken, Progress

_TOOL = "qemu-img"
_LIMITS = {"AS": QEMU_IMG_BYTES}
_ROOM = 1 * MIB  # more than a piece of any output
_PERCENT = re.compile(rb"\((\d{1,3}\.\d{2})/100%\)")

# What makes qemu's output of a format the one that others read: else a VHD's geometry decides, and
# its readers lose the tail
_TARGET_OPTIONS = {ImageFormat.VHD: ("force_size=on",)}


class QemuImgConverter:
    """`ImageConverter`. `qemu_img` is a name looked up in the PATH, or a path."""

    def __init__(
        self, *, qemu_img: str = _TOOL, unconfined: bool = False, confinement: Choice = "auto"
    ) -> None:
        self._qemu_img = qemu_img
        self._unconfined = unconfined
        self._confinement = confinement

    def convert(
        self,
        disk: DiskFile,
        target_path: str,
        target_format: ImageFormat,
        *,
        subformat: str,
        compress: bool,
        progress: Progress,
        cancel: CancelToken,
    ) -> None:
        """Progress is in bytes of the source file, by qemu-img's own percentage.

        `target_path` is absolute and exists; it alone is writable, and stays, half-written, where
        this raises: SourceChanged, Locked, ImageRefused, DiskFull, ToolError, Cancelled.
        """
        if not os.path.isabs(target_path):
            raise ValueError(f"{target_path!r} is not absolute")
        tool = self._found()
        argv = [tool, "convert", "-p", "--image-opts", "-O", driver_of(target_format, target_path)]
        if compress:
            argv.append("-c")
        if options := _target_options(target_format, subformat):
            argv += ["-o", ",".join(options)]
        argv += [image_options(disk), target_path]
        target = os.stat(target_path)
        command = tool_command(
            argv,
            rules=[
                *tool_rules(tool),
                *(Rule(i.path, "r", (i.device, i.inode)) for i in disk.files()),
                Rule(target_path, "rw", (target.st_dev, target.st_ino)),
            ],
            limits={**_LIMITS, "NOFILE": open_files(disk)},
            unconfined=self._unconfined,
            confinement=self._confinement,
        )
        size = disk.identity.size
        progress.phase("convert", size)
        status, stderr = _Run(command).watch(size, progress, cancel)
        if status:
            raise_if_refused(status, _TOOL, disk.name, stderr)
            if _is_full(stderr, target_path):
                raise DiskFull(target_path)
            raise meaning(_TOOL, stderr, disk.name)
        for identity in disk.files():
            check_identity(identity)

    def _found(self) -> str:
        tool = shutil.which(self._qemu_img)
        if tool is None:
            raise ToolMissing(_TOOL, "qemu-utils")
        return tool


def _is_full(stderr: str, target_path: str) -> bool:
    """Of a stream qemu says that an argument is invalid where the disk took no more of a grain."""
    if "No space left on device" in stderr or "Disk quota exceeded" in stderr:
        return True
    found = os.statvfs(target_path)
    return "error while writing" in stderr and found.f_bavail * found.f_frsize < _ROOM


def _target_options(target_format: ImageFormat, subformat: str) -> list[str]:
    options = list(_TARGET_OPTIONS.get(target_format, ()))
    if target_format is ImageFormat.VDI:  # qemu has no name for the other variant
        options += ["static=on"] if subformat == "static" else []
    elif subformat:
        options.append(f"subformat={subformat}")
    return options


def tool_version(tool: str) -> str:
    """Of qemu-img or qemu-nbd, a name or a path: such as `7.2.22`, empty where it is not there."""
    found = shutil.which(tool)
    if found is None:
        return ""
    try:
        said = on_spawner_thread(
            lambda: sh.Command(found)("--version", _env=dict(ENVIRONMENT), _tty_out=False)
        )
    except sh.ErrorReturnCode:
        return ""  # it is there and does not run: a doctor's finding, no reason to end
    return version_in(os.path.basename(tool), str(said))


class _Run:
    """One run of qemu-img in the background."""

    def __init__(self, command: list[str]) -> None:
        self._percent = 0.0
        self._tail = b""
        self._process: Any = on_spawner_thread(
            lambda: sh.Command(sys.executable)(
                *command[1:],
                _env=dict(ENVIRONMENT),
                _cwd="/",
                _in=b"",
                _out=self._said,
                _out_bufsize=64,  # else all the progress comes at the end
                _no_out=True,
                _tty_out=False,
                _bg=True,
                _bg_exc=False,
            )
        )

    def watch(self, size: int, progress: Progress, cancel: CancelToken) -> tuple[int, str]:
        """(exit status, stderr) once it has ended; it never outlives this."""
        reported = 0
        try:
            while not self._has_ended():
                cancel.check()
                now = min(int(size * self._percent / 100), size)
                progress.advance(now - reported)
                reported = now
        finally:
            status = self._end()
        if status == 0:
            progress.advance(size - reported)
        return status, self._process.stderr.decode("utf-8", "backslashreplace").strip()

    def _said(self, chunk: str | bytes) -> None:
        data = chunk.encode() if isinstance(chunk, str) else chunk
        text = self._tail + data
        for found in _PERCENT.finditer(text):
            self._percent = float(found[1])
        self._tail = text[-16:]

    def _has_ended(self) -> bool:
        """Waits a tenth of a second. (What `sh` calls `_done` comes up to a second late.)"""
        try:
            self._process.wait(timeout=0)
        except sh.TimeoutException:
            return False
        except sh.ErrorReturnCode:
            return True  # how it ended is asked for later
        return True

    def _end(self) -> int:
        """The exit status, all the output taken. What still runs is told to end, then killed."""
        process = self._process.process
        with suppress(ProcessLookupError):  # it may end by itself at any moment
            if process.is_alive()[0]:
                process.terminate()
                if not self._has_ended():
                    process.kill()
        return int(process.wait())
