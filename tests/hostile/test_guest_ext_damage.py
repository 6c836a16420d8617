"""Damaged ext metadata: an end with `Unreadable` or a reading, in bounded time and memory."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from diskwright.blockio.memory import MemoryReader
from diskwright.guest.filesystems.ext import ExtFs, open_ext
from diskwright.guest.filesystems.ext_dir import parse_entries
from diskwright.guest.filesystems.ext_layout import InodeFlag
from diskwright.guest.reading import Unreadable
from diskwright.guest.source import Source
from diskwright.guest.tree import GuestTree
from diskwright.model.units import MIB
from support.guest_disks import bounded_memory, run, seen_in, source_of_file

KINDS = {
    "ext2": ("-t", "ext2", "-b", "1024"),
    "ext4": ("-t", "ext4"),
    "ext4 inline": ("-t", "ext4", "-I", "512", "-O", "inline_data,^metadata_csum"),
}


MOST_READS = 20_000


class Watched(Source):
    """Remembers which sectors were asked for, and lets no walk go on without end."""

    def __init__(self, data: bytes) -> None:
        super().__init__(MemoryReader(len(data), {0: data}), budget_calls=MOST_READS)
        self.sectors: set[int] = set()

    def read(self, offset: int, length: int) -> bytes:
        self.sectors.update(range(offset // 512, (offset + length - 1) // 512 + 1))
        return super().read(offset, length)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("damage") / "tree"
    (root / "a" / "b" / "c").mkdir(parents=True)
    for i in range(100):
        (root / "a" / f"file-{i:03d}-with-a-longer-name").write_bytes(b"x" * i * 5)
    for length in (10, 70, 700):
        (root / "a" / "b" / f"link-{length}").symlink_to("t" * length)
    with (root / "a" / "b" / "c" / "sparse").open("wb") as file:
        for i in range(40):
            file.seek(i * 100_000)
            file.write(b"data")
    return root


@pytest.mark.parametrize("flips", [1, 10, 100])
@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bits_end_in_unreadable_or_in_a_reading(
    kind: str, flips: int, tree: Path, tmp_path: Path
) -> None:
    path = tmp_path / "image"
    run("mke2fs", "-q", "-F", *KINDS[kind], "-d", tree, path, "4M")
    good = path.read_bytes()
    watched = Watched(good)
    whole = open_ext(watched)
    assert whole is not None
    seen_in(whole, most_bytes=0)  # so of files, only what says where they are
    used = sorted(watched.sectors)
    noise = random.Random(f"{kind} {flips}")
    ends: set[str] = set()
    for _ in range(60):
        data = bytearray(good)
        for _ in range(flips):
            data[noise.choice(used) * 512 + noise.randrange(512)] ^= 1 << noise.randrange(8)
        try:
            fs = open_ext(Watched(bytes(data)))
            if fs is not None:
                seen_in(fs, most_bytes=MIB)
            ends.add("read")
        except Unreadable as error:
            ends.add(error.code)
    assert "budget" not in ends
    assert "damaged" in ends


@pytest.mark.parametrize("flips", [1, 10, 100])
def test_flipped_bits_in_a_journal_end_in_a_problem_or_in_a_replay(
    flips: int, tree: Path, tmp_path: Path
) -> None:
    path, new = tmp_path / "image", tmp_path / "new"
    run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-d", tree, path, "8M")
    new.write_bytes(b"n" * 20 * 1024)
    targets = ",".join(str(5000 + i) for i in range(20))
    script = f"jo -c\njw -b {targets} {new}\njw -r 5001,5002\njw -b {targets} {new}\njc\n"
    run("debugfs", "-w", "-f", "-", path, input=script)
    good = path.read_bytes()
    watched = Watched(good)
    assert open_ext(watched) is not None
    used = sorted(watched.sectors - {2, 3})  # not the superblock: nothing is read behind a bad one
    noise = random.Random(flips)
    ends: set[str] = set()
    for _ in range(80):
        data = bytearray(good)
        for _ in range(flips):
            data[noise.choice(used) * 512 + noise.randrange(512)] ^= 1 << noise.randrange(8)
        try:
            fs = open_ext(Watched(bytes(data)))
            ends.update(p.code for p in fs.problems) if fs is not None else None
        except Unreadable as error:
            ends.add(error.code)
    assert "budget" not in ends
    assert "journal-unread" in ends


def patched(image: Path, inode: str, field: int, value: bytes) -> ExtFs:
    """The file system with some bytes of one inode changed."""
    said = run("debugfs", "-R", f"imap {inode}", image)  # "... block 37, offset 0x0500"
    block, offset = said.split("block ")[-1].split(", offset ")
    size = int(run("debugfs", "-R", "stats", image).split("Block size:")[1].split()[0])
    at = int(block) * size + int(offset, 16) + field
    with image.open("r+b") as file:
        file.seek(at)
        file.write(value)
    fs = open_ext(source_of_file(image))
    assert fs is not None
    return fs


@pytest.fixture
def small(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "etc").mkdir(parents=True)
    (folder / "etc" / "fstab").write_bytes(b"# nothing\n" * 1000)
    (folder / "etc" / "link").symlink_to("t" * 100)
    image = tmp_path / "image"
    options = ("-t", "ext4", "-O", "^metadata_csum", "-b", "1024")
    run("mke2fs", "-q", "-F", *options, "-d", folder, image, "8M")
    return image


def refused(fs: ExtFs, path: str) -> str:
    with pytest.raises(Unreadable) as caught:
        GuestTree(fs).read_text(path)
    return caught.value.code


def test_a_file_that_claims_terabytes_is_refused_unread(small: Path) -> None:
    with bounded_memory(8 * MIB):
        fs = patched(small, "/etc/fstab", 108, struct.pack("<I", 0x1000))
        assert refused(fs, "/etc/fstab") == "too-large"


def test_a_folder_that_claims_gigabytes_is_refused(small: Path) -> None:
    fs = patched(small, "/etc", 4, struct.pack("<I", 0xF0000000))
    assert refused(fs, "/etc/fstab") == "too-large"


def test_an_extent_tree_that_leads_everywhere_to_one_block_is_damage(small: Path) -> None:
    """Four levels of 84 equal entries would be 50 million blocks to walk."""
    data = bytearray(small.read_bytes())
    first = len(data) // 1024 - 10
    for depth in (3, 2, 1, 0):
        child = struct.pack("<IIHH", 0, first + depth - 1, 0, 0) if depth else bytes(12)
        node = struct.pack("<4HI", 0xF30A, 84, 84, depth, 0) + child * 84
        data[(first + depth) * 1024 : (first + depth) * 1024 + 1024] = node.ljust(1024, b"\0")
    small.write_bytes(data)
    root = struct.pack("<4HI", 0xF30A, 1, 4, 4, 0) + struct.pack("<IIHH", 0, first + 3, 0, 0)
    patched(small, "/etc/fstab", 40, root)
    fs = open_ext(Watched(small.read_bytes()))
    assert fs is not None
    assert refused(fs, "/etc/fstab") == "damaged"


def test_an_empty_block_of_a_folder_may_fill_64_kib() -> None:
    empty = struct.pack("<IHBB", 0, 65535, 0, 0).ljust(65536, b"\0")
    assert list(parse_entries(empty)) == []


def test_indirect_blocks_that_lead_to_themselves_are_damage(small: Path) -> None:
    data = bytearray(small.read_bytes())
    node = len(data) // 1024 - 5
    data[node * 1024 : node * 1024 + 1024] = struct.pack("<256I", *[node] * 256)
    small.write_bytes(data)
    patched(small, "/etc/fstab", 32, struct.pack("<I", 0))
    patched(small, "/etc/fstab", 4, struct.pack("<I", 1 << 29))
    fs = patched(small, "/etc/fstab", 40, struct.pack("<15I", *[0] * 14, node))
    with pytest.raises(Unreadable) as caught:
        list(GuestTree(fs).stream("/etc/fstab"))
    assert caught.value.code == "damaged"


@pytest.mark.parametrize(
    ("extents", "what"),
    [
        ([(0, 1, 0, 1 << 30)], "past the end"),
        ([(0, 4, 0, 100), (2, 4, 0, 200)], "overlapping"),
        ([(4, 4, 0, 100), (0, 4, 0, 200)], "out of order"),
        ([(0, 0, 0, 100)], "empty"),
    ],
)
def test_extents_that_lie_are_damage(
    extents: list[tuple[int, int, int, int]], what: str, small: Path
) -> None:
    root = struct.pack("<4HI", 0xF30A, len(extents), 4, 0, 0)
    root += b"".join(struct.pack("<IHHI", *extent) for extent in extents)
    assert refused(patched(small, "/etc/fstab", 40, root), "/etc/fstab") == "damaged", what


def test_a_link_of_a_megabyte_is_damage(small: Path) -> None:
    fs = patched(small, "/etc/link", 4, struct.pack("<I", MIB))
    assert refused(fs, "/etc/link") == "damaged"


def test_an_encrypted_file_is_unsupported_not_noise(small: Path) -> None:
    flags = InodeFlag.ENCRYPT | InodeFlag.EXTENTS
    fs = patched(small, "/etc/fstab", 32, struct.pack("<I", flags))
    assert refused(fs, "/etc/fstab") == "unsupported"


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (24, 40),  # block size
        (32, 0),  # blocks in a group
        (40, 0),  # inodes in a group
        (40, 0xFFFFFFFF),
        (88, 7),  # inode size
        (4, 0),  # blocks
        (20, 9),  # first block
    ],
)
def test_a_superblock_that_lies_is_damage(at: int, value: int, small: Path) -> None:
    data = bytearray(small.read_bytes())
    form = "<H" if at == 88 else "<I"
    struct.pack_into(form, data, 1024 + at, value)
    small.write_bytes(data)
    with pytest.raises(Unreadable) as caught:
        open_ext(source_of_file(small))
    assert caught.value.code == "damaged"


def test_a_feature_that_is_not_known_is_unsupported(small: Path) -> None:
    data = bytearray(small.read_bytes())
    struct.pack_into("<I", data, 1024 + 96, 0x40000000)
    small.write_bytes(data)
    with pytest.raises(Unreadable) as caught:
        open_ext(source_of_file(small))
    assert caught.value.code == "unsupported"


def test_a_file_system_cut_short_says_so_and_is_read_as_far_as_it_goes(small: Path) -> None:
    data = small.read_bytes()
    small.write_bytes(data[: len(data) // 2])
    fs = open_ext(source_of_file(small))
    assert fs is not None
    assert [p.code for p in fs.problems] == ["filesystem-past-end"]
    assert GuestTree(fs).is_file("/etc/fstab")
