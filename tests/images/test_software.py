"""The packages that a bill of materials lists are those that the guests' own tools list."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from diskwright.guest.inspect import open_guest
from diskwright.guest.tree import GuestTree
from support.command import Command
from support.guest_disks import FileDisk
from support.image_corpus import Disk, disks, flatten, folder

DISKS = [disk for disk in disks("linux") if disk.base is None]
DEBIAN = [disk for disk in DISKS if disk.name.startswith("debian")]
EL9 = "linux/synthetic-el9-bios-xfs.qcow2"
RPM = shutil.which("rpm")  # the package `rpm` of Debian
Tree = Callable[[str], GuestTree | None]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    def of(file: str) -> GuestTree | None:
        return open_guest(FileDisk(flatten(file, tmp_path, "raw")))[1]

    return of


def bill(diskwright: Command, file: str) -> list[dict[str, str]]:
    """The libraries of the bill, as the command writes it to stdout; empty where it refuses."""
    ended = diskwright("inspect", folder() / file, "--sbom", "-")
    if ended.code:
        assert (ended.code, ended.out) == (10, "")
        return []
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(ended.out) is None
    return [c for c in json.loads(ended.out)["components"] if c["type"] == "library"]


def listed(*argv: str | Path) -> list[str]:
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return sorted(done.stdout.splitlines())


@pytest.mark.parametrize("disk", DEBIAN, ids=str)
def test_dpkg_query(disk: Disk, tree: Tree, diskwright: Command, tmp_path: Path) -> None:
    found, root = bill(diskwright, disk.file), tree(disk.file)
    if root is None:
        assert found == []
        pytest.skip("its root is on a file system that is not read")
    admin = tmp_path / "dpkg"
    (admin / "info").mkdir(parents=True)
    (admin / "updates").mkdir()
    (admin / "status").write_bytes(root.read_bytes("/var/lib/dpkg/status", 1 << 26))
    (admin / "arch").write_text("amd64\n")
    form = "${db:Status-Status} ${Package} ${Version} ${Architecture}\n"
    lines = listed("dpkg-query", f"--admindir={admin}", "-W", "-f", form)
    states = {"not-installed", "config-files"}
    wanted = [line.partition(" ")[2] for line in lines if line.split()[0] not in states]
    said = [f"{c['name']} {c['version']} {_qualifier(c, 'arch')}" for c in found]
    assert sorted(said) == sorted(wanted)
    assert len(wanted) > 100
    assert {_qualifier(c, "distro") for c in found} == {"debian-12"}


@pytest.mark.skipif(RPM is None, reason="there is no rpm here to compare with")
def test_rpm(tree: Tree, diskwright: Command, tmp_path: Path) -> None:
    root = tree(EL9)
    assert root is not None
    place = "/var/lib/rpm/rpmdb.sqlite"
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "rpmdb.sqlite").write_bytes(root.read_bytes(place, 1 << 26))
    form = "%{NAME} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE} %{ARCH}\n"
    wanted = listed("rpm", "--dbpath", tmp_path / "db", "-qa", "--qf", form)
    found = bill(diskwright, EL9)
    said = [f"{c['name']} {c['version']} {_qualifier(c, 'arch')}" for c in found]
    assert sorted(said) == wanted
    assert wanted


def _qualifier(component: dict[str, str], name: str) -> str:
    pairs = component["purl"].partition("?")[2].split("&")
    return dict(pair.split("=") for pair in pairs)[name]
