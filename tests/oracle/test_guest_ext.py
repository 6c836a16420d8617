"""ext2, ext3 and ext4 as e2fsprogs makes them: every name, link and byte, and every journal."""

from __future__ import annotations

import random
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

import pytest

from diskwright.formats.crc32c import crc32c
from diskwright.guest.filesystems.ext import ExtFs, open_ext
from diskwright.guest.source import Source
from support.guest_disks import (
    FileDisk,
    make_tree,
    run,
    seen_in,
    seen_in_folder,
    source_of_file,
)

UUID = "6f8ad0ff-ba55-4d3e-bdd9-a5ffaf1e3b86"
NEW = "64bit,metadata_csum,metadata_csum_seed,orphan_file,ea_inode,large_dir,sparse_super2"
VARIANTS = {
    "ext2 revision 0": ("ext2", "-r", "0", "-t", "ext2", "-b", "1024"),
    "ext2": ("ext2", "-t", "ext2", "-b", "4096"),
    "ext2 1k": ("ext2", "-t", "ext2", "-b", "1024"),
    "ext3": ("ext3", "-t", "ext3"),
    "ext4": ("ext4", "-t", "ext4"),
    "ext4 1k": ("ext4", "-t", "ext4", "-b", "1024"),
    "ext4 64k": ("ext4", "-t", "ext4", "-b", "65536", "-O", "^has_journal"),
    "ext4 32-bit": ("ext4", "-t", "ext4", "-O", "^64bit,^metadata_csum"),
    "ext4 meta_bg": ("ext4", "-t", "ext4", "-b", "1024", "-O", "meta_bg,^resize_inode"),
    "ext4 bigalloc": ("ext4", "-t", "ext4", "-b", "4096", "-O", "bigalloc"),
    "ext4 bigalloc 1k": ("ext4", "-t", "ext4", "-b", "1024", "-O", "bigalloc", "-C", "16384"),
    "ext4 bigalloc meta_bg 1k": (
        *("ext4", "-t", "ext4", "-b", "1024", "-C", "16384"),
        *("-O", "bigalloc,meta_bg,^resize_inode"),
    ),
    # enough groups for several blocks of descriptors, with a copy of the superblock before some
    "ext4 meta_bg, many": (
        *("ext4", "-t", "ext4", "-b", "1024", "-g", "1024"),
        *("-O", "meta_bg,^resize_inode,^sparse_super"),
    ),
    "ext4 meta_bg, two copies": (
        *("ext4", "-t", "ext4", "-b", "1024", "-g", "1024"),
        *("-O", "meta_bg,^resize_inode,sparse_super2"),
    ),
    "ext4 inline": ("ext4", "-t", "ext4", "-I", "512", "-O", f"{NEW},inline_data"),
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ext") / "tree"
    make_tree(root)
    return root


def make(image: Path, *options: str, tree: Path | None = None, size: str = "64M") -> Path:
    given = ("-d", str(tree)) if tree else ()
    options = ("-q", "-F", "-L", "a label", "-U", UUID, *options)
    run("mke2fs", *options, *given, image, size)
    return image


def opened(image: Path) -> ExtFs:
    fs = open_ext(source_of_file(image))
    assert fs is not None
    return fs


def header(image: Path) -> dict[str, str]:
    lines = run("dumpe2fs", "-h", image).splitlines()
    return {k: v.strip() for k, _, v in (line.partition(":") for line in lines)}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_whole_tree_is_read_as_it_was_written(variant: str, tree: Path, tmp_path: Path) -> None:
    kind, *options = VARIANTS[variant]
    # 49 groups of 1 MiB: the last one, which has a copy, is also the first of its meta group
    size = "50177" if "two copies" in variant else "64M"
    image = make(tmp_path / "image", *options, tree=tree, size=size)
    fs = opened(image)
    wanted = seen_in_folder(tree)
    if "inline" in variant:  # mke2fs itself ends this file where its data last began
        del wanted[b"/sparse"]
    found = seen_in(fs)
    assert {name: found.get(name) for name in wanted} == wanted
    assert found.keys() == seen_in_folder(tree).keys()
    said = header(image)
    block = int(said["Block size"])
    assert (fs.type, fs.uuid, fs.label, fs.dirty) == (kind, UUID, "a label", False)
    assert fs.size == int(said["Block count"]) * block
    assert fs.free == int(said["Free blocks"]) * block
    assert fs.problems == ()


def test_a_walk_over_all_names_costs_few_reads(tree: Path, tmp_path: Path) -> None:
    disk = FileDisk(make(tmp_path / "image", "-t", "ext4", tree=tree))
    fs = open_ext(Source(disk))
    assert fs is not None
    assert len(seen_in(fs, most_bytes=0)) > 650
    assert disk.reads < 30


def test_a_directory_of_a_hash_tree_is_read_whole(tmp_path: Path) -> None:
    folder = tmp_path / "tree"
    folder.mkdir()
    for i in range(1500):
        (folder / f"{i:06d}-{'n' * 60}").touch()
    image = make(tmp_path / "image", "-t", "ext4", "-b", "1024", tree=folder)
    run("e2fsck", "-fyD", image)  # makes the hash tree
    assert "Root node dump" in run("debugfs", "-R", "htree_dump /", image)
    fs = opened(image)
    assert len(set(fs.names(fs.root()))) == 1501


def test_any_part_of_a_file_is_the_same_part(tree: Path, tmp_path: Path) -> None:
    fs = opened(make(tmp_path / "image", "-t", "ext3", "-b", "1024", tree=tree))
    data = (tree / "big").read_bytes()
    node = fs.child(fs.root(), b"big")
    assert node is not None
    spots = random.Random(4)
    for _ in range(100):
        start, length = spots.randrange(len(data) + 100), spots.randrange(200_000)
        assert fs.read(node, start, length) == data[start : start + length]


# --- journals ---------------------------------------------------------------------------------

# mke2fs's options, and debugfs's for its journal
JOURNALS = {
    "ext3": ("jo", "-t", "ext3", "-b", "1024"),
    "32-bit": ("jo", "-t", "ext4", "-b", "4096", "-O", "^64bit,^metadata_csum"),
    "64-bit": ("jo", "-t", "ext4", "-b", "1024", "-O", "64bit,^metadata_csum"),
    "32-bit, checksums v2": ("jo -c -v 2", "-t", "ext4", "-O", "^64bit,metadata_csum"),
    "64-bit, checksums v2": ("jo -c -v 2", "-t", "ext4", "-O", "64bit,metadata_csum"),
    "32-bit, checksums v3": ("jo -c -v 3", "-t", "ext4", "-O", "^64bit,metadata_csum"),
    "64-bit, checksums v3": ("jo -c -v 3", "-t", "ext4", "-b", "1024", "-O", "64bit,metadata_csum"),
}
SUMMED = [name for name in JOURNALS if "checksums" in name]


@dataclass
class Made:
    """A clean image, and how its journal is opened."""

    image: Path
    open_journal: str

    @property
    def block_size(self) -> int:
        return int(header(self.image)["Block size"])


def blocks_of(image: Path, path: str, *indexes: int) -> list[int]:
    script = "\n".join(f"bmap {path} {index}" for index in indexes)
    said = run("debugfs", "-f", "-", image, input=script).split("\n")
    return [int(line) for line in said if line.strip().isdigit()]


def block_of(image: Path, path: str, index: int = 0) -> int:
    return blocks_of(image, path, index)[0]


def journalled(clean: Made, tmp_path: Path, *writes: str) -> Path:
    """A copy with what debugfs wrote into its journal, and not into its blocks."""
    dirty = tmp_path / "dirty"
    shutil.copy(clean.image, dirty)
    run("debugfs", "-w", "-f", "-", dirty, input="\n".join([clean.open_journal, *writes, "jc", ""]))
    return dirty


def made(name: str, tmp_path: Path) -> Made:
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "one").write_bytes(b"old contents of one\n" * 500)
    (folder / "two").write_bytes(b"old contents of two\n" * 500)
    open_journal, *options = JOURNALS[name]
    return Made(make(tmp_path / "image", *options, tree=folder, size="16M"), open_journal)


