"""Volume groups as lvm2 makes and shows them, and what is on them as mke2fs and GRUB see it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from diskwright.guest.inspect import inspect_guest
from diskwright.guest.lvm import Groups, read_member
from diskwright.guest.lvm_map import open_volume
from diskwright.guest.partitions import read_table
from diskwright.guest.probe import open_filesystem
from diskwright.guest.source import ByteSource
from diskwright.model.guest import GuestFacts
from support.guest_disks import (
    FileDisk,
    make_tree,
    run,
    seen_in,
    seen_in_folder,
    source_of_file,
)
from support.lvm2 import MIB, Lvm, lvm_on

SIZES = {"lin-ear": 36 * MIB, "striped": 40 * MIB, "span": 60 * MIB}


@dataclass(frozen=True)
class Disk:
    """`tree`: what each volume holds; `said`: what lvs tells of each, by its name."""

    image: Path
    tree: Path
    said: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    """A GPT of two physical volumes; three volumes over them, each with the same tree in ext4."""
    folder = tmp_path_factory.mktemp("lvm")
    image, tree = folder / "disk", folder / "tree"
    make_tree(tree)
    places = partitioned(image, 80, 70)
    with lvm_on(image, places) as lvm:
        for device in lvm.devices:
            lvm("pvcreate", "-ff", device)
        lvm("vgcreate", "-s", "1M", "vg-a", *lvm.devices)
        lvm.create("vg-a", "lin-ear", "-l", "36")
        lvm.create("vg-a", "striped", "-i", "2", "-I", "16k", "-l", "40")
        lvm.create("vg-a", "span", "-l", "60")  # more than either device has left
        said = {
            row["lv_name"]: row
            for row in lvm.told("lvs", "lv_name", "lv_dm_path", "lv_size", "lv_uuid", "vg_uuid")
        }
        for name, size in SIZES.items():
            content = folder / name
            run("mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, content, f"{size // 1024}K")
            put(lvm, image, places, name, content)
        yield Disk(image, tree, said)


def partitioned(image: Path, *mebibytes: int) -> list[tuple[int, int]]:
    image.touch()
    os.truncate(image, (sum(mebibytes) + 2) * MIB)
    lines = "".join(
        f"size={size}M,type=E6D6D379-F507-44C2-A23C-238F2A3DF928\n" for size in mebibytes
    )
    run("sfdisk", "-q", image, input=f"label: gpt\n{lines}")
    return [(p.start, p.length) for p in read_table(source_of_file(image)).partitions]


def put(lvm: Lvm, image: Path, places: list[tuple[int, int]], name: str, content: Path) -> None:
    """Write a volume's bytes where lvs says that they are, block by block."""
    fields = ("seg_start", "seg_size", "stripes", "stripe_size", "seg_pe_ranges", "vg_extent_size")
    rows = lvm.told("lvs", *fields, more=("--segments", "--select", f"lv_name={name}"))
    firsts = {
        row["pv_name"]: int(row["pe_start"]) for row in lvm.told("pvs", "pv_name", "pe_start")
    }
    with content.open("rb") as source, image.open("r+b") as target:
        for row in rows:
            stripes = []
            for place in row["seg_pe_ranges"].split():
                device, first, _ = re.split(r":|-", place)
                at = places[lvm.devices.index(device)][0] + firsts[device]
                stripes.append(at + int(first) * int(row["vg_extent_size"]))
            turn = int(row["stripe_size"]) or int(row["seg_size"])
            source.seek(int(row["seg_start"]))
            for i in range(int(row["seg_size"]) // turn):
                target.seek(stripes[i % len(stripes)] + i // len(stripes) * turn)
                target.write(source.read(turn))


def facts_of(image: Path) -> GuestFacts:
    return inspect_guest(FileDisk(image))


def opened(image: Path, name: str) -> ByteSource:
    """A volume, beneath what is told of it."""
    disk = source_of_file(image)
    groups = Groups()
    windows = [disk.window(p.start, p.length) for p in read_table(disk).partitions]
    members = [read_member(window, groups) for window in windows]
    group = groups.of(members[0])
    assert group is not None
    volume = next(v for v in group.volumes if v.name == name)
    return open_volume(volume, group, {m.uuid: m.source for m in members})


def test_volumes_are_named_and_sized_as_lvs_says(disk: Disk) -> None:
    facts = facts_of(disk.image)
    assert len(disk.said) == 3
    assert {(v.name, v.size, v.uuid) for v in facts.volumes} == {
        (row["lv_dm_path"], int(row["lv_size"]), f"{row['vg_uuid']}/{row['lv_uuid']}")
        for row in disk.said.values()
    }
    assert {v.name: v.partitions for v in facts.volumes} == {
        "/dev/mapper/vg--a-lin--ear": (1,),
        "/dev/mapper/vg--a-striped": (1, 2),
        "/dev/mapper/vg--a-span": (1, 2),
    }
    assert facts.filesystems is not None
    assert [(fs.type, fs.read, fs.place) for fs in facts.filesystems[2:]] == [
        ("ext4", True, volume.name) for volume in facts.volumes
    ]


@pytest.mark.parametrize("name", SIZES)
def test_a_volume_holds_what_was_written_where_lvs_says(name: str, disk: Disk) -> None:
    volume = opened(disk.image, name)
    content = (disk.image.parent / name).read_bytes()
    assert volume.size == len(content)
    assert volume.read(0, volume.size) == content
    for start in range(0, volume.size - 40_000, 333_333):
        assert volume.read(start, 40_000) == content[start : start + 40_000]
    fs = open_filesystem(volume)
    assert fs is not None
    assert seen_in(fs) == seen_in_folder(disk.tree)


@pytest.mark.parametrize("name", SIZES)
def test_grub_reads_the_same_from_it(name: str, disk: Disk) -> None:
    device = facts_of(disk.image).volumes[list(SIZES).index(name)].name.removeprefix("/dev/mapper/")
    run("grub-fstest", disk.image, "cmp", f"(lvm/{device})/big", disk.tree / "big")


def test_metadata_that_went_round_its_ring(tmp_path: Path) -> None:
    """Every change is written behind the last one, in a ring that is as small as lvm2 makes it."""
    image = tmp_path / "disk"
    places = partitioned(image, 20)
    starts = []
    with lvm_on(image, places) as lvm:
        lvm("pvcreate", "-ff", "--metadatasize", "60k", "--dataalignment", "64k", *lvm.devices)
        lvm("vgcreate", "-s", "1M", "vg0", *lvm.devices)
        lvm.create("vg0", "a", "-l", "3")
        for i in range(30):
            lvm("lvchange", "--addtag", f"tag{i:0100}", "vg0/a")
            window = source_of_file(image).window(*places[0])
            groups = Groups()
            group = groups.of(read_member(window, groups))
            assert group is not None
            (row,) = lvm.told("vgs", "vg_seqno")
            assert group.seqno == int(row["vg_seqno"])
            starts.append(int.from_bytes(window.read(4096 + 40, 8), "little"))
    assert any(later < earlier for earlier, later in pairwise(starts))


OTHERS = """
pool {
  id = "POOLxx-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb"
  status = ["READ", "WRITE", "VISIBLE"]
  flags = []
  segment_count = 1
  segment1 {
    start_extent = 0
    extent_count = 4
    type = "thin-pool"
    metadata = "pool_tmeta"
    pool = "pool_tdata"
    transaction_id = 1
    chunk_size = 128
    discards = "passdown"
    zero_new_blocks = 1
  }
}
thin {
  id = "THINxx-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb"
  status = ["READ", "WRITE", "VISIBLE"]
  flags = []
  segment_count = 1
  segment1 {
    start_extent = 0
    extent_count = 9
    type = "thin"
    thin_pool = "pool"
    transaction_id = 0
    device_id = 1
  }
}
r1 {
  id = "RAIDxx-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb"
  status = ["READ", "WRITE", "VISIBLE"]
  flags = []
  segment_count = 1
  segment1 {
    start_extent = 0
    extent_count = 2
    type = "raid1"
    device_count = 2
    region_size = 1024
    raids = ["r1_rmeta_0", "r1_rimage_0", "r1_rmeta_1", "r1_rimage_1"]
  }
}
snap {
  id = "SNAPxx-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb"
  status = ["READ", "WRITE", "VISIBLE"]
  flags = []
  segment_count = 1
  segment1 {
    start_extent = 0
    extent_count = 2
    type = "striped"
    stripe_count = 1
    stripes = ["pv0", 40]
  }
}
snapshot0 {
  id = "PSEUDO-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb"
  status = ["READ", "WRITE", "VISIBLE"]
  flags = []
  segment_count = 1
  segment1 {
    start_extent = 0
    extent_count = 10
    type = "snapshot"
    chunk_size = 8
    origin = "plain"
    cow_store = "snap"
  }
}
"""


def hidden(name: str, extents: int, at: int) -> str:
    """A part that another volume is made of."""
    tag = f"{name.replace('_', ''):0<6.6}"
    return f"""
{name} {{
  id = "{tag}-{at:04}-bbbb-bbbb-bbbb-bbbb-bbbbbb"
  status = ["READ", "WRITE"]
  flags = []
  segment_count = 1
  segment1 {{
    start_extent = 0
    extent_count = {extents}
    type = "striped"
    stripe_count = 1
    stripes = ["pv0", {at}]
  }}
}}
"""


PARTS = "".join(
    hidden(name, extents, at)
    for name, extents, at in (
        ("pool_tmeta", 2, 20),
        ("pool_tdata", 4, 22),
        ("r1_rmeta_0", 1, 26),
        ("r1_rimage_0", 2, 27),
        ("r1_rmeta_1", 1, 29),
        ("r1_rimage_1", 2, 30),
    )
)


def test_what_lvm2_takes_for_thin_raid_and_snapshot_is_refused_by_name(tmp_path: Path) -> None:
    """lvm2 makes none of them without the device mapper, and restores them from its text."""
    image = tmp_path / "disk"
    text = tmp_path / "vg0"
    with lvm_on(image, partitioned(image, 60)) as lvm:
        lvm("pvcreate", "-ff", *lvm.devices)
        lvm("vgcreate", "-s", "1M", "vg0", *lvm.devices)
        lvm.create("vg0", "plain", "-l", "10")
        lvm("vgcfgbackup", "-f", text, "vg0")
        described = text.read_text()
        head, mark, tail = described.partition("logical_volumes {")
        text.write_text(head + mark + OTHERS + PARTS + tail)
        lvm("vgcfgrestore", "--force", "-f", text, "vg0")
        kinds = {
            r["lv_name"]: r for r in lvm.told("lvs", "lv_name", "segtype", "lv_dm_path", "lv_attr")
        }
    assert {name: row["segtype"] for name, row in kinds.items()} == {
        "plain": "linear",
        "snap": "linear",
        "pool": "thin-pool",
        "thin": "thin",
        "r1": "raid1",
    }
    assert kinds["snap"]["lv_attr"].startswith("s")
    found = facts_of(image)
    assert {v.name: v.note for v in found.volumes} == {
        "/dev/mapper/vg0-plain": "",
        "/dev/mapper/vg0-snap": "LVM snapshot is not read",
        "/dev/mapper/vg0-thin": "LVM thin is not read",
        "/dev/mapper/vg0-r1": "LVM raid1 is not read",
    }


def test_a_disk_without_one_of_its_physical_volumes(tmp_path: Path) -> None:
    image = tmp_path / "disk"
    one, two = partitioned(image, 30, 30)
    with lvm_on(image, [one, two]) as lvm:
        lvm("pvcreate", "-ff", *lvm.devices)
        lvm("vgcreate", "-s", "1M", "vg0", *lvm.devices)
        lvm.create("vg0", "here", "-l", "10")
        lvm("lvcreate", "-an", "-Zn", "-Wn", "-n", "both", "-l", "10", "-i", "2", "vg0")
    with image.open("r+b") as file:
        file.seek(two[0])
        file.write(bytes(MIB))
    with lvm_on(image, [one]) as lvm:
        partial = {r["lv_name"]: "p" in r["lv_attr"] for r in lvm.told("lvs", "lv_name", "lv_attr")}
    assert partial == {"here": False, "both": True}
    found = facts_of(image)
    assert {
        v.name.removeprefix("/dev/mapper/vg0-"): not v.complete for v in found.volumes
    } == partial
