"""What is told of a disk's guest agrees with tools that share nothing with the project.

The table with sfdisk, the file systems with blkid at each partition's place, logical volumes with
lvm2, and the modules of an initramfs with lsinitramfs, of the file as e2fsprogs, xfsprogs or
btrfs-progs read it. Where they differ it is listed with its reason; what differs no more fails too.
"""

from __future__ import annotations

import csv
import hashlib
import lzma
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from diskwright.guest.inspect import inspect_guest
from diskwright.guest.modules import OF_INTEREST
from diskwright.model.guest import FileSystem, GuestFacts, InitramfsState
from diskwright.model.partitions import Partition, TableKind
from support import other_tools
from support.guest_disks import FileDisk
from support.image_corpus import Disk, disks, flatten, folder
from support.lvm2 import lvm_on
from support.oracle_differences import PUBLIC, UNTOLD
from support.other_tools import Listing

DISKS = disks("linux") + disks("windows")
LVM = "LVM2_member"


def lines_of_table(facts: GuestFacts) -> list[str]:
    if facts.table is None or facts.table.kind is TableKind.NONE:
        return []
    return [_line(part) for part in facts.table.partitions]


def _line(part: Partition) -> str:
    words = [f"{part.number}: {part.start}+{part.length}", part.type_id, part.partuuid, part.label]
    words += ["active"] if part.active else []
    return " ".join(filter(None, words))


def lines_of_file_systems(facts: GuestFacts) -> list[str]:
    found = [fs for fs in facts.filesystems or () if fs.volume is None]
    return [f"{fs.partition or 0}: {_told(fs)}" for fs in found]


def _told(fs: FileSystem) -> str:
    words = [fs.type, fs.uuid or ("-" if fs.label else ""), fs.label]
    return " ".join(filter(None, words))


def by_sfdisk(raw: Path) -> list[str]:
    return [part.line for part in other_tools.partitions(raw)]


def by_blkid(raw: Path) -> list[str]:
    seen = (
        (part.number, other_tools.file_system(raw, part.start, part.length))
        for part in other_tools.places(raw)
    )
    return [f"{number}: {said}" for number, said in seen if said is not None]


def differences(ours: list[str], theirs: list[str]) -> list[str]:
    """`-` what only they see, `+` what only we see."""
    missed = [f"- {line}" for line in theirs if line not in ours]
    return missed + [f"+ {line}" for line in ours if line not in theirs]


def all_differences(facts: GuestFacts, raw: Path) -> list[str]:
    """Of a file system that is not read we need not tell the label."""
    seen = by_blkid(raw)
    for fs in facts.filesystems or ():
        if not fs.read and not fs.label:
            bare = f"{fs.partition or 0}: {_told(fs)}"
            seen = [bare if line.startswith(f"{bare} ") else line for line in seen]
    found = differences(lines_of_table(facts), by_sfdisk(raw))
    return found + differences(lines_of_file_systems(facts), seen)


@dataclass(frozen=True)
class Seen:
    """A disk as raw bytes, and what we say of it."""

    disk: Disk
    raw: Path
    facts: GuestFacts


@pytest.fixture(scope="module", params=DISKS, ids=str)
def seen(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Seen]:
    raw = flatten(request.param.file, tmp_path_factory.mktemp("oracle"), "raw")
    yield Seen(request.param, raw, inspect_guest(FileDisk(raw)))
    raw.unlink()


@pytest.fixture(scope="module")
def listings() -> dict[str, Listing]:
    """What lsinitramfs says, by digest: most disks have the same initramfs."""
    return {}


def test_the_table_and_the_file_systems_of_a_disk(seen: Seen) -> None:
    assert by_sfdisk(seen.raw), "each of them has a partition table"
    assert all_differences(seen.facts, seen.raw) == []


# Disk: the state of its initramfs, and what lsinitramfs complains of.
COMPLAINTS = {
    "fault-initramfs-corrupt": (InitramfsState.CORRUPT, "cpio: premature end of archive"),
}


