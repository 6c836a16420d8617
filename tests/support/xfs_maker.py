"""XFS images, by mkfs.xfs without mounting, or by the kernel where root may mount."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from support.guest_disks import run

UUID = "7d5c2f0e-5a7f-4c51-8a5e-0d5b7a0f2c11"
LABEL = "a_label"
_KINDS = {stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFIFO: "p", stat.S_IFREG: "-"}


def make(image: Path, *options: str, tree: Path | None = None, size: int = 320 << 20) -> Path:
    """`size` in bytes; mkfs.xfs makes nothing smaller than 300 MiB any more, but sparse."""
    with image.open("wb") as file:
        file.truncate(size)
    given = prototype(tree, image) if tree is not None else ()
    if not any(option.startswith("uuid=") or ",uuid=" in option for option in options):
        given += ("-m", f"uuid={UUID}")
    run("mkfs.xfs", "-q", "-L", LABEL, *given, *options, image)
    return image


def prototype(tree: Path, image: Path) -> tuple[str, str]:
    """mkfs.xfs's option to fill the image with `tree`."""
    path = image.with_suffix(".proto")
    path.write_bytes(b"\n".join(_proto(tree)) + b"\n")
    return "-p", str(path)


def _proto(tree: Path) -> Iterator[bytes]:
    """A prototype file, see mkfs.xfs(8): names without blanks only.

    mkfs.xfs 6.1 stores links that do not fit their inode as version 4 does, in version 5 too.
    """
    yield b"/dummy"
    yield b"0 0"
    yield _mode(os.fsencode(tree))
    todo: list[tuple[bytes, list[bytes]]] = [_listed(os.fsencode(tree))]
    while todo:
        folder, names = todo[-1]
        if not names:
            todo.pop()
            yield b"$"
            continue
        name = names.pop()
        path = folder + b"/" + name
        line = name + b" " + _mode(path)
        if os.path.islink(path):
            yield line + b" " + os.readlink(path)
        elif os.path.isfile(path):
            yield line + b" " + path
        else:
            yield line
            if os.path.isdir(path):
                todo.append(_listed(path))


def _listed(folder: bytes) -> tuple[bytes, list[bytes]]:
    return folder, sorted(os.listdir(folder), reverse=True)


def _mode(path: bytes) -> bytes:
    mode = os.lstat(path).st_mode
    return f"{_KINDS[stat.S_IFMT(mode)]}--{stat.S_IMODE(mode) & 0o777:03o} 0 0".encode()


def field(image: Path, what: str, *where: str) -> int:
    """One number as xfs_db prints it, after the commands `where`."""
    commands = [part for command in (*where, f"print {what}") for part in ("-c", command)]
    return int(run("xfs_db", "-r", *commands, image).split("=")[1].split()[0], 0)
