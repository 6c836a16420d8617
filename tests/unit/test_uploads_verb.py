"""uploads: each is told as whose it is, and nothing that a living run needs is ended."""

from __future__ import annotations

import pytest

from diskwright.adapters.directory import DirectoryStore
from diskwright.adapters.journal import FileUploadJournal
from diskwright.errors import Locked, RemoteUnable, RemoteUnreachable
from diskwright.model.manifest import ABORTED, encode
from diskwright.model.names import manifest_key
from diskwright.model.stored import OpenUpload
from diskwright.model.uploads import Owner, UploadChoice
from diskwright.ops.cleanup import journal_target
from diskwright.ops.uploads import abort_uploads, list_uploads
from diskwright.report.uploads import aborted_uploads_text, listed_uploads_text
from support.memory_store import MemoryStore
from support.uploading import IMAGE, OTHER, manifest

FOREIGN = "01890a5d-ac96-774b-bcce-b302099a8059"
DAY = 86400
NOW = 1_800_000_000
ALL = UploadChoice(older_than_s=0)


class DatedStore(MemoryStore):
    """A MemoryStore that says when an upload was begun."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: dict[str, int] = {}

    def list_uploads(self, prefix):
        for upload in super().list_uploads(prefix):
            yield OpenUpload(upload.key, upload.upload_id, self.begun.get(upload.upload_id))


@pytest.fixture
def store():
    return DatedStore()


@pytest.fixture
def journal(tmp_path):
    return FileUploadJournal(str(tmp_path / "state"))


@pytest.fixture
def opened(store, journal):
    """An upload of a living run, of a dead one, of another machine's and of another program."""
    header = {"v": 1, "target": journal_target(store)}
    living = journal.begin(IMAGE, header)
    journal.begin(OTHER, header).close()
    keys = {
        "living": f"images/{IMAGE}/disk-0.raw",
        "dead": f"images/{OTHER}/disk-0.raw",
        "foreign": f"images/{FOREIGN}/disk-0.raw",
        "program": "backup.tar",
    }
    for number, key in enumerate(keys.values()):
        store.begun[store.create_upload(key, part_size=5)] = NOW - number * DAY
    yield keys
    living.close()


def left(store):
    return {upload.key for upload in store.list_uploads("")}


def test_each_is_told_as_whose_it_is(store, journal, opened):
    found = list_uploads(store, journal)
    assert {upload.key: upload.owner for upload in found.uploads} == {
        opened["living"]: Owner.LIVING,
        opened["dead"]: Owner.DEAD,
        opened["foreign"]: Owner.UNKNOWN,
        opened["program"]: Owner.UNKNOWN,
    }
    assert {upload.image for upload in found.uploads} == {IMAGE, OTHER, FOREIGN, None}
    assert [u.begun for u in found.uploads if u.key == "backup.tar"] == ["2027-01-12T08:00:00Z"]
    assert found.dead_runs == (OTHER,)
    text = listed_uploads_text(found)
    assert "of a run that goes on here" in text
    assert f"uploads abort --to {store.url}" in text


def test_looking_changes_nothing(store, journal, opened):
    before = (dict(store.uploads), list_uploads(store, journal))
    made = abort_uploads(store, journal, UploadChoice(), now=NOW, dry_run=True)
    assert [upload.key for upload in made.aborted] == [opened["dead"]]
    assert made.cleaned == (OTHER,)
    assert "would" in aborted_uploads_text(made)
    assert (dict(store.uploads), list_uploads(store, journal)) == before


def test_without_a_choice_dead_runs_are_cleaned_up_whole(store, journal, opened):
    store.put(opened["dead"] + "2", b"an object that was complete already")
    made = abort_uploads(store, journal, UploadChoice(), now=NOW, dry_run=False)
    assert made.cleaned == (OTHER,)
    assert [upload.key for upload in made.aborted] == [opened["dead"]]
    assert left(store) == {opened["living"], opened["foreign"], opened["program"]}
    assert store.objects == {manifest_key(OTHER): ABORTED}
    assert list_uploads(store, journal).dead_runs == ()