@pytest.fixture(params=JOURNALS)
def clean(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    return made(request.param, tmp_path)


def recovered(dirty: Path, tmp_path: Path) -> dict[bytes, object]:
    """What e2fsck's own recovery makes of it."""
    mended = tmp_path / "mended"
    shutil.copy(dirty, mended)
    run("e2fsck", "-fy", mended)
    return seen_in(opened(mended))


def test_what_is_only_in_the_journal_is_read(clean: Made, tmp_path: Path) -> None:
    block_size = clean.block_size
    new = tmp_path / "new"
    magic = b"\xc0\x3b\x39\x98"  # a block that begins like the journal's own is stored escaped
    new.write_bytes((magic + b"new contents").ljust(block_size, b"n") + b"m" * block_size)
    one, two = block_of(clean.image, "/one"), block_of(clean.image, "/two", 1)
    dirty = journalled(clean, tmp_path, f"jw -b {one},{two} {new}")
    fs = opened(dirty)
    found = seen_in(fs)
    assert found == recovered(dirty, tmp_path)
    assert found != seen_in(opened(clean.image))
    node = fs.child(fs.root(), b"one")
    assert node is not None
    assert fs.read(node, 0, 16) == magic + b"new contents"
    assert (fs.dirty, fs.problems) == (True, ())
    assert "replayed" in fs.note


def test_what_a_later_transaction_revoked_is_left(clean: Made, tmp_path: Path) -> None:
    block_size = clean.block_size
    new, again = tmp_path / "new", tmp_path / "again"
    new.write_bytes(b"1" * block_size * 2)
    again.write_bytes(b"2" * block_size)
    one, two = block_of(clean.image, "/one"), block_of(clean.image, "/two")
    dirty = journalled(
        clean,
        tmp_path,
        f"jw -b {one},{two} {new}",
        f"jw -r {one}",
        f"jw -r {two}",
        f"jw -b {two} {again}",
    )
    fs = opened(dirty)
    assert seen_in(fs) == recovered(dirty, tmp_path)
    for name, first in ((b"one", b"o"), (b"two", b"2")):
        node = fs.child(fs.root(), name)
        assert node is not None
        assert fs.read(node, 0, 1) == first


def test_a_transaction_without_commit_is_left(clean: Made, tmp_path: Path) -> None:
    block_size = clean.block_size
    new = tmp_path / "new"
    new.write_bytes(b"n" * block_size)
    one, two = block_of(clean.image, "/one"), block_of(clean.image, "/two")
    dirty = journalled(clean, tmp_path, f"jw -b {one} {new}", f"jw -b {two} -c {new}")
    fs = opened(dirty)
    assert seen_in(fs) == recovered(dirty, tmp_path)
    node = fs.child(fs.root(), b"two")
    assert node is not None
    assert fs.read(node, 0, 3) == b"old"


def test_a_journal_that_wraps_around_is_followed(clean: Made, tmp_path: Path) -> None:
    block_size = clean.block_size
    new = tmp_path / "new"
    new.write_bytes(b"n" * block_size + b"m" * block_size)
    one, two = block_of(clean.image, "/one"), block_of(clean.image, "/two")
    dirty = journalled(
        clean, tmp_path, f"jw -b {one},{two} {new}", f"jw -r {two}", f"jw -b {one} {new}"
    )
    rotate(dirty, block_size, before=2)  # the first descriptor's second block wraps around
    fs = opened(dirty)
    found = seen_in(fs)
    assert found == recovered(dirty, tmp_path)
    assert found != seen_in(opened(clean.image))
    assert fs.problems == ()


def rotate(image: Path, block_size: int, *, before: int, used: int = 12) -> None:
    """Move the log so that only `before` of its blocks stand before the end of the ring."""
    data = bytearray(image.read_bytes())
    home = block_of(image, "<8>") * block_size
    length, first, _, start, _, _, incompat = struct.unpack_from(">7I", data, home + 16)
    assert start == first
    old = blocks_of(image, "<8>", *range(first, first + used))
    moved = length - before
    ring = [first + (moved - first + i) % (length - first) for i in range(used)]
    log = [data[b * block_size : (b + 1) * block_size] for b in old]
    for block in old:
        data[block * block_size : (block + 1) * block_size] = bytes(block_size)
    for block, content in zip(blocks_of(image, "<8>", *ring), log, strict=True):
        data[block * block_size : (block + 1) * block_size] = content
    struct.pack_into(">I", data, home + 28, moved)
    if incompat & 0x18:
        summed = data[home : home + 252] + bytes(4) + data[home + 256 : home + 1024]
        struct.pack_into(">I", data, home + 252, crc32c(0xFFFFFFFF, bytes(summed)))
    image.write_bytes(data)


@pytest.mark.parametrize("what", ["commit", "descriptor"])
@pytest.mark.parametrize("name", SUMMED)
def test_damage_under_a_commit_is_a_problem_not_an_older_state(
    what: str, name: str, tmp_path: Path
) -> None:
    clean = made(name, tmp_path)
    new = tmp_path / "new"
    new.write_bytes(b"n" * clean.block_size)
    dirty = journalled(clean, tmp_path, f"jw -b {block_of(clean.image, '/one')} {new}")
    at = block_of(dirty, "<8>", {"descriptor": 1, "commit": 3}[what]) * clean.block_size
    flip(dirty, at + (1000 if what == "descriptor" else 40))
    assert_problem(dirty)


def test_a_damaged_superblock_of_the_journal_is_a_problem(clean: Made, tmp_path: Path) -> None:
    new = tmp_path / "new"
    new.write_bytes(b"n" * clean.block_size)
    dirty = journalled(clean, tmp_path, f"jw -b {block_of(clean.image, '/one')} {new}")
    flip(dirty, block_of(dirty, "<8>") * clean.block_size + 12)
    assert_problem(dirty)


def test_a_journal_that_asks_for_more_than_is_known_is_a_problem(tmp_path: Path) -> None:
    clean = made("32-bit", tmp_path)
    new = tmp_path / "new"
    new.write_bytes(b"n" * clean.block_size)
    dirty = journalled(clean, tmp_path, f"jw -b {block_of(clean.image, '/one')} {new}")
    flip(dirty, block_of(dirty, "<8>") * clean.block_size + 40)
    assert_problem(dirty)


def test_a_fast_commit_behind_the_log_is_a_problem(tmp_path: Path) -> None:
    clean = made("32-bit", tmp_path)
    new = tmp_path / "new"
    new.write_bytes(b"n" * clean.block_size)
    dirty = journalled(clean, tmp_path, f"jw -b {block_of(clean.image, '/one')} {new}")
    data = bytearray(dirty.read_bytes())
    home = block_of(dirty, "<8>") * clean.block_size
    length, _, sequence = struct.unpack_from(">3I", data, home + 16)
    incompat = struct.unpack_from(">I", data, home + 40)[0]
    struct.pack_into(">I", data, home + 40, incompat | 0x20)
    struct.pack_into(">I", data, home + 84, 16)
    dirty.write_bytes(data)
    assert opened(dirty).problems == ()
    at = block_of(dirty, "<8>", length - 16) * clean.block_size
    struct.pack_into("<HHII", data, at, 9, 8, 0, sequence + 1)
    dirty.write_bytes(data)
    fs = opened(dirty)
    assert [p.code for p in fs.problems] == ["journal-fast-commits"]
    assert "replayed" in fs.note


def flip(image: Path, at: int) -> None:
    data = bytearray(image.read_bytes())
    data[at] ^= 0xFF
    image.write_bytes(data)


def assert_problem(image: Path) -> None:
    fs = opened(image)
    assert [p.code for p in fs.problems] == ["journal-unread"]
    assert fs.dirty is True
    assert seen_in(fs)
