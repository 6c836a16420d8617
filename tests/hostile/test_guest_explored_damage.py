"""Damaged btrfs and NTFS metadata: an end with `Unreadable` or a reading, in bounded time and
memory."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from diskwright.blockio.memory import MemoryReader
from diskwright.guest.filesystems.base import GuestFs
from diskwright.guest.filesystems.btrfs import BtrfsFs, open_btrfs
from diskwright.guest.filesystems.ntfs import open_ntfs
from diskwright.guest.reading import Unreadable
from diskwright.guest.source import ByteSource, Source
from diskwright.model.units import MIB
from support.guest_disks import bounded_memory, run, seen_in

MOST_READS = 20_000
MUTANTS = 20


class Watched(Source):
    """Remembers which sectors were asked for, and lets no walk go on without end."""

    def __init__(self, data: bytes) -> None:
        super().__init__(MemoryReader(len(data), {0: data}), budget_calls=MOST_READS)
        self.sectors: set[int] = set()

    def read(self, offset: int, length: int) -> bytes:
        if length:
            self.sectors.update(range(offset // 512, (offset + length - 1) // 512 + 1))
        return super().read(offset, length)


def btrfs(folder: Path) -> bytes:
    tree, image = folder / "tree", folder / "btrfs"
    (tree / "a" / "b").mkdir(parents=True)
    for i in range(120):
        (tree / "a" / f"file-{i:03d}-with-a-longer-name").write_bytes(b"x" * i * 40)
    (tree / "a" / "link").symlink_to("b")
    image.write_bytes(bytes(32 * MIB))
    run("mkfs.btrfs", "-q", "--mixed", "--rootdir", tree, image)
    return image.read_bytes()


def btrfs_unsummed(folder: Path) -> bytes:
    """With checksums that are not checked, so that lies get further."""
    tree, image = folder / "tree", folder / "btrfs"
    (tree / "a").mkdir(parents=True)
    for i in range(120):
        (tree / "a" / f"file-{i:03d}").write_bytes(b"x" * i * 40)
    image.write_bytes(bytes(32 * MIB))
    run("mkfs.btrfs", "-q", "--mixed", "--checksum", "xxhash", "--rootdir", tree, image)
    return image.read_bytes()


def ntfs(folder: Path) -> bytes:
    image = folder / "ntfs"
    image.write_bytes(bytes(16 * MIB))
    run("mkntfs", "-Q", "-F", "-q", "-c", "512", image)
    content = folder / "content"
    for i in range(60):
        content.write_bytes(b"y" * i * 300)
        run("ntfscp", image, content, f"/a file with a longer name {i}")
    return image.read_bytes()


KINDS: dict[str, tuple[Callable[[Path], bytes], Callable[[ByteSource], GuestFs | None]]] = {
    "btrfs": (btrfs, open_btrfs),
    "btrfs, unsummed": (btrfs_unsummed, open_btrfs),
    "ntfs": (ntfs, open_ntfs),
}


def read_all(fs: GuestFs) -> None:
    seen_in(fs, most_bytes=MIB)
    assert fs.free is None or fs.free >= 0
    assert isinstance(fs.note, str)
    assert fs.label is None or fs.label
    assert fs.dirty in (True, False, None)
    if isinstance(fs, BtrfsFs):
        for one in fs.subvolumes()[:3]:
            seen_in(fs.at(one.number), most_bytes=MIB)


def end_of(data: bytes, open_it: Callable[[ByteSource], GuestFs | None]) -> str:
    """How reading all that there is ends: `read`, or the code of what can't be read."""
    try:
        fs = open_it(Watched(data))
        if fs is not None:
            read_all(fs)
    except Unreadable as error:
        return error.code
    return "read"


@pytest.fixture(scope="module", params=KINDS)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[bytes, list[int], Callable[[ByteSource], GuestFs | None]]:
    make, open_it = KINDS[request.param]
    data = make(tmp_path_factory.mktemp("made"))
    watched = Watched(data)
    whole = open_it(watched)
    assert whole is not None
    seen_in(whole, most_bytes=0)  # so of files, only what says where they are
    return data, sorted(watched.sectors), open_it


@pytest.mark.parametrize("flips", [1, 12, 200])
def test_flipped_bits_end_in_unreadable_or_in_a_reading(
    made: tuple[bytes, list[int], Callable[[ByteSource], GuestFs | None]], flips: int
) -> None:
    good, used, open_it = made
    noise = random.Random(flips)
    ends: set[str] = set()
    data = bytearray(good)
    for _ in range(MUTANTS):
        places = [noise.choice(used) * 512 + noise.randrange(512) for _ in range(flips)]
        kept = [(place, data[place]) for place in places]
        for place in places:
            data[place] = noise.choice((0, 1, 0x7F, 0x80, 0xFF, data[place] ^ 1 << 3))
        mutant = bytes(data)
        with bounded_memory(64 * MIB):
            ends.add(end_of(mutant, open_it))
        for place, value in reversed(kept):
            data[place] = value
    assert ends <= {"read", "damaged", "unsupported", "too-large"}
    assert "damaged" in ends


def test_one_cut_off_anywhere_is_survived(
    made: tuple[bytes, list[int], Callable[[ByteSource], GuestFs | None]],
) -> None:
    good, _, open_it = made
    for length in (1, 511, 512, 4096, 65536, 65536 + 4096, 1 << 20, len(good) // 2, len(good) - 1):
        assert end_of(good[:length], open_it) in ("read", "damaged", "unsupported")