def test_a_dead_run_that_had_committed_keeps_its_image(store, journal, opened):
    store.put(f"images/{OTHER}/whole", b"data")
    store.put(manifest_key(OTHER), encode(manifest(image=OTHER)))
    made = abort_uploads(store, journal, UploadChoice(), now=NOW, dry_run=False)
    assert (made.cleaned, made.committed) == ((), (OTHER,))
    assert f"images/{OTHER}/whole" in store.objects
    assert "had ended well" in aborted_uploads_text(made)


@pytest.mark.parametrize("by", ["image", "key"])
def test_a_foreign_upload_is_ended_when_it_is_named(store, journal, opened, by):
    choice = UploadChoice(**{by: {"image": FOREIGN, "key": opened["foreign"]}[by]})
    made = abort_uploads(store, journal, choice, now=NOW, dry_run=False)
    assert [upload.key for upload in made.aborted] == [opened["foreign"]]
    assert left(store) == {opened["living"], opened["dead"], opened["program"]}


@pytest.mark.parametrize("by", ["image", "key"])
@pytest.mark.parametrize("dry_run", [True, False])
def test_one_of_a_living_run_is_refused_when_it_is_named(store, journal, opened, by, dry_run):
    choice = UploadChoice(**{by: {"image": IMAGE, "key": opened["living"]}[by]})
    with pytest.raises(Locked):
        abort_uploads(store, journal, choice, now=NOW, dry_run=dry_run)
    assert len(left(store)) == 4


def test_by_age_the_living_stay_and_so_does_what_is_younger(store, journal, opened):
    choice = UploadChoice(older_than_s=2 * DAY)
    made = abort_uploads(store, journal, choice, now=NOW + 1, dry_run=False)
    assert left(store) == {opened["living"], opened["dead"]}
    assert len(made.kept) == 2
    abort_uploads(store, journal, ALL, now=NOW + 1, dry_run=False)
    assert left(store) == {opened["living"]}
    assert list_uploads(store, journal).dead_runs == ()


def test_one_whose_age_is_not_known_is_older_than_nothing(store, journal):
    store.create_upload("k", part_size=5)
    made = abort_uploads(store, journal, ALL, now=NOW, dry_run=False)
    assert (made.aborted, left(store)) == ((), {"k"})


def test_a_dead_run_of_another_target_stays_as_it_is(store, journal):
    journal.begin(OTHER, {"v": 1, "target": "dir:/else"}).close()
    assert list_uploads(store, journal).dead_runs == ()
    abort_uploads(store, journal, UploadChoice(), now=NOW, dry_run=False)
    assert [entry.image_id for entry in journal.dead("dir:/else")] == [OTHER]


def test_an_upload_that_comes_back_is_ended_again_and_one_that_stays_is_an_error(store, journal):
    upload_id = store.create_upload("k", part_size=5)
    seen = []

    def back(name, number):
        if name == "abort_upload":
            seen.append(number)
            if len(seen) < limit:
                store.uploads[upload_id] = ("k", {})

    store.after = back
    limit = 3
    abort_uploads(store, journal, UploadChoice(key="k"), now=NOW, dry_run=False)
    assert left(store) == set()
    limit = 1000
    store.uploads[upload_id] = ("k", {})
    with pytest.raises(RemoteUnable):
        abort_uploads(store, journal, UploadChoice(key="k"), now=NOW, dry_run=False)


def test_what_a_store_refuses_is_an_error_and_the_journal_keeps_the_run(store, journal, opened):
    def refuse(name, number):
        if name == "abort_upload":
            raise RemoteUnreachable("memory:", "gone")

    store.before = refuse
    with pytest.raises(RemoteUnreachable):
        abort_uploads(store, journal, UploadChoice(), now=NOW, dry_run=False)
    store.before = lambda name, number: None
    assert list_uploads(store, journal).dead_runs == (OTHER,)


def test_a_folders_uploads_have_a_time(tmp_path, journal):
    store = DirectoryStore(str(tmp_path / "target"))
    store.create_upload("images/x", part_size=5)
    (found,) = list_uploads(store, journal).uploads
    assert found.begun is not None
    abort_uploads(store, journal, ALL, now=4_000_000_000, dry_run=False)
    assert list(store.list_uploads("")) == []


def test_names_from_the_store_move_no_cursor(store, journal):
    store.create_upload("evil\x1b[2Jkey\n", part_size=5)
    assert "\x1b" not in listed_uploads_text(list_uploads(store, journal))
    assert listed_uploads_text(list_uploads(store, journal)).count("\n") == 0
