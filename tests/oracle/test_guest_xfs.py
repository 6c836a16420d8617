"""XFS as mkfs.xfs and the kernel write it: every name, link, mode and byte; and its log."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from diskwright.guest.filesystems.xfs import NOT_REPLAYED, XfsFs, open_xfs
from diskwright.guest.inspect import facts_of
from diskwright.guest.probe import probe
from diskwright.guest.reading import Unreadable
from diskwright.guest.source import Source
from diskwright.model.guest import Section
from diskwright.model.partitions import PartitionTable, TableKind
from support.guest_disks import (
    FileDisk,
    make_tree,
    mounted,
    run,
    seen_in,
    seen_in_folder,
    source_of_file,
)
from support.xfs_maker import LABEL, UUID, field, make

VARIANTS = {
    "default": (),
    "version 4": ("-m", "crc=0"),
    "version 4, no file types": ("-m", "crc=0", "-n", "ftype=0"),
    "version 4, eager counters": ("-m", "crc=0", "-l", "lazy-count=0", "-i", "attr=1"),
    "blocks of 1k": ("-b", "size=1024"),
    "blocks of 1k, directories of 64k": ("-b", "size=1024", "-n", "size=65536"),
    "blocks of 512": ("-m", "crc=0", "-b", "size=512"),
    "blocks of 64k": ("-b", "size=65536"),
    "directories of 8k": ("-n", "size=8192"),
    "version 4, directories of 16k": ("-m", "crc=0", "-n", "size=16384"),
    "inodes of 2k": ("-i", "size=2048"),
    "version 4, inodes of 256": ("-m", "crc=0", "-i", "size=256"),
    "sectors of 4k": ("-s", "size=4096"),
    "many extents allowed": ("-i", "nrext64=1"),
    "few extents allowed": ("-i", "nrext64=0"),
    "no bigtime": ("-m", "bigtime=0,inobtcount=0,reflink=0,finobt=0", "-i", "sparse=0"),
    "reverse map": ("-m", "rmapbt=1"),
    "many groups": ("-d", "agcount=19"),
    "groups of odd size": ("-d", "agsize=100001b", "-b", "size=1024"),
    "log of version 1": ("-m", "crc=0", "-l", "version=1"),
    "log in stripes": ("-l", "su=64k"),
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without the links that mkfs.xfs 6.1 does not store rightly."""
    root = tmp_path_factory.mktemp("xfs") / "tree"
    make_tree(root)
    (root / "big").chmod(0o600)
    (root / "link-750").unlink()
    return root


def opened(image: Path) -> XfsFs:
    fs = open_xfs(source_of_file(image))
    assert fs is not None
    return fs


def modes_in(fs: XfsFs) -> dict[bytes, int]:
    found = {b"": fs.root().mode}
    todo = [(b"", fs.root())]
    while todo:
        above, folder = todo.pop()
        for name, node in fs.entries(folder):
            found[above + b"/" + name] = node.mode
            if node.kind == "dir":
                todo.append((above + b"/" + name, node))
    return found


def modes_in_folder(root: Path) -> dict[bytes, int]:
    base = os.fsencode(root)
    found = {b"": root.stat().st_mode}
    for folder, folders, files in os.walk(base):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            found[path[len(base) :]] = os.lstat(path).st_mode
    return found


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_whole_tree_is_read_as_it_was_written(variant: str, tree: Path, tmp_path: Path) -> None:
    size = (2048 if variant == "many groups" else 320) << 20
    image = make(tmp_path / "image", *VARIANTS[variant], tree=tree, size=size)
    fs = opened(image)
    assert seen_in(fs) == seen_in_folder(tree)
    assert modes_in(fs) == modes_in_folder(tree)
    block = field(image, "blocksize", "sb 0")
    assert (fs.type, fs.uuid, fs.label) == ("xfs", UUID, LABEL)
    assert fs.size == field(image, "dblocks", "sb 0") * block
    assert fs.free == field(image, "fdblocks", "sb 0") * block
    assert (fs.dirty, fs.note, fs.problems) == (False, "", ())


def test_a_uuid_that_was_changed_later_is_the_one_that_fstab_names(
    tree: Path, tmp_path: Path
) -> None:
    image = make(tmp_path / "image", tree=tree)
    new = "11111111-2222-4333-8444-555555555555"
    run("xfs_admin", "-U", new, image)
    fs = opened(image)
    assert fs.uuid == new
    assert seen_in(fs) == seen_in_folder(tree)


def test_a_long_link_of_version_4_is_read_whole(tmp_path: Path) -> None:
    folder = tmp_path / "tree"
    folder.mkdir()
    for length in (157, 513, 1023):
        (folder / f"link-{length}").symlink_to("t" * length)
    for size in ("512", "4096"):
        options = ("-m", "crc=0", "-i", "size=256", "-b", f"size={size}")
        fs = opened(make(tmp_path / "image", *options, tree=folder))
        assert seen_in(fs) == seen_in_folder(folder)


def test_a_walk_over_all_names_costs_few_reads(tree: Path, tmp_path: Path) -> None:
    disk = FileDisk(make(tmp_path / "image", tree=tree))
    fs = open_xfs(Source(disk))
    assert fs is not None
    assert len(seen_in(fs, most_bytes=0)) > 650
    assert disk.reads < 40


