"""The command under strace: what it opened, what it reached out to, and whether that is allowed."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import diskwright
from support.command import Command, Ended

_OPENING = ("open", "creat", "openat", "openat2", "open_by_handle_at")
_OTHER = ("connect", "socket", "execve", "execveat")
_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\) = (?P<result>.*)")
_FOLDER = re.compile(r"(?:AT_FDCWD|\d+)<(?P<folder>/[^>]*)>")
_QUOTED = re.compile(r'"(?P<text>(?:[^"\\]|\\.)*)"')
_DESCRIPTOR = re.compile(r"\d+<(?P<path>.*?)>(?:\(deleted\))?$")
_WRITING = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_TMPFILE")


@dataclass(frozen=True)
class Call:
    """One system call. `path` of one that succeeded is where links led, else what was asked for."""

    name: str
    path: str
    line: str
    failed: bool

    @property
    def writes(self) -> bool:
        return any(flag in self.line for flag in _WRITING)


@dataclass(frozen=True)
class Allowed:
    """A folder with all below it, or one file, that a run may open, and why."""

    path: str
    why: str

    def covers(self, path: str) -> bool:
        return path == self.path or path.startswith(self.path.rstrip("/") + "/")


@dataclass(frozen=True)
class Trace:
    ended: Ended
    image: Path
    output: Path | None
    command: Command
    calls: list[Call] = field(default_factory=list)

    def assert_nothing_else(self) -> None:
        """Every file is allowed by name, the image is never opened to write, nobody is called."""
        opened = [call for call in self.calls if call.name in _OPENING]
        assert opened, "strace saw nothing"
        places = [*PLACES, *_own(self.command, self.image, self.output)]
        for call in opened:
            known = [*places, *PROBED] if call.failed else places
            assert any(place.covers(call.path) for place in known), call.line
        image = os.path.realpath(self.image)
        assert not [c.line for c in opened if c.path == image and c.writes]
        for call in self.calls:
            if call.name == "socket":
                assert call.line.startswith("socket(AF_UNIX, SOCK_STREAM"), call.line
            elif call.name == "connect":
                assert _OWN_SOCKET.search(call.line), call.line
            elif call.name in ("execve", "execveat"):
                ran = os.path.realpath(call.path)
                assert call.failed or ran in map(os.path.realpath, RUN), call.line


# The exporter's socket, in a folder of ours that is held open: its path may be any length.
_OWN_SOCKET = re.compile(r'sun_path="/proc/self/fd/\d+/nbd"')

# What is run: the command, the interpreter that it runs in, and the tools, confined.
RUN = (
    str(Path(sys.executable).with_name("diskwright")),
    sys.executable,
    "/usr/bin/qemu-nbd",
    "/usr/bin/qemu-img",
)

# What every run may open, whatever the image.
PLACES = (
    Allowed(sys.prefix, "the virtual environment"),
    Allowed(os.path.realpath(sys.base_prefix), "the interpreter and its library"),
    Allowed(os.path.dirname(os.path.dirname(diskwright.__file__)), "our own source tree"),
    Allowed("/usr/lib", "system libraries"),
    Allowed("/usr/lib64", "system libraries"),
    Allowed("/usr/local/lib", "system libraries"),
    Allowed("/lib", "system libraries, where it is no link to /usr/lib"),
    Allowed("/lib64", "system libraries, where it is no link to /usr/lib64"),
    Allowed("/etc/ld.so.cache", "the dynamic linker's list of libraries"),
    Allowed("/usr/bin/qemu-nbd", "the tool, named to Landlock before it is run"),
    Allowed("/usr/bin/qemu-img", "the tool, named to Landlock before it is run"),
    Allowed("/etc/ssl", "OpenSSL's configuration and certificates"),
    Allowed("/usr/share/ca-certificates", "certificates"),
    Allowed("/usr/share/locale", "texts of libc in the user's language"),
    Allowed("/etc/locale.alias", "names of languages, which /usr/share/locale links to"),
    Allowed("/usr/share/zoneinfo", "the time zone, where /etc/localtime links to"),
    Allowed("/etc/localtime", "the time zone"),
    Allowed("/usr/share/osinfo", "least memory and disk of systems (osinfo-db)"),
    Allowed("/dev/null", "no input, no output"),
    Allowed("/proc/self", "the process itself: its descriptors"),
    Allowed("/proc/sys/vm/overcommit_memory", "libc's allocator, before it gives memory back"),
    Allowed("/sys/devices/system/cpu", "how many processors there are"),
)

# What libraries of the confined tools try when they start, and must not get.
PROBED = (
    Allowed("/proc/filesystems", "libselinux: is there an selinuxfs"),
    Allowed("/proc/mounts", "libselinux: where it is mounted"),
    Allowed("/proc/stat", "libc: how many processors there are"),
    Allowed("/sys/devices/system/node", "libnuma: the nodes of memory"),
    Allowed("/dev/urandom", "GnuTLS: it takes getrandom(2) then"),
    Allowed("/usr/local/sbin", "a tool looked for along PATH"),
    Allowed("/usr/sbin", "a tool looked for along PATH"),
)


def _own(command: Command, image: Path, output: Path | None) -> Iterator[Allowed]:
    """Places of this very run."""
    environment = command.environment
    yield Allowed(os.path.realpath(image), "the image")
    yield Allowed(environment["TMPDIR"], "our temporary folder")
    yield Allowed(environment["XDG_CONFIG_HOME"], "configuration")
    yield Allowed(environment["XDG_STATE_HOME"], "the journal of uploads")
    if output is not None:
        yield Allowed(str(output.parent), "where the output appears")


def trace(
    command: Command,
    folder: Path,
    verb: str,
    image: Path,
    output: Path | None = None,
    options: Sequence[str] = ("-O", "raw"),
) -> Trace:
    """Run `verb` on an image in a folder of its own, with a fresh temporary folder.

    `options` stand behind the output, where there is one.
    """
    records = folder / "strace"
    records.mkdir(parents=True)
    temporary = folder / "tmp"
    temporary.mkdir()
    command.environment |= {"TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}
    asked = ",".join((*_OPENING, *_OTHER))
    strace = ["strace", "-ff", "-y", "-qq", "-s", "4096", "-e", "signal=none"]
    chosen = ["-e", "status=successful,failed", "-e", f"trace={asked}"]
    under = [*strace, *chosen, "-o", str(records / "of")]
    outputs = [output, *options] if output is not None else []
    ended = command(*verb.split(), image, *outputs, under=under)
    lines = (line for file in sorted(records.iterdir()) for line in _lines(file))
    calls = [called(line, command.home) for line in lines]
    return Trace(ended, image, output, command, calls)


def _lines(file: Path) -> list[str]:
    """One process' calls, but for the one that it was killed in before strace could name it."""
    lines = file.read_text("utf-8", "surrogateescape").splitlines()
    return lines[:-1] if lines[-1:] == ["???("] else lines


def called(line: str, home: Path) -> Call:
    """A line of strace; what is relative in it is relative to `home`."""
    match = _CALL.fullmatch(line)
    assert match, line
    failed = match["result"].startswith("-1")
    return Call(match["name"], _path(match, home, failed=failed), line, failed)


def _path(match: re.Match[str], home: Path, *, failed: bool) -> str:
    quoted = _QUOTED.search(match["arguments"])
    asked = quoted["text"] if quoted else ""
    if asked.startswith("/proc/self/"):
        return asked  # the descriptor's name has the number of the process instead
    led = _DESCRIPTOR.search(match["result"])
    if led and not failed and match["name"] in _OPENING:
        return led["path"]
    folder = _FOLDER.match(match["arguments"])
    base = folder["folder"] if folder else str(home)
    return os.path.normpath(os.path.join(base, asked))