def test_the_modules_of_an_initramfs(
    seen: Seen, listings: dict[str, Listing], tmp_path: Path
) -> None:
    if seen.facts.windows is not None:
        assert seen.facts.kernels is None
        return
    if seen.facts.kernels is None:
        assert_hidden(seen.facts)
        return
    of_kernels = [kernel.initramfs for kernel in seen.facts.kernels if kernel.initramfs]
    assert of_kernels
    for initramfs in of_kernels:
        file = other_tools.fetched(seen.raw, initramfs.path, tmp_path)
        assert (file is None) == (initramfs.state is InitramfsState.MISSING)
        if file is None:
            continue
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        if digest not in listings:
            listings[digest] = other_tools.listing(file, tmp_path)
        theirs = listings[digest]
        complaint = COMPLAINTS.get(seen.disk.name, (InitramfsState.READ, ""))
        assert (initramfs.state, theirs.complaint) == complaint
        if not theirs.complaint:
            # Of what is built in we tell the drivers that decide whether a server starts
            assert set(initramfs.modules) == theirs.files | (theirs.built_in & OF_INTEREST)


def assert_hidden(facts: GuestFacts) -> None:
    """Nothing is told of kernels only where a file system of the disk is not read, by name."""
    hidden = {fs.type for fs in facts.filesystems or () if not fs.read and fs.type != "swap"}
    reasons = " ".join(entry.reason for entry in facts.unread)
    assert hidden
    assert any(name in reasons for name in hidden)


def test_the_volumes_of_a_disk(tmp_path: Path) -> None:
    """Their places as lvm2 tells them, and what blkid sees there."""
    disk = next(disk for disk in DISKS if disk.name == "debian12-uefi-lvm")
    raw = flatten(disk.file, tmp_path, "raw")
    facts = inspect_guest(FileDisk(raw))
    (member,) = (part for part in other_tools.places(raw) if _is_member(raw, part))
    with lvm_on(raw, [(member.start, member.length)]) as lvm:
        (physical,) = lvm.told("pvs", "pe_start", "vg_name", "vg_extent_size")
        fields = ("lv_name", "lv_uuid", "seg_pe_ranges", "lv_size")
        rows = lvm.told("lvs", *fields, more=["--segments"])
    theirs = []
    for row in rows:
        first = int(row["seg_pe_ranges"].rpartition(":")[2].partition("-")[0])
        at = int(physical["pe_start"]) + first * int(physical["vg_extent_size"])
        size = int(row["lv_size"])
        said = other_tools.file_system(raw, member.start + at, size)
        name = f"/dev/mapper/{physical['vg_name']}-{row['lv_name']}"
        theirs.append(f"{name}: {size} {said}")
    sizes = {volume.name: volume.size for volume in facts.volumes}
    ours = [
        f"{fs.volume}: {sizes[fs.volume]} {_told(fs)}"
        for fs in facts.filesystems or ()
        if fs.volume is not None
    ]
    assert sorted(ours) == sorted(theirs)
    assert len(ours) == 3


def _is_member(raw: Path, part: other_tools.Part) -> bool:
    return (other_tools.file_system(raw, part.start, part.length) or "").startswith(LVM)


def public() -> list[dict[str, str]]:
    with (folder() / "public" / "MANIFEST.tsv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def flat(row: dict[str, str], work: Path) -> Path:
    """The disk in it as raw bytes, by tools that are told the format."""
    source = folder() / "public" / row["file"]
    if source.suffix == ".xz":
        (work / "content").write_bytes(lzma.decompress(source.read_bytes()))
        source = work / "content"
    raw = work / "raw"
    argv = ["qemu-img", "convert", "-f", row["format"], "-O", "raw", source, raw]
    subprocess.run(argv, check=True, capture_output=True)
    return raw


def test_the_public_images(tmp_path: Path) -> None:
    found, untold = {}, set()
    for row in public():
        if row["format"] == "unreadable":
            continue
        raw = flat(row, tmp_path)
        lines = all_differences(inspect_guest(FileDisk(raw)), raw)
        types = {words[2] for words in (line.split(" ", 3) for line in lines) if words[0] == "-"}
        if len(lines) == 1 and types <= UNTOLD:
            untold |= types
        elif lines:
            found[row["file"]] = lines
    assert found == {name: lines for name, (lines, _why) in PUBLIC.items()}
    assert untold == UNTOLD


def test_every_complaint_is_of_a_disk_that_is_there() -> None:
    assert set(COMPLAINTS) <= {disk.name for disk in DISKS}
    assert all(why for _lines, why in PUBLIC.values())
