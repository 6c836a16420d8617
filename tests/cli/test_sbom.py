"""`inspect --sbom`: a bill of materials by CycloneDX's schema, whole or absent."""

from __future__ import annotations

import json
import shutil

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from support.command import FIXTURE, files_below, one_line_and_a_hint
from support.iso_maker import write


@pytest.fixture
def some(folder):
    shutil.copy(FIXTURE, folder / "disk.qcow2")
    (folder / "zeros.raw").write_bytes(bytes(1 << 20))
    write(folder / "medium.iso", rock_ridge="1.09")
    return folder


def read(text):
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert problem is None, str(problem)[:2000]
    return json.loads(text)


def test_the_packages_of_a_disk(diskwright, some):
    ended = diskwright("inspect", "disk.qcow2", "--sbom", "out.json", cwd=some)
    assert (ended.code, ended.err) == (0, "")
    bill = read((some / "out.json").read_text())
    system, *packages = bill["components"]
    assert (system["type"], system["name"], system["version"]) == (
        "operating-system",
        "debian",
        "12",
    )
    assert len(packages) > 200
    (base,) = [p for p in packages if p["name"] == "base-files"]
    assert base["purl"].startswith("pkg:deb/debian/base-files@12.4")
    assert base["purl"].endswith("?arch=amd64&distro=debian-12")
    assert [p["name"] for p in packages] == sorted(p["name"] for p in packages)
    assert bill["metadata"]["component"]["name"] == "disk.qcow2"
    assert ended.out.splitlines()[0].split() == ["image", "disk.qcow2"]
    assert ended.out.splitlines()[-1].split() == ["packages", f"{len(packages)},", "in", "out.json"]


def test_two_runs_differ_in_the_serial_number_and_the_time_alone(diskwright, some):
    first, second = (
        read(diskwright("inspect", "disk.qcow2", "--sbom", "-", cwd=some).out) for _ in range(2)
    )
    assert first["serialNumber"] != second["serialNumber"]
    for bill in (first, second):
        del bill["serialNumber"], bill["metadata"]["timestamp"]
    assert json.dumps(first) == json.dumps(second)


def test_to_stdout_nothing_else_is_said(diskwright, some):
    ended = diskwright("inspect", "disk.qcow2", "--sbom", "-", cwd=some)
    assert (ended.code, ended.err) == (0, "")
    read(ended.out)


def test_the_document_has_the_packages_too(diskwright, some):
    words = ["inspect", "disk.qcow2", "--output", "json"]
    plain = diskwright(*words, cwd=some).document
    told = diskwright(*words, "--sbom", "out.json", cwd=some).document
    software = told["results"][0]["facts"].pop("software")
    assert told == plain
    packages = read((some / "out.json").read_text())["components"][1:]
    assert [p["name"] for p in software["packages"]] == [p["name"] for p in packages]
    assert (software["databases"], software["unread"]) == (["/var/lib/dpkg/status"], [])


@pytest.mark.parametrize(
    ("image", "why"),
    [
        ("zeros.raw", "no file system of this disk holds an operating system"),
        ("medium.iso", "is a medium"),
    ],
)
def test_where_no_packages_are_read_nothing_is_written(diskwright, some, image, why):
    before = files_below(some)
    for target in ("out.json", "-"):
        ended = diskwright("inspect", image, "--sbom", target, cwd=some)
        assert (ended.code, ended.out) == (10, "")
        assert why in one_line_and_a_hint(ended)
    document = diskwright("inspect", image, "--sbom", "x", "--output", "json", cwd=some).document
    assert document["error"]["code"] == "packages-unread"
    assert files_below(some) == before


def test_what_is_there_stays_and_an_image_is_never_written_over(diskwright, some):
    (some / "out.json").write_text("mine")
    ended = diskwright("inspect", "disk.qcow2", "--sbom", "out.json", cwd=some)
    assert ended.code == 14
    one_line_and_a_hint(ended)
    assert (some / "out.json").read_text() == "mine"
    ended = diskwright("inspect", "disk.qcow2", "--sbom", "out.json", "--force", cwd=some)
    assert ended.code == 0
    read((some / "out.json").read_text())
    ended = diskwright("inspect", "disk.qcow2", "--sbom", "disk.qcow2", "--force", cwd=some)
    assert ended.code == 2
    assert (some / "disk.qcow2").read_bytes() == FIXTURE.read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        ["disk.qcow2", "zeros.raw", "--sbom", "x"],
        ["disk.qcow2", "--deep", "--sbom", "x"],
        ["disk.qcow2", "--sbom", ""],
        ["disk.qcow2", "--sbom", "-", "--output", "json"],
    ],
)
def test_what_can_not_be_asked_for(diskwright, some, words):
    before = files_below(some)
    ended = diskwright("inspect", *words, cwd=some)
    assert ended.code == 2
    one_line_and_a_hint(ended)
    assert files_below(some) == before


def test_of_a_package_one_disk_is_chosen(diskwright, folder, appliance):
    ended = diskwright("inspect", appliance, "--sbom", "x", cwd=folder)
    assert ended.code == 2
    assert "--disk" in ended.err
    ended = diskwright("inspect", appliance, "--disk", "1", "--sbom", "x", cwd=folder)
    assert ended.code == 0
    said = read((folder / "x").read_text())["metadata"]["component"]["properties"]
    assert any(p["name"] == "diskwright:disk" for p in said)
