"""The packages of a disk, read in the confined child, are those that the real tools list."""

from __future__ import annotations

from pathlib import Path

import pytest

from diskwright.adapters.guest_child import ConfinedGuestInspector
from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.guest.answer import PACKAGES
from diskwright.guest.inspect import open_guest
from diskwright.guest.software.listing import read_software
from diskwright.model.examined import Examined
from diskwright.ops.opening import look
from support.fake_guest import tree_of
from support.guest_disks import FIXTURES, FileDisk, run

QCOW2 = FIXTURES / "debian12-uefi-ext4.qcow2"
SPEC = """\
Name: {name}
Version: {version}
Release: 3%{{?dist}}
{epoch}
Summary: made up
License: none
BuildArch: noarch
%description
made up
%files
"""


def examined(path: Path) -> Examined:
    inspector = ConfinedGuestInspector(descriptor=QemuNbdExporter().descriptor)
    return inspector.examine(look(str(path)).disk, [PACKAGES])


def test_dpkg_query_lists_the_same(tmp_path: Path) -> None:
    raw = tmp_path / "disk.raw"
    run("qemu-img", "convert", "-O", "raw", QCOW2, raw)
    tree = open_guest(FileDisk(raw))[1]
    assert tree is not None
    admin = tmp_path / "dpkg"
    (admin / "info").mkdir(parents=True)
    (admin / "updates").mkdir()
    for name in ("status", "arch"):
        (admin / name).write_bytes(tree.read_bytes(f"/var/lib/dpkg/{name}", 1 << 26))
    form = "${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\n"
    lines = run("dpkg-query", f"--admindir={admin}", "-W", "-f", form).splitlines()
    rows = [line.split("\t") for line in lines]
    wanted = sorted(
        tuple(row[1:]) for row in rows if row[0] not in ("not-installed", "config-files")
    )
    software = examined(QCOW2).software
    assert software is not None
    assert sorted((p.name, p.version, p.architecture) for p in software.packages) == wanted
    assert len(wanted) > 200
    assert (software.databases, software.unread) == (("/var/lib/dpkg/status",), ())


@pytest.fixture
def rpmdb(tmp_path: Path) -> Path:
    """A folder with a database that rpm itself has made."""
    for name, version, epoch in (("one", "1.0", ""), ("two", "2~rc1", "Epoch: 4")):
        spec = tmp_path / f"{name}.spec"
        spec.write_text(SPEC.format(name=name, version=version, epoch=epoch))
        run("rpmbuild", "--quiet", "--define", f"_topdir {tmp_path}/rb", "-bb", spec)
    folder = tmp_path / "db"
    folder.mkdir()
    common = ["rpm", "--dbpath", folder, "--define", "_db_backend sqlite"]
    built = sorted((tmp_path / "rb").rglob("*.rpm"))
    run(*common, "--justdb", "--nodeps", "--ignorearch", "--ignoreos", "-i", *built)
    return folder


def test_rpm_lists_the_same(rpmdb: Path) -> None:
    form = "%{NAME} %{VERSION}-%{RELEASE} %{ARCH} %{EPOCH}\n"
    wanted = sorted(run("rpm", "--dbpath", rpmdb, "-qa", "--qf", form).splitlines())
    assert len(wanted) == 2
    found = read_software(
        tree_of({"/var/lib/rpm/rpmdb.sqlite": (rpmdb / "rpmdb.sqlite").read_bytes()})
    )
    said = [f"{p.name} {p.version} {p.architecture} {p.epoch or '(none)'}" for p in found.packages]
    assert (sorted(said), found.unread) == (wanted, ())
