"""Partition tables as sfdisk writes and reads them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from diskwright.guest.partitions import read_table
from support.guest_disks import loop_device, run, source_of_file

TABLES = {
    "mbr": "label: dos\n,10M,83,*\n,10M,82\n",
    "mbr with logical partitions": (
        "label: dos\n,10M,83\n,40M,5\nstart=26M,size=5M,type=83\nsize=5M,type=8e\nsize=5M,type=82\n"
    ),
    "gpt": (
        "label: gpt\nsize=10M,type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B,name=esp\n"
        "size=20M,type=0FC63DAF-8483-4772-8E79-3D69D8477DE4,name=wurzel\n"
    ),
    "gpt with room for 1024": "label: gpt\ntable-length: 1024\nsize=10M\nsize=5M\n",
}
# Each type by sfdisk's name of it, or by its GUID where it has none
GPT_ROLES = {
    "uefi": "esp",
    "21686148-6449-6E6F-744E-656564454649": "bios-boot",
    "linux": "linux",
    "swap": "swap",
    "lvm": "lvm",
    "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7": "windows",
    "E75CAF8F-F680-4CEE-AFA3-B001E56EFC2D": "windows",
    "raid": "other",
}
MBR_ROLES = {"uefi": "esp", "linux": "linux", "swap": "swap", "7": "windows"}


@pytest.mark.parametrize(("label", "roles"), [("gpt", GPT_ROLES), ("dos", MBR_ROLES)])
def test_a_role_is_what_sfdisk_means_by_the_type(
    label: str, roles: dict[str, str], tmp_path: Path
) -> None:
    image = tmp_path / "disk"
    image.touch()
    os.truncate(image, 64 << 20)
    lines = "".join(f"size=2M,type={kind}\n" for kind in roles)
    run("sfdisk", "-q", image, input=f"label: {label}\n{lines}")
    table = read_table(source_of_file(image))
    assert [p.role.value for p in table.partitions] == list(roles.values())


def test_a_gpt_of_sectors_of_4096_bytes(tmp_path: Path) -> None:
    """Its protective MBR counts in them too. Neither copy is where it is with those of 512."""
    image = tmp_path / "disk"
    image.touch()
    os.truncate(image, 64 << 20)
    with loop_device(image, "-b", "4096") as device:
        run("sfdisk", "-q", "--no-reread", device, input=TABLES["gpt"])
        said = json.loads(run("sfdisk", "-J", device))["partitiontable"]
    assert said["sectorsize"] == 4096
    wanted = [(p["start"] * 4096, p["size"] * 4096) for p in said["partitions"]]
    assert_places(image, wanted, [])
    for place, problem in ((4096, "header-inconsistent"), (-4096, "gpt-backup-missing")):
        hurt = tmp_path / "hurt"
        data = bytearray(image.read_bytes())
        data[place + 16] ^= 1
        hurt.write_bytes(data)
        assert_places(hurt, wanted, [problem])


def assert_places(image: Path, wanted: list[tuple[int, int]], problems: list[str]) -> None:
    table = read_table(source_of_file(image))
    assert (table.kind, table.sector_size) == ("gpt", 4096)
    assert [(p.start, p.length) for p in table.partitions] == wanted
    assert [p.code for p in table.problems] == problems


def test_a_hybrid_table_is_a_gpt(tmp_path: Path) -> None:
    image = tmp_path / "disk"
    image.touch()
    os.truncate(image, 64 << 20)
    run("sfdisk", "-q", image, input=TABLES["gpt"])
    before = read_table(source_of_file(image))
    run("sgdisk", "-h", "1:2", image)
    kinds = json.loads(run("sfdisk", "-J", "-Y", "dos", image))["partitiontable"]["partitions"]
    assert [p["type"] for p in kinds] == ["ee", "ef", "83"]
    assert read_table(source_of_file(image)) == before


@pytest.mark.parametrize("name", TABLES)
def test_partitions_are_where_sfdisk_says(name: str, tmp_path: Path) -> None:
    image = tmp_path / "disk"
    image.touch()
    os.truncate(image, 64 << 20)
    run("sfdisk", "-q", image, input=TABLES[name])
    said = json.loads(run("sfdisk", "-J", image))["partitiontable"]
    table = read_table(source_of_file(image))
    assert table.problems == ()
    assert table.kind == {"dos": "mbr", "gpt": "gpt"}[said["label"]]
    sector = table.sector_size
    assert sector == said.get("sectorsize", 512)
    wanted = [
        (p["start"] * sector, p["size"] * sector, p["type"].lower().zfill(2))
        for p in said["partitions"]
    ]
    assert [(p.start, p.length, p.type_id) for p in table.partitions] == wanted
    numbers = [int(p["node"].removeprefix(str(image)).lstrip("p")) for p in said["partitions"]]
    assert [p.number for p in table.partitions] == numbers
    if said["label"] == "gpt":
        assert [p.partuuid for p in table.partitions] == [
            p["uuid"].lower() for p in said["partitions"]
        ]
        assert [p.label for p in table.partitions] == [p.get("name") for p in said["partitions"]]
    else:
        assert table.partitions[0].partuuid == f"{said['id'].removeprefix('0x')}-01"
        assert table.partitions[0].active is said["partitions"][0].get("bootable", False)
