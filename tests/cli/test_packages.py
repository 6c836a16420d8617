"""The disks of a package (OVA): told, judged and converted, or refused."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from support import ovas
from support.command import FIXTURE, Ended, files_below, one_line_and_a_hint
from support.images import qemu_img
from support.packages import archive

MIB = 1 << 20


def results(ended: Ended) -> list[dict]:
    assert ended.code == 0, ended.err
    return ended.document["results"]


def test_every_disk_is_told_and_the_package_once(diskwright, appliance):
    first, second = results(diskwright("inspect", "--output", "json", appliance))
    assert [(one["image"], one["disk"]) for one in (first, second)] == [
        (str(appliance), "system.qcow2"),
        (str(appliance), "data.vmdk"),
    ]
    assert first["facts"]["guest"]["os"]["id"] == "debian"
    assert second["facts"]["image"]["subformat"] == "streamOptimized"
    assert second["facts"]["image"]["allocated"] is None  # it is the whole package's
    package = first["facts"]["package"]
    assert (package["name"], package["cpus"], package["memory_bytes"]) == ("web", 2, 512 * MIB)
    assert package["members"][0]["name"] == "web.ovf"
    assert (len(package["digests"]), package["digests_verified"]) == (3, False)
    assert "package" not in second["facts"]
    text = diskwright("inspect", appliance).out
    assert text.count("package      ") == 1
    assert "digests      of 3 members by sha256, not verified here" in text
    assert f"image        {appliance}: data.vmdk" in text


def test_one_disk_can_be_chosen_and_its_number_has_to_exist(diskwright, appliance):
    (only,) = results(diskwright("inspect", "--output", "json", "--disk", "2", appliance))
    assert only["disk"] == "data.vmdk"
    assert only["facts"]["package"]["name"] == "web"
    ended = diskwright("inspect", "--disk", "3", appliance)
    assert ended.code == 2
    assert "has no disk 3" in one_line_and_a_hint(ended)
    assert diskwright("inspect", "--disk", "2", FIXTURE).code == 2
    assert diskwright("inspect", "--disk", "1", FIXTURE).code == 0


def test_further_disks_are_judged_as_data_disks_and_that_is_said(diskwright, appliance):
    first, second = results(diskwright("validate", "--output", "json", appliance))
    assert (first["data_disk"], second["data_disk"]) == (False, True)
    assert (first["ready"], second["ready"]) == (True, True)
    assert not [f for f in second["findings"] if f["id"].startswith("boot.")]
    text = diskwright("validate", appliance).out
    assert f"{appliance}: data.vmdk: judged as a data disk" in text
    assert f"{appliance}: system.qcow2: judged" not in text
    (alone,) = results(diskwright("validate", "--disk", "2", "--output", "json", appliance))
    assert alone["data_disk"] is True


def test_a_disk_that_is_refused_leaves_the_others_told(diskwright, folder):
    backed = ["-f", "qcow2", "-u", "-b", "/etc/passwd", "-F", "raw"]
    qemu_img("create", *backed, folder / "x", "1M")
    names_other = ovas.Disk("bad.qcow2", (folder / "x").read_bytes(), MIB)
    path = ovas.write_ova(
        folder / "app.ova", ovas.raw("one.img", seed=1), names_other, ovas.raw("c.img", seed=3)
    )
    ended = diskwright("inspect", "--output", "json", path)
    assert ended.code == 10
    assert f"{path}: bad.qcow2: unsafe" in one_line_and_a_hint(ended)
    told = {one["disk"]: one["error"] for one in ended.document["results"]}
    assert "--allow-backing-under" not in told["bad.qcow2"]["hint"]  # nothing is followed there
    assert told.pop("bad.qcow2")["code"] == "reference-outside"
    assert told == {"one.img": None, "c.img": None}
    out = folder / "out.raw"
    assert diskwright("convert", path, out, "--disk", "3").code == 0
    before = files_below(folder)
    ended = diskwright("prepare", path, "--set", "--data", "--to", f"dir:{folder / 'no'}")
    assert ended.code == 10
    assert files_below(folder) == before


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("disk.vmdk.gz", b"\x1f\x8b\x08" + bytes(1021), "compressed-container"),
        ("disk.ova", archive(("a.ovf", b"<Envelope/>")), "format-unsupported"),
    ],
)
def test_what_holds_others_is_no_disk_of_a_package(diskwright, folder, name, data, code):
    path = ovas.write_ova(folder / "app.ova", ovas.Disk(name, data, MIB))
    ended = diskwright("inspect", path, "--output", "json")
    assert ended.code == 10, ended.err
    error = ended.document["results"][0]["error"]
    assert (error["kind"], error["code"]) == ("unsupported", code)


def test_a_package_that_is_cut_within_a_disk_is_broken(diskwright, folder, pair):
    path = folder / "cut.ova"
    path.write_bytes(pair.read_bytes()[: MIB // 2])
    for verb in (["inspect"], ["validate"], ["prepare", "--to", f"dir:{folder / 'no'}"]):
        ended = diskwright(*verb, path)
        assert ended.code == 10
        assert ": broken:" in one_line_and_a_hint(ended)
    assert files_below(folder) == ["cut.ova"]


def test_a_package_without_a_disk_is_called_so(diskwright, folder):
    ended = diskwright("inspect", ovas.write_ova(folder / "no.ova"))
    assert ended.code == 10
    assert "a package without a disk" in one_line_and_a_hint(ended)


def test_another_capacity_than_the_disks_is_a_finding(diskwright, folder):
    disk = replace(ovas.raw("one.img", seed=1), capacity=2 * MIB)
    path = ovas.write_ova(folder / "app.ova", disk)
    (result,) = results(diskwright("validate", "--data", "--output", "json", path))
    (odd,) = [f for f in result["findings"] if f["id"] == "image.oddities"]
    assert odd["result"] == "warn"
    assert "capacity-differs: 1048576 bytes, of which the package says 2097152" in odd["evidence"]


def test_a_package_is_no_format_of_a_disk(diskwright, pair):
    assert diskwright("inspect", "--input-format", "ova", pair).code == 2


def test_convert_takes_the_one_disk_or_the_chosen_one(diskwright, folder, appliance, pair):
    ended = diskwright("convert", pair, folder / "out.raw")
    assert ended.code == 2
    assert "holds 2 disks" in one_line_and_a_hint(ended)
    assert "1 one.img, 2 two.img" in ended.err
    assert files_below(folder) == []
    for number, name in (("1", "one.img"), ("2", "two.img")):
        out = folder / f"{name}.raw"
        ended = diskwright("convert", pair, out, "--disk", number)
        assert ended.code == 0, ended.err
        assert "package      digests verified" in ended.out
        assert out.read_bytes() == (pair.parent / name).read_bytes()
    out = folder / "data.qcow2"
    assert diskwright("convert", appliance, out, "--disk", "2", "--verify").code == 0
    flat = appliance.parent / "data.vmdk.raw"
    assert subprocess.run(["qemu-img", "compare", "-q", flat, out]).returncode == 0


def damaged(package: Path, folder: Path, disk: Path) -> Path:
    """The same package with one bit of that disk changed."""
    path = shutil.copy(package, folder / "damaged.ova")
    content = bytearray(path.read_bytes())
    content[content.index(disk.read_bytes()[:64]) + MIB // 2] ^= 1
    path.write_bytes(content)
    return path


def test_nothing_is_made_of_a_package_whose_digest_differs(diskwright, folder, pair):
    path = damaged(pair, folder, pair.parent / "two.img")
    before = files_below(folder)
    target = f"dir:{folder / 'target'}"
    for arguments in (
        ["convert", path, folder / "out.raw", "--disk", "1"],
        ["prepare", path, "--data", "--to", target],
        ["prepare", path, "--data", "--to", target, "--set"],
        ["prepare", path, "--data", "--to", target, "--dry-run"],
    ):
        ended = diskwright(*arguments, "--output", "json")
        assert ended.code == 10, ended.err
        assert "'two.img' is not what the manifest says" in one_line_and_a_hint(ended)
        error = ended.document["error"]
        assert (error["kind"], error["code"]) == ("broken", "checksum")
        assert files_below(folder) == before
    assert diskwright("inspect", path).code == 0  # which verifies none, and says so


def test_without_a_manifest_it_is_said_that_nothing_was_verified(diskwright, folder):
    path = ovas.write_ova(folder / "app.ova", ovas.raw("one.img", seed=1), manifest=False)
    ended = diskwright("convert", path, folder / "out.raw")
    assert ended.code == 0, ended.err
    assert "package      not verified: a disk has no digest there" in ended.out
    assert "digests      none: it has no manifest" in diskwright("inspect", path).out


def test_the_check_of_a_package_shows_its_progress(diskwright, folder, pair):
    ended = diskwright("convert", pair, folder / "out.raw", "--disk", "1", "--progress")
    assert "check package:" in ended.err
