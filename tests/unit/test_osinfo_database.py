"""The osinfo database: from os-release to figures, and what is not believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from diskwright.adapters.osinfo import OsinfoDatabase
from diskwright.model.profile import Minimum
from diskwright.model.units import GIB, MIB

DEBIAN = """<libosinfo><os id="http://debian.org/debian/{n}"><short-id>debian{n}</short-id>{r}</os>
</libosinfo>"""
RESOURCES = """<resources arch="{arch}"><minimum><ram>{ram}</ram><storage>{disk}</storage></minimum>
<recommended><ram>99999999999</ram></recommended></resources>"""


def resources(ram: object, disk: object = 5 * GIB, arch: str = "all") -> str:
    return RESOURCES.format(arch=arch, ram=ram, disk=disk)


def write(folder: Path, name: str, text: str, date: str = "20221203") -> OsinfoDatabase:
    path = folder / "os" / "debian.org" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    (folder / "VERSION").write_text(date)
    return OsinfoDatabase(str(folder))


def debian(number: int, body: str) -> str:
    return DEBIAN.format(n=number, r=body)


def memory(found: Minimum | None) -> int | None:
    return found.memory_bytes if found is not None else None


def test_a_system_is_found_by_its_id_and_version(tmp_path: Path) -> None:
    database = write(tmp_path, "debian-11.xml", debian(11, resources(700 * MIB)))
    found = database.minimum("debian", "11", "x86_64")
    assert found is not None
    assert (found.os, found.memory_bytes, found.disk_bytes) == ("debian11", 700 * MIB, 5 * GIB)
    assert "20221203" in found.source


def test_figures_of_the_architecture_win_over_those_of_all(tmp_path: Path) -> None:
    body = resources(900 * MIB, arch="aarch64") + resources(700 * MIB)
    database = write(tmp_path, "debian-11.xml", debian(11, body))
    assert memory(database.minimum("debian", "11", "aarch64")) == 900 * MIB
    assert memory(database.minimum("debian", "11", "x86_64")) == 700 * MIB


def test_additions_in_the_folder_of_the_same_id_are_merged(tmp_path: Path) -> None:
    database = write(tmp_path, "debian-11.xml", debian(11, ""))
    assert database.minimum("debian", "11", "x86_64") is None
    (tmp_path / "os/debian.org/debian-11.d").mkdir()
    write(tmp_path, "debian-11.d/b.xml", debian(12, resources(100 * MIB)))
    write(tmp_path, "debian-11.d/a.xml", debian(11, resources(700 * MIB)))
    assert memory(database.minimum("debian", "11", "x86_64")) == 700 * MIB


def test_our_newer_rows_win_over_an_older_database_and_lose_to_a_newer_one(tmp_path: Path) -> None:
    text = debian(12, resources(3 * GIB))
    assert memory(write(tmp_path, "debian-12.xml", text).minimum("debian", "12", "x86_64")) == GIB
    newer = write(tmp_path, "debian-12.xml", text, date="20260101")
    assert memory(newer.minimum("debian", "12", "x86_64")) == 3 * GIB


def test_our_rows_answer_where_no_database_is(tmp_path: Path) -> None:
    database = OsinfoDatabase(str(tmp_path / "none"))
    assert database.date == ""
    assert memory(database.minimum("ubuntu", "24.04", "x86_64")) == 3 * GIB


def test_what_neither_knows_is_not_guessed(tmp_path: Path) -> None:
    database = OsinfoDatabase(str(tmp_path))
    for os_id, version in (("gentoo", "1"), ("debian", "99"), ("debian", None), ("", "")):
        assert database.minimum(os_id, version, "x86_64") is None
    assert database.minimum("debian", "12", "riscv64") is None


@pytest.mark.parametrize("version", ["../11", "11/../11", "11\n", "11.xml", "/etc/passwd", "1" * 9])
def test_a_guests_version_never_becomes_a_path(tmp_path: Path, version: str) -> None:
    database = write(tmp_path, "debian-11.xml", debian(11, resources(700 * MIB)))
    assert database.minimum("debian", version, "x86_64") is None


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE x [<!ENTITY a 'b'>]>" + debian(11, resources(GIB)),
        debian(11, resources(GIB))[:-20],
        debian(11, resources(GIB)) + " " * (1 << 20),
        debian(11, resources("-1")),
        debian(11, resources("9" * 40)),
        debian(11, resources("\u0661")),
        debian(10, resources(GIB)),
        "",
    ],
)
def test_a_damaged_or_hostile_file_answers_nothing(tmp_path: Path, text: str) -> None:
    database = write(tmp_path, "debian-11.xml", text)
    assert database.minimum("debian", "11", "x86_64") is None
