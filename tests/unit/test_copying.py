"""Copies of stored objects: what passes through here, what is verified, what is left."""

from __future__ import annotations

import pytest

from diskwright._values import replace
from diskwright.adapters.directory import DirectoryStore
from diskwright.errors import Cancelled, DataTampered, ObjectMissing, RemoteUnable
from support.copying import SOURCE_KEY, Advanced, copied, noise, object_in
from support.memory_store import MemoryStore
from support.uploading import IMAGE, KEY, CancelAt, files_under

PART = 64 << 10


def names(store: MemoryStore) -> set[str]:
    return {name for name, _ in store.calls}


def nothing_is_left(store, state) -> bool:
    left = [info.key for info in store.list(f"images/{IMAGE}/")]
    return not (left or list(store.list_uploads("")) or files_under(str(state)))


@pytest.fixture
def parts():
    return noise(PART)


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


def test_within_a_store_no_byte_is_read_or_sent(parts, state):
    store, progress = MemoryStore(), Advanced()
    stored = object_in(store, parts, PART)
    store.calls.clear()
    made = copied(store, store, stored, state, progress=progress)
    assert made == replace(stored, key=KEY)
    assert store.objects[KEY] == b"".join(parts)
    assert not names(store) & {"get", "put_part"}
    assert progress.steps == [len(part) for part in parts]
    assert files_under(str(state)) == []


def test_between_strangers_every_part_is_sent_as_it_was(parts, state):
    source, target, progress = MemoryStore(), MemoryStore(), Advanced()
    stored = object_in(source, parts, PART)
    assert copied(source, target, stored, state, progress=progress) == replace(stored, key=KEY)
    assert target.objects[KEY] == b"".join(parts)
    assert sum(progress.steps) == stored.size


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_changed_part_is_not_sent(parts, state, number):
    source, target = MemoryStore(), MemoryStore()
    stored = object_in(source, parts, PART)
    damaged = bytearray(source.objects[SOURCE_KEY])
    damaged[number * PART + 17] ^= 1
    source.objects[SOURCE_KEY] = bytes(damaged)
    sent = []
    put_part = target.put_part
    target.put_part = lambda key, upload, n, data: sent.append(n) or put_part(key, upload, n, data)
    with pytest.raises(DataTampered, match=f"part {number + 1} "):
        copied(source, target, stored, state)
    assert number + 1 not in sent
    assert nothing_is_left(target, state)


@pytest.mark.parametrize("change", [b"", b"and more"])
def test_an_object_of_another_size_is_refused_before_anything_is_begun(parts, state, change):
    store = MemoryStore()
    stored = object_in(store, parts, PART)
    store.objects[SOURCE_KEY] = store.objects[SOURCE_KEY] + change if change else b"short"
    store.calls.clear()
    with pytest.raises(DataTampered):
        copied(store, store, stored, state)
    assert "create_upload" not in names(store)


def test_an_absent_object_is_said_to_be_missing(parts, state):
    store = MemoryStore()
    stored = object_in(store, parts, PART)
    store.delete(SOURCE_KEY)
    with pytest.raises(ObjectMissing):
        copied(store, store, stored, state)


def test_a_store_that_can_not_copy_after_all_is_sent_the_bytes(parts, state):
    store, progress = MemoryStore(), Advanced()
    stored = object_in(store, parts, PART)
    tried = []

    def unable(key, upload_id, number, source, offset, length):
        tried.append(number)
        if number > 1:
            raise RemoteUnable("memory:", "copy parts")
        return f"etag-{number}-{length}"

    store.copy_part = unable
    copied(store, store, stored, state, progress=progress)
    assert store.objects[KEY] == b"".join(parts)
    assert len(tried) > 1
    assert sum(progress.steps) == stored.size


def test_a_copy_that_became_shorter_is_none(parts, state):
    store = MemoryStore()
    stored = object_in(store, parts, PART)
    copy_part = store.copy_part

    def shorter(key, upload_id, number, source, offset, length):
        copy_part(key, upload_id, number, source, offset, length - 1)
        return f"etag-{number}-{length - 1}"

    store.copy_part = shorter
    with pytest.raises(DataTampered, match="the copy has"):
        copied(store, store, stored, state)
    assert nothing_is_left(store, state)


def test_cancelled_at_any_look_it_leaves_nothing(parts, tmp_path):
    number = 0
    while True:
        number += 1
        state = tmp_path / str(number)
        store = MemoryStore()
        stored = object_in(store, parts, PART)
        try:
            copied(store, store, stored, state, cancel=CancelAt(number))
        except Cancelled:
            assert nothing_is_left(store, state)
        else:
            assert number > 4
            return


def test_an_error_at_any_call_leaves_nothing(parts, tmp_path):
    number = 0
    while True:
        number += 1
        state = tmp_path / str(number)
        source, target = MemoryStore(), MemoryStore()
        stored = object_in(source, parts, PART)

        def fail(name, call, number=number):
            if call == number and name in ("create_upload", "put_part", "complete_upload", "head"):
                raise RemoteUnable("memory:", name)

        target.before = fail
        try:
            copied(source, target, stored, state)
        except RemoteUnable:
            assert nothing_is_left(target, state)
        else:
            if number > len(target.calls):
                return


def test_folders_of_one_file_system_are_copied_as_parts(tmp_path, parts, state):
    source, target = DirectoryStore(str(tmp_path / "a")), DirectoryStore(str(tmp_path / "b"))
    stored = object_in(source, parts, PART)
    target.put_part = None
    made = copied(source, target, stored, state)
    assert target.get(KEY) == b"".join(parts)
    assert made.part_digests == stored.part_digests


def test_folders_of_two_file_systems_are_verified(tmp_path, parts, state, monkeypatch):
    source, target = DirectoryStore(str(tmp_path / "a")), DirectoryStore(str(tmp_path / "b"))
    stored = object_in(source, parts, PART)
    devices = {str(tmp_path / "a"): 1, str(tmp_path / "b"): 2}
    monkeypatch.setattr("diskwright.adapters.directory.files.device_of", devices.__getitem__)
    target.copy_part = None
    copied(source, target, stored, state)
    assert target.get(KEY) == b"".join(parts)
