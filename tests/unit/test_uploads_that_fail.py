"""Whichever call fails, is interrupted or loses its answer: one whole image, or nothing."""

from __future__ import annotations

import threading

import pytest

from diskwright.adapters.journal import FileUploadJournal
from diskwright.errors import Cancelled, RemoteRefused, RemoteUnable, RemoteUnreachable
from diskwright.model.manifest import ABORTED, encode
from diskwright.model.stored import Chunk
from diskwright.ops.sink import MultipartSink
from diskwright.ops.upload import StoreDestination, sweep_dead_runs
from support.memory_store import MemoryStore
from support.uploading import (
    IMAGE,
    KEY,
    CancelAt,
    assembled,
    files_under,
    journaled,
    layout,
    manifest,
)

PART = 64 << 10
CHUNKS = [Chunk(n * PART, bytes([n + 1]) * PART) for n in range(3)] + [Chunk(3 * PART, b"end")]
MANIFEST = f"manifests/{IMAGE}.json"


def upload(store, journal, **options):
    with StoreDestination(store, journal, image_id=IMAGE, workers=1, **options) as destination:
        sink = destination.sink(KEY, layout(PART))
        for chunk in CHUNKS:
            sink.write(chunk)
        destination.commit(manifest(sink.finish()))


def check_whole_or_absent(store):
    if store.objects.get(MANIFEST, ABORTED) != ABORTED:
        assert store.objects[KEY] == assembled(CHUNKS)
    else:
        assert KEY not in store.objects
    assert store.uploads == {}


def calls_of_a_good_run(tmp_path) -> int:
    store = MemoryStore()
    upload(store, FileUploadJournal(str(tmp_path / "good")))
    return len(store.calls)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("error", [RemoteUnreachable("memory:", "test"), KeyboardInterrupt()])
def test_a_failure_at_any_call_leaves_a_whole_image_or_nothing(tmp_path, when, error):
    for number in range(1, calls_of_a_good_run(tmp_path) + 1):
        store, journal = MemoryStore(), FileUploadJournal(str(tmp_path / "state"))

        def fail(name, at, wanted=number):
            if at == wanted:
                raise error

        setattr(store, when, fail)
        raised = False
        try:
            upload(store, journal)
        except type(error):
            raised = True
        check_whole_or_absent(store)
        there = store.objects.get(MANIFEST, ABORTED) != ABORTED
        if isinstance(error, RemoteUnreachable):
            assert raised is not there, "an image that is there is no failure, and the reverse"
        else:
            assert raised
        assert files_under(str(tmp_path / "state")) == [], f"call {number}"


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_a_dead_network_kept_from_cleaning_the_next_run_cleans(tmp_path, when):
    for number in range(1, calls_of_a_good_run(tmp_path) + 1):
        store, journal = MemoryStore(), FileUploadJournal(str(tmp_path / "state"))

        def fail(name, at, wanted=number):
            if at >= wanted:
                raise RemoteUnreachable("memory:", "test")

        setattr(store, when, fail)
        with pytest.raises(RemoteUnreachable):
            upload(store, journal)
        assert len(files_under(str(tmp_path / "state"))) == 1
        setattr(store, when, lambda name, at: None)
        swept = sweep_dead_runs(store, journal)
        assert (swept.cleaned or swept.committed) == (IMAGE,)
        check_whole_or_absent(store)
        assert files_under(str(tmp_path / "state")) == [], f"call {number}"


def test_a_lost_answer_to_the_commit_that_was_tried_again_is_success(tmp_path):
    store = MemoryStore()
    put = store.put

    def put_twice(key, data, *, if_absent=False):
        put(key, data, if_absent=if_absent)
        put(key, data, if_absent=if_absent)

    store.put = put_twice
    upload(store, FileUploadJournal(str(tmp_path)))
    assert store.objects[MANIFEST]


def test_a_store_that_knows_no_conditions_still_takes_a_manifest(tmp_path):
    store = MemoryStore()

    def refuse_conditions(key, data, *, if_absent=False):
        if if_absent:
            raise RemoteUnable("memory:", "put only if absent")
        store.objects[key] = data

    store.put = refuse_conditions
    upload(store, FileUploadJournal(str(tmp_path)))
    assert store.objects[MANIFEST]


def test_a_sweep_keeps_the_objects_where_conditions_do_not_hold(tmp_path):
    store, journal = MemoryStore(conditional=False), FileUploadJournal(str(tmp_path))
    journal.begin(IMAGE, {"v": 1, "target": store.url}).close()
    store.put(KEY, b"data")
    store.put(MANIFEST, encode(manifest()))
    store.create_upload(KEY, part_size=PART)
    assert sweep_dead_runs(store, journal).committed == (IMAGE,)
    assert store.objects == {KEY: b"data", MANIFEST: encode(manifest())}
    assert store.uploads == {}


