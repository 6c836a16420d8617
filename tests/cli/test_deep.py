"""`inspect --deep` tells of every kind of file how it is made, and of a refused one why."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support import packages
from support.command import FIXTURE, Command, files_below, one_line_and_a_hint
from support.hostile import corpus

MIB = 1 << 20
SIZE = 64 * MIB


@pytest.fixture
def diskwright(tmp_path: Path) -> Command:
    home = tmp_path / "home"
    home.mkdir()
    return Command(home)


def made(folder: Path, driver: str, options: str = "") -> Path:
    """64 MiB: 1 MiB of data at its start, 2 MiB in its midst."""
    path = folder / f"disk.{driver}"
    choice = ["-o", options] if options else []
    create = ["qemu-img", "create", "-q", "-f", driver, *choice, path, str(SIZE)]
    subprocess.run(create, check=True)
    writes = ["-c", "write -q -P 65 0 1M", "-c", "write -q -P 66 32M 2M"]
    subprocess.run(["qemu-io", "-f", driver, *writes, path], check=True)
    return path


def deep_of(diskwright: Command, *arguments: Path | str) -> dict:
    told = diskwright("inspect", "--deep", "--output", "json", *arguments)
    assert told.code == 0, told.err
    return told.document["results"][0]["facts"]["deep"]


@pytest.mark.parametrize(
    ("driver", "options", "block"),
    [
        ("raw", "", 4096),
        ("qcow2", "cluster_size=4k", 4096),
        ("vmdk", "", 65536),
        ("vpc", "force_size=on", 2 * MIB),
        ("vhdx", "block_size=1M", MIB),
        ("vdi", "", MIB),
        ("qed", "", 65536),
        ("parallels", "", MIB),
    ],
)
def test_the_map_shows_where_the_data_is(diskwright, tmp_path, driver, options, block):
    image = made(tmp_path, driver, options)
    deep = deep_of(diskwright, image)
    drawn = deep["map"]
    assert drawn["size"] == SIZE
    assert 3 * MIB <= drawn["data"] <= 3 * MIB + 2 * block
    assert drawn["data"] + drawn["zero"] + drawn["hole"] == SIZE
    assert len(drawn["cells"]) == 64  # of 1 MiB each
    full = [cell["start"] // MIB for cell in drawn["cells"] if cell["data"]]
    assert {0, 32, 33} <= set(full) <= {0, 1, 32, 33}
    assert deep["overhead"] is not None
    assert deep["overhead"] <= image.stat().st_size - 3 * MIB


KEYS = {
    "signs": {"format", "offset", "what"},
    "container": {"marks", "snapshots"},
    "chain": {"path", "format", "role", "size", "names"},
    "map": {"size", "data", "zero", "hole", "stretches", "extents", "cells", "incomplete"},
}


def test_the_document_has_these_keys(diskwright):
    deep = deep_of(diskwright, FIXTURE)
    assert set(deep) == {*KEYS, "sparse", "map_missing", "overhead"}
    for name, keys in KEYS.items():
        value = deep[name]
        assert set(value[0] if isinstance(value, list) else value) == keys
    assert set(deep["map"]["cells"][0]) == {"start", "length", "data", "zero", "hole"}
    assert set(deep["map"]["extents"][0]) == {"start", "length", "kind"}


def test_without_the_option_nothing_is_said_of_it(diskwright):
    told = diskwright("inspect", "--output", "json", FIXTURE)
    assert "deep" not in told.document["results"][0]["facts"]


def test_snapshots_are_listed_as_qemu_lists_them(diskwright, tmp_path):
    image = made(tmp_path, "qcow2")
    for name in ("before", "\x1b[2Jevil"):
        subprocess.run(["qemu-img", "snapshot", "-c", name, image], check=True)
    found = deep_of(diskwright, image)["container"]["snapshots"]
    assert [(s["id"], s["name"], s["disk_size"]) for s in found] == [
        ("1", "before", SIZE),
        ("2", "\x1b[2Jevil", SIZE),
    ]
    shown = diskwright("inspect", "--deep", image).out
    assert "\x1b" not in shown
    assert "\nsnapshots    1  before  20" in shown


def test_a_vhd_tells_when_it_was_made(diskwright, tmp_path):
    image = made(tmp_path, "vpc", "force_size=on")
    made_at = int.from_bytes(image.read_bytes()[24:28]) + 946_684_800
    said = subprocess.run(
        ["date", "-u", "-d", f"@{made_at}", "+%Y-%m-%dT%H:%M:%SZ"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    marks = {
        mark["name"]: mark["value"] for mark in deep_of(diskwright, image)["container"]["marks"]
    }
    assert marks["created"] == said


def test_a_followed_chain_is_told_file_by_file(diskwright, tmp_path):
    base = made(tmp_path, "raw")
    top = tmp_path / "top.qcow2"
    create = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", base.name, "-F", "raw", top]
    subprocess.run(create, check=True, cwd=tmp_path)
    deep = deep_of(diskwright, "--allow-backing-under", tmp_path, top)
    assert [(f["role"], f["path"], f["size"]) for f in deep["chain"]] == [
        ("image", str(top), top.stat().st_size),
        ("backing file", str(base), SIZE),
    ]
    assert deep["chain"][0]["names"][0]["name"] == base.name
    assert deep["overhead"] is None


@pytest.mark.parametrize(
    ("name", "offset"),
    [("vmdk-extent-device.vmdk", 114), ("qcow2-l1-huge.qcow2", 36), ("size-0.raw", None)],
)
def test_a_refused_file_is_explained_and_still_refused(diskwright, tmp_path, name, offset):
    image = tmp_path / name
    image.write_bytes(corpus.build(name))
    plain = diskwright("inspect", image)
    ended = diskwright("inspect", "--deep", image)
    assert (ended.code, ended.err) == (plain.code, plain.err) == (10, plain.err)
    one_line_and_a_hint(ended)
    assert plain.out == ""
    assert "\nrefused      " in ended.out
    told = diskwright("inspect", "--deep", "--output", "json", image)
    result = told.document["results"][0]
    why = result["facts"]["deep"]
    assert why["code"] == result["error"]["code"]
    assert why["offset"] == offset
    if offset is not None:
        start, data = why["dump_offset"], bytes.fromhex(why["dump"])
        assert start <= offset < start + len(data)
        assert data == image.read_bytes()[start : start + 64]
    assert files_below(tmp_path / "home") == []


def test_two_formats_in_a_file_are_both_told(diskwright, tmp_path):
    image = tmp_path / "polyglot.bin"
    image.write_bytes(corpus.build("polyglot-qcow2-iso.bin"))
    ended = diskwright("inspect", "--deep", image)
    assert ended.code == 10
    assert "seen         qcow2: a qcow2 header at byte 0\n" in ended.out
    assert "             iso: an ISO 9660 volume at byte 32769\n" in ended.out


def package(folder: Path, disk: bytes) -> Path:
    ovf = packages.descriptor(
        files=packages.file("f", "disk.vmdk"),
        disks=packages.disk("d", "f", f'ovf:capacity="{SIZE}"'),
    )
    members = [("web.ovf", ovf), ("disk.vmdk", disk)]
    members.insert(1, ("web.mf", packages.manifest(*members)))
    path = folder / "web.ova"
    path.write_bytes(packages.archive(*members))
    return path


def test_the_digests_of_a_package_are_computed(diskwright, tmp_path):
    image = package(tmp_path, made(tmp_path, "vmdk").read_bytes())
    assert "not verified here" in diskwright("inspect", image).out
    ended = diskwright("inspect", "--deep", image)
    assert ended.code == 0, ended.err
    assert "sha256, verified\n" in ended.out
    content = bytearray(image.read_bytes())
    content[content.index(b"A" * 512)] ^= 1  # the disk's first data
    image.write_bytes(content)
    ended = diskwright("inspect", "--deep", image)
    assert ended.code == 10
    assert "[checksum]" in ended.out


def test_the_offset_of_a_member_counts_within_it(diskwright, tmp_path):
    disk = bytearray(made(tmp_path, "vmdk").read_bytes())
    disk[12:20] = b"\xff" * 8  # its capacity
    image = package(tmp_path, bytes(disk))
    told = diskwright("inspect", "--deep", "--output", "json", image)
    assert told.code == 10
    why = told.document["results"][0]["facts"]["deep"]
    assert why["path"] == f"{image}: disk.vmdk"
    assert (why["offset"], why["size"]) == (12, len(disk))
    assert bytes.fromhex(why["dump"]).startswith(b"KDMV")
