"""What is told of a guest agrees with virt-inspector, where that runs.

It starts a machine with a kernel of its own for each disk, half a minute each without KVM:

    apt-get install guestfs-tools linux-image-cloud-amd64
    LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg scripts/test-images DIR -k virt

Where it is not installed, or its machine does not start, these tests are skipped by name.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from diskwright.guest.inspect import inspect_guest
from diskwright.model.guest import FileSystem, FstabEntry, GuestFacts, NamedBy
from support.guest_disks import FileDisk
from support.image_corpus import Disk, disks, flatten

DISKS = [disk for disk in disks("linux") if disk.base is None]


@dataclass(frozen=True)
class Told:
    """`mounted`: the UUID of the file system at each mount point."""

    root: str | None
    distro: str | None
    major: str | None
    architecture: str | None
    mounted: frozenset[tuple[str, str | None]]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Its own, with a machine that starts here."""
    if shutil.which("virt-inspector") is None:
        pytest.skip("virt-inspector is not installed: apt-get install guestfs-tools")
    wanted = {"LIBGUESTFS_BACKEND": "direct", "LIBGUESTFS_BACKEND_SETTINGS": "force_tcg"}
    environment = wanted | os.environ
    argv = ["guestfish", "-a", "/dev/null", "run"]
    tried = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"libguestfs does not start here: {tried.stderr.strip().splitlines()[-1]}")
    return environment


def by_virt_inspector(disk: Path, environment: dict[str, str]) -> Told:
    argv = ["virt-inspector", "--no-applications", "--no-icon", "--format=raw", "-a", disk]
    said = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True).stdout
    system = ET.fromstring(said).find("operatingsystem")
    assert system is not None, said
    uuids = {
        _device(found.get("dev")): found.findtext("uuid")
        for found in system.iterfind("filesystems/filesystem")
    }
    return Told(
        root=_device(system.findtext("root")),
        distro=system.findtext("distro"),
        major=system.findtext("major_version"),
        architecture=system.findtext("arch"),
        mounted=frozenset(
            (found.text or "", uuids.get(_device(found.get("dev"))))
            for found in system.iterfind("mountpoints/mountpoint")
        ),
    )


def _device(name: str | None) -> str | None:
    """`/dev/vg0/root` is `/dev/mapper/vg0-root`; of a btrfs only the device is meant."""
    if name is None:
        return None
    name = re.sub(r"^btrfsvol:(/dev/\w+)/.*", r"\1", name)
    return re.sub(r"^/dev/(vg\w*)/(\w+)$", r"/dev/mapper/\1-\2", name)


def by_us(facts: GuestFacts) -> Told:
    assert facts.root is not None
    assert facts.os is not None
    found = facts.filesystems or ()
    entries = [e for e in facts.fstab or () if e.mount_point.startswith("/")]
    return Told(
        root=_place(found[facts.root]),
        distro=facts.os.id,
        major=(facts.os.version_id or "").partition(".")[0],
        architecture=facts.os.architecture,
        mounted=frozenset((entry.mount_point, _uuid(entry, found)) for entry in entries),
    )


def _place(fs: FileSystem) -> str:
    return fs.volume or f"/dev/sda{fs.partition}"


def _uuid(entry: FstabEntry, found: tuple[FileSystem, ...]) -> str | None:
    word = entry.spec.partition("=")[2]
    if entry.named_by is NamedBy.UUID:
        return next((fs.uuid for fs in found if fs.uuid and fs.uuid.lower() == word.lower()), None)
    if entry.named_by is NamedBy.LABEL:
        return next((fs.uuid for fs in found if fs.label == word), None)
    return next((fs.uuid for fs in found if fs.volume == entry.spec), None)


@pytest.mark.parametrize("disk", DISKS, ids=str)
def test_a_guest_is_told_as_virt_inspector_tells_it(
    disk: Disk, environment: dict[str, str], tmp_path: Path
) -> None:
    raw = flatten(disk.file, tmp_path, "raw")
    facts = inspect_guest(FileDisk(raw))
    if facts.root is None:
        hidden = [fs.type for fs in facts.filesystems or () if not fs.read and fs.type != "swap"]
        assert hidden, "a root that is not found must be on something that is not read"
        return
    assert by_us(facts) == by_virt_inspector(raw, environment)