def test_a_sweep_never_takes_the_objects_of_a_committed_image(tmp_path):
    store, journal = MemoryStore(), FileUploadJournal(str(tmp_path))
    journal.begin(IMAGE, {"v": 1, "target": store.url}).close()
    store.put(KEY, b"data")
    store.put(MANIFEST, encode(manifest()))
    assert sweep_dead_runs(store, journal).committed == (IMAGE,)
    assert store.objects == {KEY: b"data", MANIFEST: encode(manifest())}
    assert files_under(str(tmp_path)) == []


def test_a_sweep_marks_the_manifest_as_aborted_before_it_deletes(tmp_path):
    store, journal = MemoryStore(), FileUploadJournal(str(tmp_path))
    journal.begin(IMAGE, {"v": 1, "target": store.url}).close()
    store.put(KEY, b"data")
    assert sweep_dead_runs(store, journal).cleaned == (IMAGE,)
    assert store.objects == {MANIFEST: ABORTED}
    names = [name for name, _ in store.calls]
    assert names.index("put", 1) < names.index("delete")


def test_a_right_that_is_missing_postpones_the_sweep_and_keeps_the_entry(tmp_path):
    store, journal = MemoryStore(), FileUploadJournal(str(tmp_path))
    journal.begin(IMAGE, {"v": 1, "target": store.url}).close()
    store.put(KEY, b"data")

    def refuse(name, at):
        if name == "delete":
            raise RemoteRefused("memory:", "delete", "access denied")

    store.before = refuse
    assert sweep_dead_runs(store, journal).postponed == (IMAGE,)
    store.before = lambda name, at: None
    assert sweep_dead_runs(store, journal).cleaned == (IMAGE,)


def test_the_first_part_goes_last_and_no_part_goes_before_its_digest_is_journaled(tmp_path):
    store, journal = MemoryStore(), FileUploadJournal(str(tmp_path))
    sent = []
    put_part = store.put_part

    def note(key, upload_id, number, data):
        noted = [e["number"] for e in journaled(tmp_path) if e["event"] == "part"]
        sent.append((number, number in noted))
        return put_part(key, upload_id, number, data)

    store.put_part = note
    upload(store, journal)
    assert sorted(sent) == [(1, True), (2, True), (3, True), (4, True)]
    assert sent[-1] == (1, True)


def test_no_more_parts_are_in_memory_than_workers_and_two():
    """With every worker stuck, part 1 and one part more than workers are taken, and no other."""
    store, release = MemoryStore(), threading.Event()
    cancel = CancelAt(None)

    def stuck(name, at):
        if name == "put_part":
            cancel.number = cancel.looks + 8
            release.wait()

    store.before = stuck
    taken = []

    def write_many():
        for number in range(50):
            sink.write(Chunk(number * PART, b"x" * PART))
            taken.append(number)

    sink = MultipartSink(
        store, lambda event: None, key=KEY, layout=layout(PART), workers=2, cancel=cancel
    )
    with pytest.raises(Cancelled):
        write_many()
    release.set()
    sink.stop()
    assert len(taken) == 1 + 3


@pytest.mark.parametrize(
    ("written", "late"),
    [(3 * PART, (100, 50)), (3 * PART, (PART - 10, 20)), (PART, (PART // 2, PART))],
)
def test_late_chunks_are_taken_in_the_first_part_only(tmp_path, written, late):
    store = MemoryStore()
    with StoreDestination(store, FileUploadJournal(str(tmp_path)), image_id=IMAGE) as destination:
        sink = destination.sink(KEY, layout(PART))
        sink.write(Chunk(0, b"x" * written))
        offset, length = late
        if offset + length <= PART:
            sink.write(Chunk(offset, b"L" * length))
            destination.commit(manifest(sink.finish()))
            assert store.objects[KEY][offset : offset + length] == b"L" * length
            assert len(store.objects[KEY]) == written
        else:
            with pytest.raises(ValueError, match="comes after"):
                sink.write(Chunk(offset, b"L" * length))


def test_a_manifest_is_refused_before_its_objects_are_finished(tmp_path):
    store = MemoryStore()
    with StoreDestination(store, FileUploadJournal(str(tmp_path)), image_id=IMAGE) as destination:
        destination.sink(KEY, layout(PART))
        with pytest.raises(ValueError, match="after all"):
            destination.commit(manifest())
        with pytest.raises(ValueError, match="no key of image"):
            destination.sink("images/other/x", layout(PART))
