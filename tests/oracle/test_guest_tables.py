"""Partition tables as sfdisk writes and reads them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from diskwright.guest.partitions import read_table
from support.guest_disks import run, source_of_file

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
