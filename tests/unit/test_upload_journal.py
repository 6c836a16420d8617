"""The journal of uploads: what it holds is on the disk, and a dead run's entry can be taken."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from diskwright.adapters.journal import FileUploadJournal
from diskwright.errors import Locked, OutputNotWritable
from support.uploading import IMAGE, OTHER, journaled

HEADER = {"v": 1, "target": "dir:/t"}


def path_of(folder, image=IMAGE) -> str:
    return os.path.join(folder, "uploads", f"{image}.json")


def test_an_entry_is_held_while_its_run_lives_and_taken_when_it_is_dead(tmp_path):
    journal = FileUploadJournal(str(tmp_path))
    entry = journal.begin(IMAGE, HEADER)
    entry.record({"event": "part", "number": 2})
    assert list(journal.dead("dir:/t")) == []
    entry.close()
    (dead,) = journal.dead("dir:/t")
    assert (dead.image_id, dead.header) == (IMAGE, HEADER)
    assert journaled(tmp_path) == [{"event": "part", "number": 2}]
    assert list(journal.dead("dir:/t")) == [], "it came locked"
    dead.remove()
    assert list(journal.dead("dir:/t")) == []
    assert not os.path.exists(path_of(tmp_path))


def test_entries_of_other_targets_stay_as_they_are(tmp_path):
    journal = FileUploadJournal(str(tmp_path))
    journal.begin(IMAGE, HEADER).close()
    journal.begin(OTHER, {"v": 1, "target": "s3://b"}).close()
    assert [entry.image_id for entry in journal.dead("s3://b")] == [OTHER]
    assert os.path.exists(path_of(tmp_path))


def test_the_living_are_told_by_target_and_looking_takes_nothing_from_them(tmp_path):
    journal = FileUploadJournal(str(tmp_path))
    assert list(journal.living("dir:/t")) == [], "no folder yet"
    entry = journal.begin(IMAGE, HEADER)
    journal.begin(OTHER, HEADER).close()
    assert list(journal.living("dir:/t")) == [IMAGE]
    assert list(journal.living("dir:/else")) == []
    (dead,) = journal.dead("dir:/t")
    assert dead.image_id == OTHER
    dead.close()
    entry.record({"event": "part", "number": 1})
    entry.close()
    assert list(journal.living("dir:/t")) == []


def test_an_entry_of_a_killed_process_is_dead(tmp_path):
    code = (
        "import sys; from diskwright.adapters.journal import FileUploadJournal\n"
        f"entry = FileUploadJournal({str(tmp_path)!r}).begin({IMAGE!r}, {HEADER!r})\n"
        "print('held', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"held\n"
        journal = FileUploadJournal(str(tmp_path))
        assert list(journal.dead("dir:/t")) == []
        process.kill()
    assert [entry.image_id for entry in journal.dead("dir:/t")] == [IMAGE]


def test_an_entry_cut_short_in_an_event_is_still_one(tmp_path):
    journal = FileUploadJournal(str(tmp_path))
    entry = journal.begin(IMAGE, HEADER)
    entry.record({"event": "a"})
    entry.close()
    os.truncate(path_of(tmp_path), os.path.getsize(path_of(tmp_path)) - 3)
    (dead,) = journal.dead("dir:/t")
    assert (dead.image_id, dead.header) == (IMAGE, HEADER)


def test_an_entry_cut_short_in_its_header_is_removed_as_nothing_was_sent(tmp_path):
    journal = FileUploadJournal(str(tmp_path))
    journal.begin(IMAGE, HEADER).close()
    os.truncate(path_of(tmp_path), 5)
    assert list(journal.dead("dir:/t")) == []
    assert not os.path.exists(path_of(tmp_path))


def test_only_the_owner_may_read_it(tmp_path):
    FileUploadJournal(str(tmp_path / "new")).begin(IMAGE, HEADER)
    assert stat.S_IMODE(os.stat(path_of(tmp_path / "new")).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(tmp_path / "new" / "uploads").st_mode) == 0o700


def test_an_image_id_is_begun_once_and_names_a_file_in_the_folder_only(tmp_path):
    journal = FileUploadJournal(str(tmp_path))
    journal.begin(IMAGE, HEADER).close()
    with pytest.raises(Locked):
        journal.begin(IMAGE, HEADER)
    with pytest.raises(ValueError, match="not an image id"):
        journal.begin("../evil", HEADER)


def test_foreign_files_in_the_folder_are_left_alone(tmp_path):
    journal = FileUploadJournal(str(tmp_path))
    journal.begin(IMAGE, HEADER).close()
    (tmp_path / "uploads" / "notes.json").write_text("{}")
    assert len(list(journal.dead("dir:/t"))) == 1
    assert (tmp_path / "uploads" / "notes.json").exists()


def test_a_folder_that_cannot_be_made_is_an_error_of_ours(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputNotWritable):
        FileUploadJournal(str(tmp_path / "file")).begin(IMAGE, HEADER)


def test_an_entry_takes_no_more_once_it_is_closed(tmp_path):
    entry = FileUploadJournal(str(tmp_path)).begin(IMAGE, HEADER)
    entry.close()
    entry.close()
    with pytest.raises(ValueError, match="closed"):
        entry.record({"event": "late"})
