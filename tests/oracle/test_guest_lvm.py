"""Volume groups as lvm2 makes and shows them, and what is on them as mke2fs and GRUB see it."""

from __future__ import annotations

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
from diskwright.model.guest import GuestFacts, NamedBy
from support.guest_disks import (
    FileDisk,
    make_tree,
    run,
    seen_in,
    seen_in_folder,
    source_of_file,
)
from support.lvm2 import MIB, Lvm, lvm_on, partitioned

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


def test_a_guest_whose_root_and_boot_are_a_volume(tmp_path: Path) -> None:
    """Everything is named by the volume: fstab, root=, and GRUB's device by both UUIDs."""
    image, tree, content = tmp_path / "disk", tmp_path / "tree", tmp_path / "content"
    places = partitioned(image, 60)
    with lvm_on(image, places) as lvm:
        lvm("pvcreate", "-ff", *lvm.devices)
        lvm("vgcreate", "-s", "1M", "vg-a", *lvm.devices)
        lvm.create("vg-a", "root", "-l", "40")
        lvm.create("vg-a", "swap", "-l", "4")
        root, _ = lvm.told("lvs", "vg_uuid", "lv_uuid", "lv_name", "lv_dm_path")
        for path, text in guest(root).items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)
        run("mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, content, "40M")
        put(lvm, image, places, "root", content)
        content.write_bytes(bytes(4 * MIB))
        run("mkswap", "-q", content)
        put(lvm, image, places, "swap", content)
    facts = facts_of(image)
    assert facts.root is not None
    assert facts.filesystems is not None
    assert facts.filesystems[facts.root].place == "/dev/mapper/vg--a-root"
    assert [(e.named_by, e.on_disk) for e in facts.fstab or ()] == [(NamedBy.MAPPER, True)] * 2
    assert facts.bootloader is not None
    (entry,) = facts.bootloader.entries
    assert (entry.kernel, entry.kernel_exists) == ("/boot/vmlinuz-6.1", True)
    assert (entry.root_named_by, entry.root_on_disk) == (NamedBy.MAPPER, True)


def guest(root: dict[str, Any]) -> dict[str, str]:
    device = f"lvmid/{root['vg_uuid']}/{root['lv_uuid']}"
    return {
        "etc/os-release": "ID=debian\nVERSION_ID=12\n",
        "etc/fstab": f"{root['lv_dm_path']} / ext4 defaults 0 1\n/dev/vg-a/swap none swap sw 0 0\n",
        "boot/vmlinuz-6.1": "k",
        "boot/grub/grub.cfg": (
            f"insmod lvm\nset root='{device}'\nmenuentry Linux {{\n"
            f"  linux ({device})/boot/vmlinuz-6.1 root={root['lv_dm_path']} ro\n}}\n"
        ),
    }
