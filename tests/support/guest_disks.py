"""Disks, partitions and file systems for tests of the guest's readers, made by the real tools."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import struct
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from diskwright.blockio.memory import MemoryReader
from diskwright.guest.filesystems.base import GuestFs, NodeKind
from diskwright.guest.source import Source

FIXTURES = Path(__file__).parents[2] / "fixtures"
LINUX = bytes.fromhex("af3dc60f838472478e793d69d8477de4")


class FileDisk:
    """A file as a disk; counts its reads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size
        self.reads = 0

    def read_into(self, offset: int, buffer: memoryview) -> None:
        self.reads += 1
        with self._path.open("rb") as file:
            file.seek(offset)
            assert file.readinto(buffer) == len(buffer)


def source_of(data: bytes, size: int | None = None) -> Source:
    """`data`, then zeros up to `size`."""
    return Source(MemoryReader(size or len(data), {0: data} if data else {}))


def source_of_file(path: Path) -> Source:
    return Source(FileDisk(path))


def run(*command: str | Path, **options: Any) -> str:
    """A real tool's output; a missing one skips the test by its name."""
    found = shutil.which(str(command[0]), path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{command[0]} is not installed: scripts/setup")
    done = subprocess.run(
        [found, *map(str, command[1:])], capture_output=True, text=True, check=False, **options
    )
    mended = 1 if command[0] == "e2fsck" else 0  # its status after it changed something
    assert done.returncode in (0, mended), done.stderr
    return done.stdout


@contextlib.contextmanager
def loop_device(image: Path, *options: str) -> Iterator[str]:
    """A device over a file, with options of losetup; where none can be had the test skips."""
    argv = ["losetup", "-f", "--show", *options, str(image)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no loop device can be had: {done.stderr.strip()}")
    try:
        yield done.stdout.strip()
    finally:
        subprocess.run(["losetup", "-d", done.stdout.strip()], check=True)


@contextlib.contextmanager
def mounted(image: Path, kind: str, *options: str) -> Iterator[Path]:
    """The image's files, writable, through the kernel; skips by name where that can't be.

    `options` are those of mount(8)'s -o; what was mounted before in the same place stays there.
    """
    if os.geteuid() != 0:
        pytest.skip(f"mount(8) of {kind} needs root")
    place = Path(tempfile.mkdtemp(prefix=f"{image.name}.", dir=image.parent))
    argv = ["mount", "-t", kind, "-o", ",".join(("loop", *options)), image, place]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mount(8) of {kind}: {done.stderr.strip()}")
    try:
        yield place
    finally:
        run("umount", place)
        place.rmdir()


def make_tree(root: Path) -> None:
    """Everything that file systems store in a way of its own."""
    noise = random.Random(1)
    (root / "many").mkdir(parents=True)
    for i in range(600):
        (root / "many" / f"file-{i:04d}-with-a-longer-name").write_bytes(b"x" * (i % 80))
    deep = root.joinpath(*(f"d{i}" for i in range(40)))
    deep.mkdir(parents=True)
    (deep / "bottom").write_text("deep")
    (root / "big").write_bytes(noise.randbytes(3_000_000))
    with (root / "sparse").open("wb") as file:
        file.write(b"start")
        file.seek(20 << 20)
        file.write(noise.randbytes(5000))
        file.seek((30 << 20) - 1)
        file.write(b"e")
    for size in (0, 10, 59, 60, 61, 100, 150, 200):
        (root / f"of-{size}-bytes").write_bytes(noise.randbytes(size))
    for length in (1, 59, 60, 200, 750):
        (root / f"link-{length}").symlink_to("t" * length)
    (root / "zürich").write_text("UTF-8")
    Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9")).write_text("not UTF-8")
    os.mkfifo(root / "pipe")


def seen_in_folder(root: Path) -> dict[bytes, object]:
    """What `seen_in` must see of a folder of this machine."""
    found: dict[bytes, object] = {}
    base = os.fsencode(root)
    for folder, folders, files in os.walk(base):
        for name in folders + files:
            path = os.path.join(folder, name)
            key = path[len(base) :]
            if os.path.islink(path):
                found[key] = ("link", os.readlink(path))
            elif os.path.isdir(path):
                found[key] = "dir"
            elif os.path.isfile(path):
                data = Path(os.fsdecode(path)).read_bytes()
                found[key] = (len(data), hashlib.sha256(data).hexdigest())
            else:
                found[key] = "other"
    return found


def seen_in(fs: GuestFs, *, most_bytes: int = 1 << 30) -> dict[bytes, object]:
    """Every name, with the digest of every file's first `most_bytes`."""
    found: dict[bytes, object] = {}
    todo = [(b"", fs.root())]
    while todo:
        above, folder = todo.pop()
        for name, node in fs.entries(folder):
            path = above + b"/" + name
            if node.kind is NodeKind.DIR:
                found[path] = "dir"
                todo.append((path, node))
            elif node.kind is NodeKind.LINK:
                found[path] = ("link", fs.readlink(node))
            elif node.kind is NodeKind.FILE:
                digest = hashlib.sha256()
                for offset in range(0, min(node.size, most_bytes), 1 << 20):
                    digest.update(fs.read(node, offset, 1 << 20))
                found[path] = (node.size, digest.hexdigest())
            else:
                found[path] = "other"
            assert len(found) < 50_000, "a walk that does not end"
            assert len(path) < 10_000, "a folder inside itself"
    found.pop(b"/lost+found", None)
    return found


def mbr(
    *entries: tuple[int, int, int, int], code: bytes = b"", signature: int = 0x1234ABCD
) -> bytes:
    """One sector; entries are (boot flag, type, first sector, sectors)."""
    table = b"".join(struct.pack("<B3xB3xII", *entry) for entry in entries).ljust(64, b"\0")
    return code.ljust(440, b"\0") + struct.pack("<IH", signature, 0) + table + b"\x55\xaa"


def gpt(
    *entries: tuple[int, int],
    sectors: int = 4096,
    sector_size: int = 512,
    count: int = 128,
    entry_size: int = 128,
    backup: bool = True,
    primary: bool = True,
    kind: bytes = LINUX,
) -> bytearray:
    """A whole disk with a GPT of Linux partitions, (first, last) in sectors."""
    disk = bytearray(sectors * sector_size)
    disk[:512] = mbr((0, 0xEE, 1, sectors - 1))
    table = b"".join(
        struct.pack(
            "<16s16sQQQ72s", kind, bytes([i + 1] * 16), a, b, 0, f"p{i}".encode("utf-16-le")
        )
        for i, (a, b) in enumerate(entries)
    ).ljust(128 * 128, b"\0")
    room = len(table) // sector_size
    for here, there, at in (
        (1, sectors - 1, 2),
        (sectors - 1, 1, sectors - 1 - room),
    ):
        if (here == 1 and not primary) or (here != 1 and not backup):
            continue
        header = gpt_header(here, there, at, sectors, table, count, entry_size)
        disk[here * sector_size : here * sector_size + len(header)] = header
        disk[at * sector_size : at * sector_size + len(table)] = table
    return disk


def gpt_header(
    here: int, there: int, at: int, sectors: int, table: bytes, count: int, entry_size: int
) -> bytes:
    summed = table[: count * entry_size]
    parts = (here, there, 6, sectors - 34, b"D" * 16, at, count, entry_size, zlib.crc32(summed))
    blank = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, *parts)
    return blank[:16] + struct.pack("<I", zlib.crc32(blank)) + blank[20:]


@contextlib.contextmanager
def bounded_memory(most_bytes: int) -> Iterator[None]:
    """The Python objects made inside never take more than `most_bytes` at once."""
    import tracemalloc

    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most_bytes
    finally:
        tracemalloc.stop()
