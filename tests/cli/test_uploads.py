"""`uploads list` and `uploads abort` on a real server and a folder, after a run was killed."""

from __future__ import annotations

import os
import pty

import pytest

from diskwright.adapters.journal import FileUploadJournal
from diskwright.ops.cleanup import journal_target
from support.command import one_line_and_a_hint
from support.uploading import IMAGE, OTHER

KEY = f"images/{OTHER}/web-0.qcow2"


@pytest.fixture(params=["s3", "dir"])
def place(request):
    """The command, and a target with an upload of a living run, of a dead one and a foreign one."""
    name = {"s3": "s3_place", "dir": "dir_place"}[request.param]
    target = request.getfixturevalue(name)
    command = request.getfixturevalue("s3" if request.param == "s3" else "diskwright")
    journal = FileUploadJournal(str(command.home / "state" / "diskwright"))
    header = {"v": 1, "target": journal_target(target.store)}
    living = journal.begin(IMAGE, header)
    journal.begin(OTHER, header).close()
    for key in (f"images/{IMAGE}/disk-0.dws", KEY, "foreign/key"):
        target.store.create_upload(key, part_size=5 << 20)
    yield command, target
    living.close()
    for upload in list(target.store.list_uploads("")):
        target.store.abort_upload(upload.key, upload.upload_id)


def open_keys(target):
    return sorted(upload.key for upload in target.store.list_uploads(""))


def test_they_are_listed_with_whose_they_are_and_only_the_dead_ones_go(place):
    command, target = place
    ended = command("uploads", "list", "--to", target.url)
    assert ended.code == 0, ended.err
    assert len(ended.out.splitlines()) == 4
    assert "of a dead run of here" in ended.out
    ended = command("uploads", "list", "--to", target.url, "--output", "json")
    made = ended.document["results"][0]["made"]
    owners = {upload["key"]: upload["owner"] for upload in made["uploads"]}
    assert owners == {
        f"images/{IMAGE}/disk-0.dws": "living",
        KEY: "dead",
        "foreign/key": "unknown",
    }
    assert made["dead_runs"] == [OTHER]
    assert all(upload["begun"].endswith("Z") for upload in made["uploads"])

    ended = command("uploads", "abort", "--to", target.url, "--dry-run")
    assert (ended.code, "would abort" in ended.out) == (0, True), ended.err
    assert len(open_keys(target)) == 3
    ended = command("uploads", "abort", "--to", target.url, "--yes")
    assert ended.code == 0, ended.err
    assert f"cleaned dead run {OTHER}" in ended.out
    assert "kept 2 open upload(s), 1 of them of runs that go on here" in ended.out
    assert open_keys(target) == ["foreign/key", f"images/{IMAGE}/disk-0.dws"]

    ended = command("uploads", "abort", "--to", target.url, "--key", "foreign/key", "--yes")
    assert ended.code == 0, ended.err
    ended = command("uploads", "abort", "--to", target.url, "--image", IMAGE, "--yes")
    assert ended.code == 14
    assert "in use" in one_line_and_a_hint(ended)
    assert open_keys(target) == [f"images/{IMAGE}/disk-0.dws"]
    ended = command("uploads", "abort", "--to", target.url, "--older-than", "1d", "--yes")
    assert (ended.code, "nothing to abort" in ended.out) == (0, True)


@pytest.mark.parametrize(("word", "code"), [(b"n\n", 130), (b"y\n", 0)])
def test_on_a_terminal_it_asks(dir_place, diskwright, word, code):
    dir_place.store.create_upload("k", part_size=5)
    ours, theirs = pty.openpty()
    try:
        os.write(ours, word)
        arguments = ["uploads", "abort", "--to", dir_place.url, "--key", "k"]
        ended = diskwright(*arguments, stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)
    assert "Abort them?" in ended.err
    assert ended.code == code, ended.err
    assert open_keys(dir_place) == ([] if code == 0 else ["k"])


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--key", "k"], "no terminal"),
        (["--key", "k", "--image", IMAGE, "--yes"], "one way"),
        (["--key", "k", "--dead", "--yes"], "one way"),
        (["--key", "", "--yes"], "is empty"),
        (["--older-than", "7", "--yes"], "not an age"),
    ],
)
def test_what_is_not_clear_is_refused(dir_place, diskwright, arguments, word):
    dir_place.store.create_upload("k", part_size=5)
    ended = diskwright("uploads", "abort", "--to", dir_place.url, *arguments)
    assert ended.code == 2
    assert word in one_line_and_a_hint(ended)
    assert open_keys(dir_place) == ["k"]


def test_a_target_is_needed_and_must_be_there(s3):
    for verb in ("list", "abort"):
        ended = s3("uploads", verb, *(["--yes"] if verb == "abort" else []))
        assert ended.code == 2
        ended = s3(
            "uploads", verb, "--to", "s3://there-is-none", *(["--yes"] if verb == "abort" else [])
        )
        assert ended.code == 13
        assert "no bucket" in one_line_and_a_hint(ended)
