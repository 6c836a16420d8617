"""The disks of a package (OVA) are prepared: an image each, or as a set that is one image."""

from __future__ import annotations

import json
import signal
import subprocess
from dataclasses import replace

import pytest

from support import ovas
from support.command import Command, Ended, files_below, one_line_and_a_hint
from support.images import qemu_img
from support.kills import Target
from support.stopping import Event, stop

MIB = 1 << 20


@pytest.fixture(params=["dir", pytest.param("s3", marks=pytest.mark.s3)])
def place(request) -> tuple[Command, Target, bool]:
    """The command, and a target of either kind; to the one we seal."""
    if request.param == "dir":
        return request.getfixturevalue("diskwright"), request.getfixturevalue("dir_place"), False
    return request.getfixturevalue("s3"), request.getfixturevalue("s3_place"), True


@pytest.fixture
def key(diskwright, folder) -> list[str]:
    assert diskwright("key", "new", folder / "kek.json").code == 0
    return ["--key", f"local:{folder / 'kek.json'}"]


def results(ended: Ended) -> list[dict]:
    assert ended.code == 0, ended.err
    return ended.document["results"]


def body(target: Target) -> dict:
    (image,) = target.committed()
    return json.loads(target.store.get(f"manifests/{image}.json"))["body"]


def test_each_disk_becomes_an_image_of_its_own(diskwright, dir_place, appliance, folder):
    ended = diskwright("prepare", appliance, "--to", dir_place.url, "--output", "json")
    first, second = results(ended)
    assert [one["disk"] for one in (first, second)] == ["system.qcow2", "data.vmdk"]
    assert [one["made"]["name"] for one in (first, second)] == ["app", "app-2"]
    assert first["import_request"]["path"] == "/v2/cloudimages/action"
    assert second["import_request"]["path"] == "/v1/cloudimages/dataimages/action"
    assert second["import_request"]["body"]["name"] == "app-2"
    assert len(dir_place.committed()) == 2
    out = folder / "data.qcow2"
    restored = diskwright("restore", dir_place.url, out, "--image", "app-2", "--verify")
    assert restored.code == 0, restored.err
    flat = appliance.parent / "data.vmdk.raw"
    assert subprocess.run(["qemu-img", "compare", "-q", flat, out]).returncode == 0


@pytest.mark.parametrize(
    ("given", "wanted"), [([], "pair-2"), (["--name", "mine"], "mine")], ids=["number", "name"]
)
def test_a_chosen_disk_has_its_number_or_the_given_name(diskwright, dir_place, pair, given, wanted):
    options = ["--disk", "2", "--to", dir_place.url, "-O", "raw", "--output", "json"]
    (result,) = results(diskwright("prepare", pair, *options, *given))
    assert result["made"]["name"] == wanted
    assert result["made"]["attributes"]["data_disk"] is True


def test_nothing_is_sent_where_a_further_disk_fails(diskwright, dir_place, folder):
    """All disks are judged first: the second is too large for any data disk image."""
    huge = folder / "huge.qcow2"
    qemu_img("create", "-f", "qcow2", huge, "40T")
    disks = [ovas.raw("one.img", seed=1), ovas.Disk("huge.qcow2", huge.read_bytes(), 40 << 40)]
    path = ovas.write_ova(folder / "app.ova", *disks)
    for options in ([], ["--set"]):
        ended = diskwright(
            "prepare", path, "--data", "--to", dir_place.url, "--output", "json", *options
        )
        assert ended.code == 3, ended.err
        assert f"{path}: huge.qcow2: 1 finding" in one_line_and_a_hint(ended)
        (result,) = ended.document["results"]
        assert (result["disk"], result["ready"]) == ("huge.qcow2", False)
        assert dir_place.everything() == []


def test_a_set_is_one_image_and_every_disk_comes_back(place, pair, folder):
    command, target, sealed = place
    seal = []
    if sealed:
        assert command("key", "new", folder / "kek.json").code == 0
        seal = ["--key", f"local:{folder / 'kek.json'}"]
    options = ["--set", "--data", "-O", "raw", "--to", target.url, "--output", "json", *seal]
    (result,) = results(command("prepare", pair, *options))
    made = result["made"]
    assert [disk["name"] for disk in made["disks"]] == ["one.img", "two.img"]
    ending = ["disk-0.dws", "disk-1.dws"] if sealed else ["pair-0.raw", "pair-1.raw"]
    assert [disk["key"].rsplit("/", 1)[-1] for disk in made["disks"]] == ending
    assert {finding["disk"] for finding in result["findings"]} == {"one.img", "two.img"}
    assert made["package_verified"] is True
    ((image, manifest),) = target.committed().items()
    assert [stored.key for stored in manifest.objects] == [d["key"] for d in made["disks"]]
    assert target.leftovers() == []
    ended = command("restore", target.url, folder / "no", *seal)
    assert ended.code == 2
    assert "1 one.img, 2 two.img" in ended.err
    for number, disk in enumerate(made["disks"], 1):
        out = folder / f"{number}.raw"
        chosen = ["--disk", str(number), "--verify", "--output", "json", *seal]
        (back,) = results(command("restore", target.url, out, *chosen))
        assert back["made"]["digest"] == disk["digest"]
        assert back["made"]["disk"] == disk["name"]
        assert out.read_bytes() == (pair.parent / disk["name"]).read_bytes()
    assert image == made["image"]
    assert not (folder / "no").exists()


