"""validate --explain: a rule told without an image, or those that may have been meant."""

from __future__ import annotations

from support.command import one_line_and_a_hint


def test_a_rule_is_explained(diskwright):
    ended = diskwright("validate", "--explain", "boot.grub-root-device-name")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == "rule         boot.grub-root-device-name"
    assert lines[3] == "a breach is  fail for huawei-ims, high severity"
    remedy = lines[lines.index("remedy") + 1 :]
    for family in ("  # Debian, Ubuntu:", "  # RHEL, Rocky, Fedora:", "  # SUSE:"):
        assert family in remedy
    assert "  update-grub" in remedy


def test_as_a_document(diskwright):
    ended = diskwright("validate", "--explain", "image.size", "--output", "json")
    (result,) = ended.document["results"]
    assert result["image"] is None
    assert result["rule"]["id"] == "image.size"
    assert result["rule"]["remedy"]


def test_an_unknown_one_names_near_ones(diskwright):
    ended = diskwright("validate", "--explain", "boot.fstab-device")
    assert (ended.code, ended.out) == (2, "")
    assert "no rule has that id" in one_line_and_a_hint(ended)
    assert "perhaps boot.fstab-device-name" in ended.err


def test_no_image_is_read_with_it_and_one_is_needed_without(diskwright):
    ended = diskwright("validate", "--explain", "boot.mode", "disk.qcow2")
    assert ended.code == 2
    assert "leave the images out" in one_line_and_a_hint(ended)
    nothing = diskwright("validate")
    assert nothing.code == 2
    assert "IMAGE|FOLDER" in one_line_and_a_hint(nothing)
    assert "see diskwright validate --help" in nothing.err


def test_an_unknown_profile_is_told(diskwright):
    ended = diskwright("validate", "--explain", "boot.mode", "--profile", "none-such")
    assert ended.code == 2
    assert "none-such" in one_line_and_a_hint(ended)
