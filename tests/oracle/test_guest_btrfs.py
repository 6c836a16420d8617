"""btrfs as mkfs.btrfs and the kernel write it: every subvolume, name, link and byte."""

from __future__ import annotations

import os
import random
import re
import shutil
from pathlib import Path

import pytest

from diskwright.guest.filesystems import btrfs
from diskwright.guest.filesystems.btrfs import NOT_REPLAYED, BtrfsFs, open_btrfs
from diskwright.guest.inspect import facts_of
from diskwright.guest.probe import Probe, probe
from diskwright.guest.reading import Unreadable
from diskwright.guest.source import Source
from diskwright.guest.tree import GuestTree
from diskwright.model.finding import Result
from diskwright.model.guest import GuestFacts
from diskwright.model.partitions import PartitionTable, TableKind
from diskwright.model.units import MIB
from diskwright.model.volumes import TOP_SUBVOLUME
from diskwright.rules import judge
from support.good_facts import IMAGE, PROFILE
from support.guest_disks import (
    FileDisk,
    make_tree,
    mounted,
    run,
    seen_in,
    seen_in_folder,
    source_of_file,
)

UUID = "7d5c2f0e-5a7f-4c51-8a5e-0d5b7a0f2c12"
SUPERBLOCK = 64 << 10


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("btrfs") / "tree"
    make_tree(root)
    (root / "words").write_bytes(b"".join(b"line %d of text\n" % i for i in range(60_000)))
    return root


def make(image: Path, *options: str, tree: Path | None = None, size: int = 300 * MIB) -> Path:
    """`size` in bytes."""
    with image.open("wb") as file:
        file.truncate(size)
    given = ("--rootdir", str(tree)) if tree is not None else ()
    run("mkfs.btrfs", "-q", "-L", "a_label", "-U", UUID, *given, *options, image)
    return image


def opened(image: Path) -> BtrfsFs:
    fs = open_btrfs(source_of_file(image))
    assert fs is not None
    return fs


VARIANTS = {
    "default": (),
    "mixed": ("--mixed",),
    "nodes of 4k": ("-n", "4096"),
    "nodes of 64k": ("-n", "65536"),
    "everything twice": ("-m", "dup", "-d", "dup"),
    "SHA-256": ("--checksum", "sha256"),
    "BLAKE2": ("--checksum", "blake2"),
    "xxhash": ("--checksum", "xxhash"),
    "no free space tree": ("-R", "^free-space-tree", "-O", "^no-holes"),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_whole_tree_is_read_as_it_was_written(variant: str, tree: Path, tmp_path: Path) -> None:
    fs = opened(make(tmp_path / "image", *VARIANTS[variant], tree=tree))
    assert seen_in(fs) == seen_in_folder(tree)
    assert (fs.uuid, fs.label, fs.size, fs.dirty, fs.note) == (
        UUID,
        "a_label",
        300 * MIB,
        False,
        "",
    )
    unchecked = ["checksums-unchecked"] if variant == "xxhash" else []
    assert [p.code for p in fs.problems] == unchecked
    assert (fs.default_subvolume, fs.subvolumes()) == (TOP_SUBVOLUME, ())


@pytest.mark.parametrize("method", ["zlib", "lzo", "zstd:1", "zstd:15"])
def test_what_the_kernel_compressed_is_read(method: str, tree: Path, tmp_path: Path) -> None:
    image = make(tmp_path / "image")
    with mounted(image, "btrfs", f"compress-force={method}") as root:
        shutil.copytree(tree, root / "tree", symlinks=True, ignore=shutil.ignore_patterns("pipe"))
        scatter(root)
        os.sync()
        expected = seen_in_folder(root)
    assert seen_in(opened(image)) == expected


def scatter(root: Path) -> None:
    """Files that change places, with holes and with room that was not written."""
    noise = random.Random(3)
    with (root / "one").open("wb") as one, (root / "two").open("wb") as two:
        for _ in range(40):
            for file in (one, two):
                file.write(noise.randbytes(5000))
                file.flush()
                os.fsync(file.fileno())
    with (root / "prepared").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 1 << 20)
        file.seek(300_000)
        file.write(b"middle" * 1000)
    with (root / "words-changed").open("wb") as file:
        file.write((root / "tree" / "words").read_bytes())
        os.fsync(file.fileno())
        file.seek(200_001)
        file.write(b"changed in the middle of an extent")
        os.fsync(file.fileno())
    run("cp", "--reflink=always", root / "words-changed", root / "shared")