def test_a_set_imports_as_a_system_and_a_data_disk_image(diskwright, dir_place, appliance):
    options = ["--set", "--to", dir_place.url, "--output", "json"]
    (result,) = results(diskwright("prepare", appliance, *options))
    system, (data,) = result["import_request"], result["data_import_requests"]
    keys = [disk["key"] for disk in result["made"]["disks"]]
    assert (system["path"], system["body"]["image_url"]) == (
        "/v2/cloudimages/action",
        f"BUCKET:{keys[0]}",
    )
    assert (data["path"], data["body"]["image_url"], data["body"]["name"]) == (
        "/v1/cloudimages/dataimages/action",
        f"BUCKET:{keys[1]}",
        "app-2",
    )
    said = body(dir_place)
    assert said["disks"][0]["about"] is None
    about = said["disks"][1]["about"]
    assert about["image"]["subformat"] == "streamOptimized"
    assert about["attributes"]["data_disk"] is True
    assert {f["id"] for f in about["findings"]} < {f["id"] for f in said["findings"]}


def test_a_sealed_set_is_opened_into_an_import_ready_one(diskwright, folder, pair, key):
    vault = f"dir:{folder / 'vault'}"
    options = ["--set", "--data", "-O", "raw", "--to", vault, *key]
    assert diskwright("prepare", pair, *options).code == 0
    plain = f"dir:{folder / 'plain'}"
    (result,) = results(diskwright("restore", vault, "--to", plain, "--output", "json", *key))
    assert [disk["name"] for disk in result["made"]["disks"]] == ["one.img", "two.img"]
    assert len(result["data_import_requests"]) == 1
    for number, name in ((1, "one.img"), (2, "two.img")):
        out = folder / name
        ended = diskwright("restore", plain, out, "--disk", str(number), "--verify")
        assert ended.code == 0, ended.err
        assert out.read_bytes() == (pair.parent / name).read_bytes()
    assert diskwright("restore", vault, "--to", plain, "--disk", "1", *key).code == 2


def test_a_set_takes_every_disk(diskwright, dir_place, pair):
    ended = diskwright("prepare", pair, "--set", "--disk", "1", "--to", dir_place.url)
    assert ended.code == 2
    assert "leave out --disk, or --set" in ended.err


def test_a_file_with_one_disk_is_a_set_of_one(diskwright, dir_place, tiny_disk):
    options = ["--set", "--data", "-O", "raw", "--to", dir_place.url, "--output", "json"]
    (result,) = results(diskwright("prepare", tiny_disk, *options))
    assert len(result["made"]["disks"]) == 1
    assert "disk" not in result
    assert "data_import_requests" not in result


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
def test_disks_of_a_set_that_changed_places_are_refused(diskwright, folder, pair, key, sealed):
    """Of one size, one format and one data key."""
    target = folder / "target"
    seal = key if sealed else []
    options = ["--set", "--data", "-O", "raw", "--to", f"dir:{target}", *seal]
    assert diskwright("prepare", pair, *options).code == 0
    one, two = sorted((target / "images").glob("*/*"))
    content = one.read_bytes(), two.read_bytes()
    for path, other in ((one, content[1]), (two, content[0])):
        path.chmod(0o600)
        path.write_bytes(other)
    before = files_below(folder)
    ended = diskwright("restore", f"dir:{target}", folder / "out", "--disk", "2", *seal)
    assert ended.code == 12, ended
    said = "another disk" if sealed else "does not have its digest"
    assert said in one_line_and_a_hint(ended)
    ended = diskwright("restore", f"dir:{target}", "--to", f"dir:{folder / 'other'}", *seal)
    assert ended.code == 12
    assert [name for name in files_below(folder) if not name.startswith("other")] == before
    assert [path for path in (folder / "other").rglob("*") if path.is_file()] == []


def test_a_waiver_that_one_disk_needs_is_not_idle(diskwright, dir_place, folder):
    odd = replace(ovas.raw("one.img", seed=1), capacity=2 * MIB)
    path = ovas.write_ova(folder / "app.ova", odd, ovas.raw("two.img", seed=2))
    waiver = ["--accept", "image.oddities", "--reason", "its maker rounds"]
    for verb in (["validate"], ["prepare", "--set", "-O", "raw", "--to", dir_place.url]):
        ended = diskwright(*verb, path, "--data", *waiver)
        assert (ended.code, ended.err) == (0, "")
    said = body(dir_place)
    assert [entry["id"] for entry in said["accepted"]] == ["image.oddities"]
    assert said["disks"][1]["about"]["accepted"] == []


def test_what_a_killed_run_left_of_a_set_goes_with_the_next(diskwright, dir_place, folder, pair):
    """Killed between the disks: an object is complete, and the second may have an open upload."""
    disks = [ovas.raw(f"{n}.img", seed=n, size=24 * MIB) for n in (1, 2)]
    path = ovas.write_ova(folder / "big.ova", *disks)
    options = ["--set", "--data", "-O", "raw", "--to", dir_place.url]
    stopped = stop(diskwright, ["prepare", path, *options], Event("complete"), signal.SIGKILL)
    assert stopped.in_time
    assert dir_place.committed() == {}
    assert dir_place.leftovers() != []
    assert diskwright("prepare", pair, *options).code == 0
    assert dir_place.leftovers() == []
    assert len(dir_place.committed()) == 1
