"""What qemu-img says of a file when it is told the format: its size, or that it won't have it."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from pathlib import Path

_SECONDS = 30
# `check` knows these; of the others it says that it does not (exit status 63).
_CHECKED = ("qcow2", "qed", "vdi", "vmdk", "vhdx", "parallels")
_SOUND = (0, 3, 63)  # qemu-img(1): no errors, leaked clusters only, not supported
_DRIVERS = {"vhd": "vpc"}


def opinion(path: Path, image_format: str, *, check: bool) -> str:
    """`qcow2 1048576`, or `refused`; where `check` finds damage, `refused by check`."""
    driver = _DRIVERS.get(image_format, image_format)
    info = _run("info", "-f", driver, "--output", "json", path)
    if info.returncode:
        return "refused"
    if check and driver in _CHECKED:
        done = _run("check", "-f", driver, path)
        if done.returncode not in _SOUND:
            return "refused by check"
    found = json.loads(info.stdout)
    assert found["format"] == driver
    return f"{image_format} {found['virtual-size']}"


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["qemu-img", *arguments],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=_SECONDS,
        preexec_fn=_limited,
        env={"PATH": os.defpath, "LC_ALL": "C"},
    )


def _limited() -> None:
    """The file is hostile, and qemu is not confined here."""
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
