"""The installed osinfo-db: the names that we map are the database's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from diskwright._values import replace
from diskwright.adapters.osinfo import OsinfoDatabase
from diskwright.adapters.osinfo.names import candidates
from diskwright.model.iso import IsoFacts, IsoTree

FOLDER = Path("/usr/share/osinfo")
INSTALLED = [
    ("debian", "11", "debian11", 1024, 10),
    ("ubuntu", "20.04", "ubuntu20.04", 2048, 5),
    ("rhel", "9.1", "rhel9.1", 1536, 10),
    ("centos", "8", "centos-stream8", 1536, 10),
    ("almalinux", "9.2", "almalinux9", 1536, 10),
    ("fedora", "37", "fedora37", 1024, 10),
    ("sles", "15.4", "sle15sp4", 512, 1),
    ("opensuse-leap", "15.4", "opensuse15.4", 1024, 3),
    ("alpine", "3.17.0", "alpinelinux3.17", 128, 1),
]


@pytest.fixture(autouse=True)
def _installed() -> None:
    if not (FOLDER / "VERSION").exists():
        pytest.skip("osinfo-db is not installed")


@pytest.mark.parametrize(("os_id", "version", "short_id", "mib", "gib"), INSTALLED)
def test_a_mapped_name_is_a_short_id_in_its_file(
    os_id: str, version: str, short_id: str, mib: int, gib: int
) -> None:
    found = OsinfoDatabase(str(FOLDER)).minimum(os_id, version, "x86_64")
    assert found is not None
    assert found.os == short_id
    assert (found.memory_bytes >> 20, found.disk_bytes >> 30) == (mib, gib)


@pytest.mark.parametrize(("os_id", "version", "short_id", "mib", "gib"), INSTALLED)
def test_figures_stand_in_the_file_that_the_name_leads_to(
    os_id: str, version: str, short_id: str, mib: int, gib: int
) -> None:
    name = next(c for c in candidates(os_id, version) if c.short_id == short_id)
    text = (FOLDER / "os" / name.vendor / f"{name.stem}.xml").read_text()
    assert f"<short-id>{short_id}</short-id>" in text
    assert f"<ram>{mib << 20}</ram>" in text


MEDIA = [
    ("Debian 11.5.0 amd64 n", "LINUX", "", "debian11"),
    ("Ubuntu-Server 22.04.1 LTS amd64", "", "", "ubuntu22.04"),
    ("RHEL-9-1-0-BaseOS-x86_64", "", "", "rhel9.1"),
    ("Fedora-S-dvd-x86_64-36", "LINUX", "", "fedora36"),
    ("CCCOMA_X64FRE_EN-US_DV9", "", "MICROSOFT CORPORATION", "win11"),
    ("CCCOMA_X64FRE_EN-US_DV9", "", "SOMEBODY ELSE", None),
    ("SMALL", "LINUX", "", None),
]


@pytest.mark.parametrize(("volume", "system", "publisher", "short_id"), MEDIA)
def test_media_are_known_by_their_identifiers(
    volume: str, system: str, publisher: str, short_id: str | None
) -> None:
    facts = IsoFacts(1, 1, IsoTree.ISO9660, (IsoTree.ISO9660,), 0, 0, 0, 0)
    disc = replace(facts, volume_id=volume, system_id=system, publisher_id=publisher)
    found = OsinfoDatabase(str(FOLDER)).installs(disc)
    assert (found.id if found is not None else None) == short_id
    assert found is None or found.minimum_memory is not None


def test_the_date_is_that_of_the_database() -> None:
    assert re.fullmatch(r"20\d{6}", OsinfoDatabase(str(FOLDER)).date)
