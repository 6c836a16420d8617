"""File systems with a guest's files in them, by the real tools; always the same bytes."""

from __future__ import annotations

import os
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from diskwright.formats.crc32c import crc32c
from support import xfs_maker
from support.fuzzing.guests import steady
from support.fuzzing.guests.sums import FIX, Sum
from support.fuzzing.guests.tree import ESP_ID, ROOT_ID, TIME, Files, Link, lay

NTFS_ID = "0040000000005CD1"  # as steady.ntfs makes it
_METADATA_CSUM = 0x400
_ENVIRONMENT = os.environ | {
    "PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin",
    "E2FSPROGS_FAKE_TIME": str(TIME),
    "SOURCE_DATE_EPOCH": str(TIME),
    "MKE2FS_CONFIG": "/dev/null",
    "MTOOLS_SKIP_CHECK": "1",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
}


def tool(*command: object, said: str | None = None) -> str:
    """What a tool that has to be there says; `said` is what it is told."""
    argv = [str(word) for word in command]
    done = subprocess.run(
        argv, input=said, capture_output=True, text=True, check=False, env=_ENVIRONMENT
    )
    if done.returncode:
        raise RuntimeError(f"{argv}: {done.returncode}: {done.stderr.strip()}")
    return done.stdout


@contextmanager
def _room(files: Files, size: int) -> Iterator[tuple[Path, Path]]:
    """The files in a folder, and an image of `size` bytes beside it."""
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # names in a known order
    with tempfile.TemporaryDirectory(prefix="guest-", dir=where) as name:
        image = Path(name, "image")
        image.touch()
        os.truncate(image, size)
        yield lay(Path(name, "tree"), files), image


def ext(
    files: Files, *options: str, size: int = 1 << 20, after: Sequence[tuple[str, bytes]] = ()
) -> bytearray:
    """`after`: files whose first block the journal holds anew, and not their place on the disk."""
    with _room(files, size) as (tree, image):
        known = ("-q", "-F", "-U", ROOT_ID, "-L", "root", "-E", f"hash_seed={ROOT_ID}")
        tool("mke2fs", *known, "-m", "0", "-I", "256", "-N", "192", *options, "-d", tree, image)
        _journal(image, after)
        data = bytearray(image.read_bytes())
    steady.ext(data)
    _summed(data)
    return data


def _journal(image: Path, after: Sequence[tuple[str, bytes]]) -> None:
    lines = ["jo -c"]
    for path, block in after:
        (number, *_) = tool("debugfs", "-R", f"blocks {path}", image).split()
        new = image.with_name(f"block-{number}")
        new.write_bytes(block)
        lines += [f"jw -b {number} {new}", f"jw -r {int(number) + 1}"]
    if after:
        tool("debugfs", "-w", "-f", "-", image, said="\n".join([*lines, "jc", ""]))


def _summed(data: bytearray) -> None:
    """The superblock and the commits, whose times were changed."""
    if struct.unpack_from("<I", data, 1024 + 100)[0] & _METADATA_CSUM:
        FIX["ext"](data, Sum("ext", 1024, 1024, 0x3FC))
    block = 1024 << struct.unpack_from("<I", data, 1024 + 24)[0]
    seed = 0
    for at in range(0, len(data) - block, block):
        kind = data[at + 7] if data[at : at + 4] == steady.JBD2 else 0
        if kind in (3, 4):
            seed = crc32c(0xFFFFFFFF, bytes(data[at + 48 : at + 64]))
        elif kind == steady.COMMIT and data[at + 16 : at + 20] != bytes(4):
            FIX["jbd2"](data, Sum("jbd2", at, block, 16, seed))


def xfs(files: Files, *options: str) -> bytearray:
    """16 MiB, less than xfsprogs supports but makes."""
    with _room(files, 16 << 20) as (tree, image):
        given = xfs_maker.prototype(tree, image)
        known = ("-q", "-f", "--unsupported", "-L", "root", *given)
        tool("mkfs.xfs", *known, *options, image)
        data = bytearray(image.read_bytes())
    steady.xfs(data)
    return data


def btrfs(files: Files, *options: str) -> bytearray:
    with _room(files, 5 << 20) as (tree, image):
        known = ("-q", "--mixed", "-U", ROOT_ID, "-L", "root", "--rootdir", tree)
        tool("mkfs.btrfs", *known, *options, image)
        data = bytearray(image.read_bytes())
    steady.btrfs(data)
    return data


def fat(files: Files, *options: str, size: int) -> bytearray:
    with _room(files, size) as (tree, image):
        known = ("--invariant", "-i", ESP_ID.replace("-", ""), "-n", "ESP")
        tool("mkfs.vfat", *known, *options, image)
        tool("mcopy", "-s", "-m", "-i", image, *sorted(tree.iterdir()), "::/")
        return bytearray(image.read_bytes())


def fat32(files: Files) -> bytearray:
    """Cut behind its files, as a FAT32 has 65,525 clusters at least and no use of them here."""
    data = fat(files, "-F", "32", "-s", "1", size=34 << 20)[: 1 << 20]
    struct.pack_into("<I", data, 32, len(data) // 512)
    return data


def ntfs(files: Files) -> bytearray:
    """Files of its root folder: ntfscp makes no folders."""
    began = time.time()
    with _room(files, 2 << 20) as (tree, image):
        _mkntfs(image)
        for path in sorted(tree.iterdir()):
            tool("ntfscp", "-q", image, path, path.name)
        data = bytearray(image.read_bytes())
    steady.ntfs(data, began)
    return data


def ntfs_mounted(files: Files) -> bytearray | None:
    """With folders and links, all compressed, through ntfs-3g; None where that can't be had."""
    began = time.time()
    with _room(files, 2 << 20) as (_, image):
        _mkntfs(image, "-C")
        place = image.with_name("mounted")
        place.mkdir()
        try:
            tool("ntfs-3g", "-o", "compression", image, place)
        except (RuntimeError, OSError):
            return None
        try:
            for path, content in files.items():
                here = place / path.strip("/")
                here.parent.mkdir(parents=True, exist_ok=True)
                if isinstance(content, Link):
                    here.symlink_to(content)
                else:
                    here.write_bytes(content)
        finally:
            tool("umount", place)
        data = bytearray(image.read_bytes())
    steady.ntfs(data, began)
    return data


def _mkntfs(image: Path, *options: str) -> None:
    told = ("-p", "64", "-s", "512", "-H", "16", "-S", "63", "-c", "512")
    tool("mkntfs", "-Q", "-F", "-q", "-L", "boot", *told, *options, image)
