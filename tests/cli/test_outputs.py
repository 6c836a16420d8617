"""What --subformat and --size-multiple say and refuse: never taken and then ignored."""

from __future__ import annotations

import pytest

from support.command import FIXTURE, Command, files_below, one_line_and_a_hint


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["out.vhd", "--subformat", "static"], "vhd has no subformat 'static'"),
        (["out.vmdk", "--subformat", "fixed"], "vmdk has no subformat 'fixed'"),
        (["out.raw", "--subformat", "fixed"], "raw has no subformats"),
        (["out.qcow2", "--subformat", "dynamic"], "qcow2 has no subformats"),
        (["out.qed", "--subformat", "dynamic"], "qed has no subformats"),
        (["out.vhd", "--compress"], "vhd takes no --compress"),
        (["out.vhd", "--size-multiple", "1000KiB"], "dynamic vhd is written by qemu-img"),
        (["out.vmdk", "--size-multiple", "1000KiB"], "streamOptimized vmdk is written by qemu-img"),
        (["out.qed", "--size-multiple", "1000KiB"], "qed is written by qemu-img"),
        (["out.raw", "--size-multiple", "1000B"], "no multiple of 1000 bytes"),
        (["out.raw", "--size-multiple", "0KiB"], "no multiple of 0 bytes"),
    ],
)
def test_what_a_format_has_not_is_refused_before_anything_is_written(
    diskwright, folder, arguments, said
):
    out, *options = arguments
    ended = diskwright("convert", FIXTURE, folder / out, *options)
    assert ended.code == 2
    assert said in one_line_and_a_hint(ended)
    assert files_below(folder) == []


def test_a_wrong_subformat_is_answered_with_those_there_are(diskwright, folder):
    ended = diskwright("convert", FIXTURE, folder / "out.vhd", "--subformat", "x")
    assert "--subformat dynamic and --subformat fixed" in ended.err


def test_rounding_up_is_said_with_both_digests_and_of_the_partition_table(diskwright, folder):
    arguments = ["convert", FIXTURE, folder / "out.vhd", "--subformat", "fixed", "--verify"]
    ended = diskwright(*arguments, "--size-multiple", "1000MiB")
    assert ended.code == 0, ended.err
    lines = dict(line.split(None, 1) for line in ended.out.splitlines())
    assert lines["format"].startswith("vhd, fixed, ")
    assert lines["rounded"] == "from 1073741824 bytes up to 2097152000, by zeros at its end"
    assert "sgdisk -e" in lines["gpt"]
    plain = diskwright("convert", FIXTURE, folder / "out.vhd", *arguments[3:], "--force")
    assert f"dw1:{lines['source'].partition(':')[2]}\n" in plain.out
    for word in ("rounded", "sgdisk", lines["disk"]):
        assert word not in plain.out


@pytest.mark.parametrize(
    ("arguments", "made"),
    [
        (["out", "--profile", "azure"], ("vhd", "fixed", False)),
        (["out.vhd", "--profile", "azure"], ("vhd", "fixed", False)),
        (["out.vhd", "--profile", "azure", "--subformat", "dynamic"], ("vhd", "dynamic", False)),
        (["out.raw", "--profile", "azure"], ("raw", "", False)),
        (["out", "--profile", "huawei-ims"], ("qcow2", "", True)),
        (["out.vmdk", "--profile", "huawei-ims"], ("vmdk", "streamOptimized", False)),
        (["out.vhd"], ("vhd", "dynamic", False)),
        (["out"], ("qcow2", "", False)),
    ],
)
def test_what_is_not_said_is_as_the_profile_prefers_it(diskwright, folder, arguments, made):
    out, *options = arguments
    document = diskwright("convert", FIXTURE, folder / out, *options, "--output", "json").document
    found = document["results"][0]["made"]
    assert (found["format"], found["subformat"], found["compressed"]) == made


def test_a_profile_s_units_hold_in_another_format_too(diskwright, folder):
    with (folder / "odd.raw").open("wb") as file:
        file.truncate((1 << 20) + 512)
    arguments = ["convert", folder / "odd.raw", folder / "out.qcow2", "--output", "json"]
    made = diskwright(*arguments, "--profile", "azure").document["results"][0]["made"]
    assert (made["format"], made["virtual_size"]) == ("qcow2", 2 << 20)
    settled = Command(diskwright.home, DISKWRIGHT_PROFILE="azure")
    made = settled(*arguments, "--force").document["results"][0]["made"]
    assert made["virtual_size"] == (1 << 20) + 512  # the settings' target is for its own verbs


def test_an_unknown_profile_is_answered_with_those_there_are(diskwright, folder):
    ended = diskwright("convert", FIXTURE, folder / "out.vhd", "--profile", "x")
    assert ended.code == 2
    assert "there is no profile x" in one_line_and_a_hint(ended)
    assert "azure, gcp, huawei-ims" in ended.err
    assert files_below(folder) == []


def test_an_object_for_another_service_ends_without_huawei_s_request(diskwright, folder):
    whole = folder / "whole.vhd"
    assert diskwright("convert", FIXTURE, whole, "--profile", "azure").code == 0
    arguments = ["prepare", whole, "--to", f"dir:{folder / 'T'}", "--name", "web"]
    ended = diskwright(*arguments, "--profile", "azure")
    assert ended.code == 0, ended.err
    assert "vhd" in ended.out
    assert "profile azure" in ended.out.splitlines()[-1]
    assert "cloudimages" not in ended.out
    opened = diskwright("restore", f"dir:{folder / 'T'}", "--to", f"dir:{folder / 'U'}")
    assert opened.code == 0, opened.err
    assert "cloudimages" not in opened.out


@pytest.mark.parametrize("out", ["out.vhd", "out.vdi", "out.vmdk"])
def test_a_disk_too_large_for_a_format_is_refused_before_anything_is_written(
    diskwright, folder, out
):
    with (folder / "large.raw").open("wb") as file:
        file.truncate(3 << 40)
    ended = diskwright("convert", folder / "large.raw", folder / out)
    assert ended.code == 2
    assert "3298534883328 bytes is too large" in one_line_and_a_hint(ended)
    assert files_below(folder) == ["large.raw"]
