"""What a newcomer types first: each answer says what is the matter, and leaves nothing behind."""

from __future__ import annotations

from support.command import FIXTURE, files_below, one_line_and_a_hint


def test_a_folder_is_no_name_for_an_output(diskwright, folder):
    (folder / "dd").mkdir()
    ended = diskwright("convert", FIXTURE, f"{folder}/dd/")
    assert ended.code == 15
    assert "it is a directory" in one_line_and_a_hint(ended)
    assert "name a file in it" in ended.err


def test_a_probe_leaves_no_folder_that_it_made(diskwright, folder):
    assert diskwright("doctor", "--to", f"dir:{folder}/none/x").code == 0
    assert files_below(folder) == []
    (folder / "there").mkdir()
    assert diskwright("doctor", "--to", f"dir:{folder}/there/x").code == 0
    assert files_below(folder) == ["there"]


def test_uploads_of_a_folder_that_is_not_there(diskwright, folder):
    for verb in (["list"], ["abort", "--dry-run"]):
        ended = diskwright("uploads", *verb, "--to", f"dir:{folder}/none")
        assert ended.code == 10
        assert "no such folder" in one_line_and_a_hint(ended)


def test_an_empty_name_is_a_mistake_of_usage(diskwright):
    ended = diskwright("inspect", "")
    assert ended.code == 2
    assert "is empty" in ended.err


def test_a_rehearsal_says_what_would_be_made(diskwright, folder):
    ended = diskwright("prepare", FIXTURE, "--to", f"dir:{folder}/out", "--dry-run")
    assert ended.code == 0, ended.err
    assert "plan         an import-ready image; nothing was sent (--dry-run)" in ended.out
    assert files_below(folder) == []