def test_subvolumes_are_told_and_each_is_read(tmp_path: Path) -> None:
    image = make(tmp_path / "image")
    with mounted(image, "btrfs") as root:
        for name in ("@", "@home", "@/nested"):
            run("btrfs", "subvolume", "create", root / name)
            (root / name / "mark").write_text(name)
        deep = root / "@" / "var" / "lib"
        deep.mkdir(parents=True)
        run("btrfs", "subvolume", "create", deep / "machines")
        (deep / "machines" / "mark").write_text("machines")
        run("btrfs", "subvolume", "snapshot", "-r", root / "@", root / "old")
        listed = run("btrfs", "subvolume", "list", root)
        number = re.search(r"ID (\d+) .* path @$", listed, re.MULTILINE)
        assert number is not None
        run("btrfs", "subvolume", "set-default", number[1], root)
        os.sync()
        expected = {one: seen_in_folder(root / one) for one in ("@", "@home", "old")}
        whole = seen_in_folder(root)
    fs = opened(image)
    wanted = {m[2]: int(m[1]) for m in re.finditer(r"ID (\d+) .* path (.+)", listed)}
    assert {one.path: one.number for one in fs.subvolumes()} == wanted
    assert [one.path for one in fs.subvolumes() if one.readonly] == ["old"]
    assert fs.default_subvolume == fs.subvolume == int(number[1])
    assert seen_in(fs) == expected["@"]
    assert seen_in(fs.at(wanted["@home"])) == expected["@home"]
    assert seen_in(fs.at(wanted["old"])) == expected["old"]
    assert seen_in(fs.at(TOP_SUBVOLUME)) == whole
    assert GuestTree(fs.at(wanted["@/var/lib/machines"])).read_text("/mark") == "machines"


ROOT = {
    "etc/os-release": "ID=fedora\nVERSION_ID=41\n",
    "etc/fstab": f"UUID={UUID} / btrfs subvol=root 0 0\n"
    f"UUID={UUID} /var btrfs defaults,subvol=/var 0 0\n"
    f"UUID={UUID} /srv btrfs subvol=lost 0 0\n"
    f"UUID={UUID} /top btrfs subvolid=5 0 0\n",
    "boot/vmlinuz-6": "kernel",
    "boot/grub2/grub.cfg": f"menuentry Linux {{\n search --fs-uuid --set=root {UUID}\n"
    "linux /root/boot/vmlinuz-6 root=UUID=x ro rootflags=subvol=root\n}\n",
}


def test_a_guest_whose_root_is_no_default_subvolume(tmp_path: Path) -> None:
    """As Fedora and Ubuntu install it: the boot loader names the subvolume, and so does fstab."""
    image = make(tmp_path / "image")
    with mounted(image, "btrfs") as top:
        for name in ("root", "var"):
            run("btrfs", "subvolume", "create", top / name)
        for path, text in ROOT.items():
            (top / "root" / path).parent.mkdir(parents=True, exist_ok=True)
            (top / "root" / path).write_text(text)
        (top / "var" / "lib").mkdir()
        (top / "root" / "etc" / "only-here").symlink_to("/var/lib")
        run("btrfs", "subvolume", "snapshot", "-r", top / "root", top / "aaa-snapshot")
        os.sync()
    found = probe(source_of_file(image), None)
    assert found is not None
    facts = facts_of(
        PartitionTable(TableKind.NONE, 512, (), boot_code=False, bios_core=None), [found]
    )
    assert facts.root == 0
    assert facts.os is not None
    assert facts.os.id == "fedora"
    assert facts.bootloader is not None
    (entry,) = facts.bootloader.entries
    assert (entry.kernel, entry.kernel_exists) == ("/boot/vmlinuz-6", True)
    assert facts.filesystems is not None
    paths = [one.path for one in facts.filesystems[0].subvolumes]
    assert paths == ["aaa-snapshot", "root", "var"]


def test_a_log_tree_is_told_and_hides_what_it_holds(tmp_path: Path) -> None:
    image, copy = make(tmp_path / "image"), tmp_path / "copy"
    with mounted(image, "btrfs") as root:
        (root / "before").write_text("committed")
        os.sync()
        with (root / "after").open("w") as file:
            file.write("in the log")
            file.flush()
            os.fsync(file.fileno())
        shutil.copyfile(image, copy)
    fs = opened(copy)
    assert (fs.dirty, fs.note) == (True, NOT_REPLAYED)
    found = probe(source_of_file(copy), None)
    assert found is not None
    assert found.facts.unreplayed
    assert GuestTree(fs).exists("/before")
    assert opened(image).dirty is False


def test_a_changed_tree_block_is_damage(tree: Path, tmp_path: Path) -> None:
    image = make(tmp_path / "image", "-m", "single", tree=tree)
    dump = run("btrfs", "inspect-internal", "dump-super", image)
    (root,) = re.findall(r"^root\s+(\d+)", dump, re.MULTILINE)
    data = bytearray(image.read_bytes())
    mapped = run("btrfs-map-logical", "-l", root, image)
    (place,) = re.findall(r"physical (\d+)", mapped)
    data[int(place) + 2000] ^= 1
    image.write_bytes(data)
    with pytest.raises(Unreadable) as refusal:
        opened(image)
    assert refusal.value.code == "damaged"


