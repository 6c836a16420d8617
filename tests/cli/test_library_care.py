"""The care of a library by command line, in a folder and in a bucket of a real S3 server."""

from __future__ import annotations

import pytest

from support.care import small_disk
from support.command import one_line_and_a_hint


@pytest.fixture(params=["dir", pytest.param("s3", marks=pytest.mark.s3)])
def run(request, folder):
    """The command at a library with two data disk images of the channel `stable`."""
    command = request.getfixturevalue("diskwright" if request.param == "dir" else "s3")
    command.url = str(folder / "library") if request.param == "dir" else command.target
    assert command("library", "init", "care", command.url).code == 0
    for number in (1, 2):
        disk = small_disk(folder / f"web-{number}.raw", seed=number)
        options = ["--data", "--channel", "stable", "--from-file", disk, "--name", f"web-{number}"]
        made = command("image", "create", *options)
        assert made.code == 0, made.err
    return command


def result(ended) -> dict:
    assert ended.code == 0, ended.err
    (found,) = ended.document["results"]
    assert found["error"] is None
    return found


def test_the_whole_way(run):
    assert "nothing is damaged" in run("library", "check", "--read-data").out
    kept = result(
        run("library", "prune", "--keep", "1", "--channel", "stable", "--yes", "--output", "json")
    )
    assert [one["goes"] for one in kept["pruned"]["versions"]] == [False, False]
    proven = run("image", "prove", "web-2")
    assert "read back and found whole" in proven.out, proven.err
    prune = ["library", "prune", "--keep", "1", "--channel", "stable"]
    assert "would delete web-1" in run(*prune, "--dry-run").out
    asked = run(*prune)
    assert asked.code == 2
    assert "--yes" in asked.err
    assert "deleted web-1" in run(*prune, "--yes").out
    assert run("image", "undelete", "web-1").code == 0
    several = run("image", "delete", "web-1", "nobody", "web-2", "--yes", "--output", "json")
    assert several.code == 14
    errors = [one["error"] and one["error"]["code"] for one in several.document["results"]]
    assert sorted(map(str, errors)) == ["None", "None", "image-not-found"]
    assert "in the trash since" in run("library", "gc", "--yes").out
    gone = result(run("library", "gc", "--grace", "0m", "--yes", "--output", "json"))
    assert [one["name"] for one in gone["collected"]["purged"]] == ["web-1", "web-2"]
    found = result(run("library", "check", "--output", "json"))
    assert (found["checked"]["images"], found["checked"]["issues"], found["sound"]) == (0, [], True)
    assert result(run("library", "sync", "--output", "json"))["sound"]


def test_what_is_damaged_has_its_exit_code(diskwright, folder):
    assert diskwright("library", "init", "care", folder / "library").code == 0
    disk = small_disk(folder / "web.raw")
    assert diskwright("image", "create", "--data", "--from-file", disk).code == 0
    assert diskwright("library", "check").code == 0
    (stored,) = (folder / "library" / "images").glob("*/*")
    stored.write_bytes(stored.read_bytes()[:-1])
    ended = diskwright("library", "check")
    assert ended.code == 12
    assert "damaged: images/" in ended.out
    stored.unlink()
    ended = diskwright("library", "check", "--output", "json")
    assert ended.code == 12
    (found,) = ended.document["results"]
    assert [one["fault"] for one in found["checked"]["issues"]] == ["missing"]
    assert (found["sound"], found["error"], ended.document["error"]) == (False, None, None)
    assert "error" in diskwright("image", "list").out
    assert diskwright("image", "prove", "web").code != 0


def test_no_terminal_no_deletion(diskwright, folder):
    assert diskwright("library", "init", "care", folder / "library").code == 0
    for command in (["image", "delete", "web"], ["library", "gc"]):
        ended = diskwright(*command)
        assert ended.code == 2
        one_line_and_a_hint(ended)
        assert "--dry-run" in ended.err