def test_any_part_of_a_file_is_the_same_part(tree: Path, tmp_path: Path) -> None:
    fs = opened(make(tmp_path / "image", "-b", "size=1024", tree=tree))
    data = (tree / "big").read_bytes()
    node = fs.child(fs.root(), b"big")
    assert node is not None
    spots = random.Random(4)
    for _ in range(100):
        start, length = spots.randrange(len(data) + 100), spots.randrange(200_000)
        assert fs.read(node, start, length) == data[start : start + length]


def test_names_without_regard_to_case_are_found_so(tree: Path, tmp_path: Path) -> None:
    fs = opened(make(tmp_path / "image", "-m", "crc=0", "-n", "version=ci", tree=tree))
    assert fs.child(fs.root(), b"BIG") is not None
    assert fs.child(fs.root(), b"bog") is None


def test_a_log_elsewhere_is_not_known_to_be_clean(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(bytes(64 << 20))
    fs = opened(make(tmp_path / "image", "-l", f"logdev={log},size=64m"))
    assert (fs.dirty, fs.note) == (None, "its log is on another device")
    assert list(fs.names(fs.root())) == []


def test_a_file_system_that_needs_repair_is_refused(tmp_path: Path) -> None:
    image = make(tmp_path / "image")
    run("xfs_db", "-x", "-c", "sb 0", "-c", "write features_incompat 0x1b", image)
    with pytest.raises(Unreadable, match="xfs_repair"):
        opened(image)


# --- by the kernel ----------------------------------------------------------------------------

# Not version 4: newer kernels mount it no more.
MOUNTED = ("default", "directories of 8k", "blocks of 1k", "many extents allowed")


def scatter(root: Path) -> None:
    """What a prototype file can't say: files in pieces, room that is not written to, a directory
    in pieces."""
    noise = random.Random(2)
    with (root / "a").open("wb", buffering=0) as a, (root / "b").open("wb", buffering=0) as b:
        for i in range(600):
            a.seek(i * 8192)
            a.write(noise.randbytes(4096))
            b.write(noise.randbytes(4096))
            os.fsync(a.fileno())
            os.fsync(b.fileno())
    with (root / "allocated").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 1 << 20)
        file.seek(500_000)
        file.write(b"written" * 100)
    (root / "pieces").mkdir()
    (root / "shorter").mkdir()
    for i in range(3000):
        (root / "pieces" / f"{i:05d}-{'n' * 50}").write_bytes(b"x" * 3000 if i % 10 == 0 else b"")
        (root / "shorter" / f"{i:05d}-{'m' * 50}").touch()
    for i in range(2900):
        (root / "shorter" / f"{i:05d}-{'m' * 50}").unlink()  # leaves whole blocks empty
    os.link(root / "allocated", root / "hard")
    os.mknod(root / "node", 0o20600, os.makedev(1, 3))
    (root / "long" / ("d" * 255)).mkdir(parents=True)
    for length in (300, 750, 1023):
        (root / f"link-{length}").symlink_to("l" * length)


@pytest.mark.parametrize("variant", MOUNTED)
def test_what_the_kernel_wrote_is_read_as_the_kernel_reads_it(
    variant: str, tree: Path, tmp_path: Path
) -> None:
    image = make(tmp_path / "image", *VARIANTS[variant])
    with mounted(image, "xfs") as root:
        shutil.copytree(tree, root / "tree", symlinks=True, ignore=shutil.ignore_patterns("pipe"))
        scatter(root)
        os.sync()
        wanted, modes = seen_in_folder(root), modes_in_folder(root)
        forms = {path: (root / path).stat().st_ino for path in ("a", "pieces")}
    trees = {
        path for path, ino in forms.items() if field(image, "core.format", f"inode {ino}") == 3
    }
    assert "a" in trees, "the file is in too few pieces to test its tree of extents"
    fs = opened(image)
    assert seen_in(fs) == wanted
    assert modes_in(fs) == modes
    assert (fs.dirty, fs.problems) == (False, ())
    assert fs.free == field(image, "fdblocks", "sb 0") * field(image, "blocksize", "sb 0")


def test_a_copy_of_a_mounted_disk_is_dirty_and_the_unmounted_one_is_not(tmp_path: Path) -> None:
    image, copy = make(tmp_path / "image"), tmp_path / "copy"
    for _ in range(3):
        with mounted(image, "xfs") as root:
            for i in range(200):
                (root / f"file-{i}").write_text("text")
            with (root / "synced").open("w") as file:
                file.write("on disk")
                os.fsync(file.fileno())
            shutil.copy(image, copy)
            (root / "synced").unlink()
        dirty = opened(copy)
        assert (dirty.dirty, dirty.note) == (True, NOT_REPLAYED)
        assert opened(image).dirty is False


def test_what_is_in_the_log_alone_is_never_no_system(tmp_path: Path) -> None:
    image, copy = make(tmp_path / "image"), tmp_path / "copy"
    with mounted(image, "xfs") as root:
        (root / "etc").mkdir()
        with (root / "etc" / "fstab").open("w") as file:
            file.write("UUID=x / xfs defaults 0 0\n")
            file.flush()
            os.fsync(file.fileno())
        shutil.copy(image, copy)
    table = PartitionTable(TableKind.NONE, 512, (), boot_code=False, bios_core=None)
    for path, clean in ((copy, False), (image, True)):
        found = probe(source_of_file(path), None)
        assert found is not None
        facts = facts_of(table, [found])
        assert found.facts.unreplayed is not clean
        if clean or facts.root is not None:  # the kernel writes it to its place within a minute
            assert facts.fstab is not None
            assert [entry.spec for entry in facts.fstab] == ["UUID=x"]
        else:
            assert "xfs log not replayed" in facts.why_unread(Section.ROOT)