def test_swap_that_was_a_btrfs_is_swap(tmp_path: Path) -> None:
    image = make(tmp_path / "image")
    superblock = image.read_bytes()[SUPERBLOCK : SUPERBLOCK + 4096]
    run("mkswap", image)
    with image.open("r+b") as file:
        file.seek(SUPERBLOCK)
        file.write(superblock)
    found = probe(source_of_file(image), 1)
    assert found is not None
    assert found.facts.type == "swap"


def test_one_of_two_devices_is_told(tmp_path: Path) -> None:
    image, other = tmp_path / "image", tmp_path / "other"
    with other.open("wb") as file:
        file.truncate(300 * MIB)
    with image.open("wb") as file:
        file.truncate(300 * MIB)
    run("mkfs.btrfs", "-q", "-m", "raid1", "-d", "raid0", image, other)
    found = probe(source_of_file(image), 1)
    assert found is not None
    assert [p.code for p in found.facts.problems] == ["filesystem-incomplete"]


def test_a_cut_off_one_is_told(tree: Path, tmp_path: Path) -> None:
    image = make(tmp_path / "image", tree=tree)
    os.truncate(image, 200 * MIB)
    found = probe(source_of_file(image), 1)
    assert isinstance(found, Probe)
    codes = [p.code for p in found.facts.problems]
    assert codes == ["filesystem-past-end"] or not found.facts.read


def test_few_reads_are_needed(tree: Path, tmp_path: Path) -> None:
    disk = FileDisk(make(tmp_path / "image", tree=tree))
    fs = open_btrfs(Source(disk))
    assert fs is not None
    assert GuestTree(fs).exists("/many/file-0300-with-a-longer-name")
    assert disk.reads < 40


def facts_of_image(image: Path) -> GuestFacts:
    found = probe(source_of_file(image), None)
    assert found is not None
    table = PartitionTable(TableKind.NONE, 512, (), boot_code=False, bios_core=None)
    return facts_of(table, [found])


def two_roots(image: Path, flags: str) -> None:
    """An old system in @, a new one in @new, and GRUB at the top that starts one of them."""
    with mounted(image, "btrfs") as top:
        for name, system in (("@", "old"), ("@new", "new")):
            run("btrfs", "subvolume", "create", top / name)
            for folder in ("etc", "boot/grub", "bin"):
                (top / name / folder).mkdir(parents=True)
            (top / name / "etc" / "os-release").write_text(f"ID={system}\n")
            (top / name / "bin" / "sh").write_text("")
            (top / name / "boot" / f"vmlinuz-{system}").write_text("kernel")
            (top / name / "boot" / "grub" / "grub.cfg").write_text(
                f"menuentry Linux {{\n search --fs-uuid --set=root {UUID}\n"
                f"linux /@new/boot/vmlinuz-new root=UUID={UUID} ro {flags}\n}}\n"
            )
        os.sync()


def test_the_subvolume_that_the_kernel_mounts_is_the_root(tmp_path: Path) -> None:
    two_roots(make(tmp_path / "image"), "rootflags=subvol=@new")
    facts = facts_of_image(tmp_path / "image")
    assert facts.os is not None
    assert facts.os.id == "new"
    assert facts.bootloader is not None
    assert facts.bootloader.entries[0].kernel_exists
    assert facts.filesystems is not None
    paths = {one.number: one.path for one in facts.filesystems[0].subvolumes}
    assert facts.root_subvolume is not None
    assert paths[facts.root_subvolume] == "@new"


def test_a_kernel_that_is_told_of_no_subvolume_mounts_the_default_one(tmp_path: Path) -> None:
    two_roots(make(tmp_path / "image"), "quiet")
    facts = facts_of_image(tmp_path / "image")
    assert facts.os is not None  # of the likeliest: the top holds no system
    (found,) = (
        one for one in judge(IMAGE, facts, PROFILE).findings if one.id == "boot.subvolume-missing"
    )
    assert found.result is Result.FAIL
    assert "the kernel mounts the top as its root" in found.evidence


def test_more_subvolumes_than_are_listed_leave_each_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_roots(make(tmp_path / "image"), "rootflags=subvol=@new")
    monkeypatch.setattr(btrfs, "MAX_SUBVOLUMES", 1)
    fs = opened(tmp_path / "image")
    with pytest.raises(Unreadable):
        fs.subvolumes()
    number = fs.find("/@new/")
    assert number is not None
    assert GuestTree(fs.at(number)).read_text("/etc/os-release") == "ID=new\n"
    assert (fs.find("@gone"), fs.find("@/etc"), fs.find("")) == (None, None, TOP_SUBVOLUME)
    found = probe(source_of_file(tmp_path / "image"), None)
    assert found is not None
    assert found.facts.read
    assert [p.code for p in found.facts.problems] == ["subvolumes-unlisted"]
