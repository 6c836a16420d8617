"""validate of many images and folders: a line each, in order, one bad one stops no other."""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter

import pytest

from support.command import FIXTURE, Command
from support.stopping import command_lines, stop


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """What is said of the good disk: how many rules apply to it is not told here."""
    diskwright = Command(tmp_path_factory.mktemp("home"))
    (result,) = diskwright("validate", FIXTURE, "--output", "json").document["results"]
    count = Counter(finding["result"] for finding in result["findings"])
    assert set(count) == {"pass", "skip"}
    return f"ready for huawei-ims: {count['pass']} pass, {count['skip']} skip"


@pytest.fixture
def some(folder):
    """Two good images, one in a folder below; and three files that are none, by their bytes."""
    (folder / "more").mkdir()
    shutil.copyfile(FIXTURE, folder / "good.qcow2")
    shutil.copyfile(FIXTURE, folder / "more" / "good.qcow2")
    (folder / "empty.qcow2").touch()
    (folder / "zeros.raw").write_bytes(bytes(1 << 20))
    (folder / "notes.txt").write_text("no image")
    return folder


def test_a_folder_gets_a_line_for_each_image_and_a_summary(diskwright, some, ready):
    ended = diskwright("validate", ".", cwd=some)
    lines = ended.out.splitlines()
    assert lines[0] == "./empty.qcow2: not judged: broken [too-short]"
    assert lines[1] == f"./good.qcow2: {ready}"
    assert lines[2] == f"./more/good.qcow2: {ready}"
    assert lines[3].startswith("./zeros.raw: not ready for huawei-ims: ")
    assert "disk.one-system-disk" in lines[3]
    assert lines[4] == "4 images: 2 ready, 1 not ready, 1 not judged"
    assert lines[5].startswith("what to do: diskwright validate IMAGE")
    assert len(lines) == 6
    assert ended.code == 10  # the highest of 10 to 15, else 3
    assert ended.err.count("hint: ") == 1


@pytest.mark.parametrize("jobs", ["1", "2", "7"])
def test_results_keep_the_order_of_the_arguments(diskwright, some, jobs):
    names = ["zeros.raw", "more", "nothing.raw", "good.qcow2", "empty.qcow2"]
    ended = diskwright("validate", "--jobs", jobs, "--output", "json", *names, cwd=some)
    shown = [result["image"] for result in ended.document["results"]]
    assert shown == [name.replace("more", "more/good.qcow2") for name in names]
    ready = [result["ready"] for result in ended.document["results"]]
    assert ready == [False, True, False, True, False]
    errors = [result["error"] and result["error"]["code"] for result in ended.document["results"]]
    assert errors == [None, None, "input-missing", None, "too-short"]


def test_failures_alone_are_exit_code_3_and_good_ones_0(diskwright, some):
    assert diskwright("validate", "zeros.raw", "good.qcow2", cwd=some).code == 3
    ended = diskwright("validate", "more", "good.qcow2", cwd=some)
    assert ended.code == 0
    assert ended.out.splitlines()[-1] == "2 images: 2 ready"


def test_one_image_is_told_whole_and_a_folder_of_one_is_a_folder(diskwright, some, ready):
    told = diskwright("validate", "good.qcow2", cwd=some).out.splitlines()
    assert told[0].startswith("PASS    ")
    assert told[-1] == f"good.qcow2: {ready}"
    assert diskwright("validate", "more", cwd=some).out.splitlines() == [
        f"more/good.qcow2: {ready}",
        "1 image: 1 ready",
    ]


def test_a_folder_without_images_is_told_and_the_others_go_on(diskwright, some, ready):
    (some / "none").mkdir()
    ended = diskwright("validate", "none", "good.qcow2", cwd=some)
    assert ended.code == 10
    assert "none: no image files in it" in ended.err
    assert f"good.qcow2: {ready}" in ended.out


def test_an_idle_waiver_is_remarked_once(diskwright, some):
    waiver = ["--accept", "image.size", "--reason", "small"]
    ended = diskwright("validate", "more", "good.qcow2", *waiver, cwd=some)
    assert ended.err.count("nothing to accept") == 1
    used = diskwright("validate", "zeros.raw", "good.qcow2", *waiver, cwd=some)
    assert "nothing to accept" not in used.err


def test_a_wrong_waiver_is_told_before_anything_is_read(diskwright, some):
    ended = diskwright("validate", "more", "--accept", "no.such", "--reason", "x", cwd=some)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.count("no rule has that id") == 1


def test_what_is_accepted_ends_on_its_day(diskwright, some):
    def validated(day):
        waiver = ["--accept", "image.size", "--reason", "lab", "--until", day]
        return diskwright("validate", "zeros.raw", *waiver, cwd=some)

    before, after = validated("2999-12-31"), validated("2020-01-01")
    assert "accepted: until 2999-12-31: lab" in before.out
    assert "was accepted until 2020-01-01: lab" in after.out
    assert "; 1 accepted" in before.out
    assert "; 1 accepted" not in after.out
    assert "nothing to accept" not in after.err


def test_a_reader_that_goes_away_is_no_bug(diskwright, some):
    """As `diskwright validate . | head -1`: it has read what it wanted."""
    reading, writing = os.pipe()
    process = diskwright.start("validate", ".", cwd=some, stdout=writing)
    os.close(writing)
    os.close(reading)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 141
    assert "bug" not in err


def test_a_profile_s_own_acceptances_are_told_and_count(diskwright, some):
    (some / "mine.toml").write_text(
        'extends = "huawei-ims"\n[[accept]]\nid = "image.size"\nreason = "tiny test disks"\n'
    )
    mine = diskwright("validate", "zeros.raw", "--profile", "./mine.toml", cwd=some)
    theirs = diskwright("validate", "zeros.raw", cwd=some)
    assert "accepted: tiny test disks" in mine.out
    assert "accepted: " not in theirs.out
    assert "nothing to accept" not in mine.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_all_children(diskwright, folder, number):
    for index in range(12):
        shutil.copyfile(FIXTURE, folder / f"{index}.qcow2")

    def two_at_work(process, command, begun):
        lines = command_lines(process.pid).values()
        return len([line for line in lines if "qemu-nbd" in line]) >= 2

    stopped = stop(diskwright, ["validate", folder, "--jobs", "4"], two_at_work, number)
    assert stopped.in_time, "it ended before it was asked to"
    assert stopped.ended.code == 128 + number, stopped.ended
    assert "cancelled; nothing was left behind" in stopped.ended.err
    assert "images:" not in stopped.ended.out
    assert stopped.took_s < 5
