"""What every ObjectStore promises. An adapter passes by giving the fixture `store`, empty, and
`beside`, another place from which it copies by itself, if it knows such."""

from __future__ import annotations

import os
import threading
from time import time as now

import pytest

from diskwright.errors import DiskwrightError, ObjectMissing, TargetExists
from support.memory_store import MemoryStore

KIB = 1 << 10
PART = 5 << 20  # the least that S3 takes for a part that is not the last


class ObjectStoreContract:
    @pytest.fixture
    def beside(self, store):
        return store

    def test_what_was_put_is_read_back_whole_and_in_ranges(self, store):
        data = os.urandom(100 * KIB)
        store.put("a/b.bin", data)
        assert store.get("a/b.bin") == data
        assert store.get("a/b.bin", 7) == data[7:]
        assert store.get("a/b.bin", 7, 1000) == data[7:1007]
        assert store.get("a/b.bin", len(data) - 3, 1000) == data[-3:]
        assert store.get("a/b.bin", len(data), 10) == b""
        assert store.get("a/b.bin", 5, 0) == b""

    def test_an_empty_object_is_an_object(self, store):
        store.put("empty", b"")
        assert store.get("empty") == b""
        assert store.head("empty").size == 0

    def test_put_replaces_unless_told_not_to(self, store):
        store.put("k", b"one")
        store.put("k", b"two")
        with pytest.raises(TargetExists):
            store.put("k", b"three", if_absent=True)
        assert store.get("k") == b"two"
        store.put("other", b"new", if_absent=True)
        assert store.get("other") == b"new"

    def test_of_many_that_put_if_absent_one_wins(self, store):
        won = []
        barrier = threading.Barrier(6)

        def put(number):
            barrier.wait()
            try:
                store.put("race", b"%d" % number, if_absent=True)
            except TargetExists:
                return
            won.append(number)

        threads = [threading.Thread(target=put, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        assert store.get("race") == b"%d" % won[0]

    def test_head_tells_the_size_or_none(self, store):
        assert store.head("k") is None
        store.put("k", b"12345")
        assert (store.head("k").key, store.head("k").size) == ("k", 5)

    def test_an_absent_object_is_missing(self, store):
        for read in (lambda: store.get("no"), lambda: store.get("no", 3, 4)):
            with pytest.raises(ObjectMissing):
                read()
        with pytest.raises(ObjectMissing):
            store.get("no", 0, 0)

    def test_delete_takes_it_away_and_does_not_mind_its_absence(self, store):
        store.put("x/y/z", b"1")
        store.delete("x/y/z")
        store.delete("x/y/z")
        store.delete("never/was")
        assert store.head("x/y/z") is None
        assert list(store.list("")) == []

    def test_list_gives_every_key_with_the_prefix_once(self, store):
        keys = ["a/1", "a/2/3", "a-b", "b", "a/10"]
        for number, key in enumerate(keys):
            store.put(key, bytes(number))
        assert sorted(info.key for info in store.list("")) == sorted(keys)
        found = {info.key: info.size for info in store.list("a/1")}
        assert found == {"a/1": 0, "a/10": 4}
        assert [info.key for info in store.list("a/2")] == ["a/2/3"]
        assert [info.key for info in store.list("nothing")] == []

    def test_parts_in_any_order_with_the_first_last_make_one_object(self, store):
        parts = [os.urandom(PART), bytes(PART), os.urandom(1000)]
        upload_id = store.create_upload("big", part_size=PART)
        assert store.head("big") is None
        etags = {}
        for number in (3, 2, 1):
            etags[number] = store.put_part("big", upload_id, number, memoryview(parts[number - 1]))
        assert store.head("big") is None
        store.complete_upload("big", upload_id, [etags[n] for n in (1, 2, 3)])
        assert store.head("big").size == 2 * PART + 1000
        assert store.get("big") == b"".join(parts)
        assert list(store.list_uploads("")) == []

    def test_a_part_sent_again_replaces_the_first_one(self, store):
        upload_id = store.create_upload("twice", part_size=PART)
        store.put_part("twice", upload_id, 1, memoryview(os.urandom(PART)))
        second = bytearray(PART)
        second[-1] = 1
        etags = [
            store.put_part("twice", upload_id, 1, memoryview(second)),
            store.put_part("twice", upload_id, 2, memoryview(b"end")),
        ]
        store.complete_upload("twice", upload_id, etags)
        assert store.get("twice") == bytes(second) + b"end"

    def test_a_part_can_be_copied_from_an_unaligned_range(self, store):
        source = os.urandom(PART + 5000)
        store.put("source", source)
        upload_id = store.create_upload("copy", part_size=PART)
        etags = [
            store.copy_part("copy", upload_id, 1, "source", 123, PART),
            store.put_part("copy", upload_id, 2, memoryview(b"tail")),
        ]
        store.complete_upload("copy", upload_id, etags)
        assert store.get("copy") == source[123 : 123 + PART] + b"tail"

    def test_parts_can_be_copied_from_a_place_beside(self, store, beside):
        source = os.urandom(PART + 5000)
        beside.put("folder/source +%", source)
        upload_id = store.create_upload("copy", part_size=PART)
        found = store.copy_source(beside, "folder/source +%")
        etags = [
            store.copy_part("copy", upload_id, 1, found, 0, PART),
            store.copy_part("copy", upload_id, 2, found, PART, 5000),
        ]
        store.complete_upload("copy", upload_id, etags)
        assert store.get("copy") == source

    def test_what_is_not_there_is_not_copied(self, store, beside):
        upload_id = store.create_upload("copy", part_size=PART)
        for source in ("no", store.copy_source(beside, "no")):
            with pytest.raises(ObjectMissing):
                store.copy_part("copy", upload_id, 1, source, 0, PART)
        store.abort_upload("copy", upload_id)

    def test_a_stranger_is_no_source(self, store):
        assert store.copy_source(MemoryStore(), "k") is None

    def test_an_open_upload_is_listed_until_it_is_aborted(self, store):
        first = store.create_upload("images/1/a", part_size=PART)
        second = store.create_upload("images/2/b", part_size=PART)
        store.put_part("images/1/a", first, 1, memoryview(b"x"))
        listed = {(upload.key, upload.upload_id) for upload in store.list_uploads("images/")}
        assert listed == {("images/1/a", first), ("images/2/b", second)}
        assert [upload.upload_id for upload in store.list_uploads("images/2/")] == [second]
        begun = [upload.begun for upload in store.list_uploads("")]
        assert all(time is None or abs(time - now()) < 3600 for time in begun)
        store.abort_upload("images/1/a", first)
        store.abort_upload("images/1/a", first)
        store.abort_upload("images/2/b", second)
        assert list(store.list_uploads("")) == []
        assert list(store.list("")) == []

    def test_nothing_comes_of_parts_after_an_abort(self, store):
        upload_id = store.create_upload("gone", part_size=PART)
        etag = store.put_part("gone", upload_id, 1, memoryview(b"x"))
        store.abort_upload("gone", upload_id)
        with pytest.raises(DiskwrightError):
            store.put_part("gone", upload_id, 1, memoryview(b"y"))
        with pytest.raises(DiskwrightError):
            store.complete_upload("gone", upload_id, [etag])
        assert list(store.list("")) == []
        assert list(store.list_uploads("")) == []

    def test_completing_without_a_part_fails_and_makes_no_object(self, store):
        upload_id = store.create_upload("short", part_size=PART)
        etag = store.put_part("short", upload_id, 2, memoryview(b"x"))
        with pytest.raises(DiskwrightError):
            store.complete_upload("short", upload_id, ["1-5", etag])
        assert store.head("short") is None
        store.abort_upload("short", upload_id)

    def test_many_threads_may_send_parts_at_once(self, store):
        parts = [os.urandom(PART) for _ in range(4)]
        upload_id = store.create_upload("many", part_size=PART)
        etags = [""] * 4

        def send(index):
            etags[index] = store.put_part("many", upload_id, index + 1, memoryview(parts[index]))

        threads = [threading.Thread(target=send, args=(index,)) for index in (3, 1, 0, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        store.complete_upload("many", upload_id, etags)
        assert store.get("many") == b"".join(parts)

    def test_the_probe_leaves_nothing(self, store):
        seen = store.probe()
        assert seen.multipart
        assert seen.conditional_put
        assert seen.part_copy
        assert seen.list_uploads
        assert list(store.list("")) == []
        assert list(store.list_uploads("")) == []
