"""An object under a key that the user named: nothing is overwritten, what fails leaves nothing."""

from __future__ import annotations

import pytest

from diskwright.errors import RemoteUnreachable, TargetExists
from diskwright.model.nulls import NeverCancelled
from diskwright.model.stored import Chunk
from diskwright.ops.library.exact_upload import ExactUpload
from support.memory_store import MemoryStore
from support.uploading import layout

PART = 64 << 10
DATA = bytes(range(256)) * 1000
DIGEST = b"digest  k\n"


@pytest.fixture
def store():
    return MemoryStore()


def opened(store, *, force=False):
    return ExactUpload(store, "k", layout(PART), force=force, cancel=NeverCancelled())


def sent(store, *, force=False, meanwhile=lambda: None, then=lambda: None):
    with opened(store, force=force) as upload:
        upload.write(Chunk(0, DATA))
        meanwhile()
        size = upload.finish(DIGEST)
        then()
    return size


def test_it_lies_there_with_its_digest_beside_it(store):
    assert sent(store) == len(DATA)
    assert store.objects == {"k": DATA, "k.sha256": DIGEST}
    assert not store.uploads


@pytest.mark.parametrize("taken", ["k", "k.sha256"])
def test_what_is_there_stays_without_force(store, taken):
    store.objects[taken] = b"another's"
    with pytest.raises(TargetExists):
        sent(store)
    assert store.objects == {taken: b"another's"}
    assert not store.uploads


def test_with_force_both_are_replaced(store):
    store.objects |= {"k": b"old", "k.sha256": b"old"}
    sent(store, force=True)
    assert store.objects == {"k": DATA, "k.sha256": DIGEST}


@pytest.mark.parametrize("conditional", [True, False])
def test_of_two_at_once_one_wins(conditional):
    store = MemoryStore(conditional=conditional)
    with pytest.raises(TargetExists):
        sent(store, meanwhile=lambda: sent(store))
    assert store.objects == {"k": DATA, "k.sha256": DIGEST}
    assert not store.uploads


def test_one_that_comes_from_elsewhere_meanwhile_stays(store):
    with pytest.raises(TargetExists):
        sent(store, meanwhile=lambda: store.objects.update(k=b"another's"))
    assert store.objects == {"k": b"another's"}
    assert not store.uploads


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("force", [False, True])
def test_whatever_call_fails_what_was_there_is_there(force, when):
    number, ended = 0, False
    while not ended:
        number += 1
        store = MemoryStore()
        before = {"k": b"old", "k.sha256": b"old"} if force else {}
        store.objects |= before

        last = ""

        def fail(call, at, number=number):
            nonlocal last
            if at == number:
                last = call
                raise RemoteUnreachable("memory:", "cut")

        setattr(store, when, fail)
        try:
            sent(store, force=force)
        except RemoteUnreachable:
            assert not store.uploads or last == "create_upload"  # whose answer was lost
            if store.objects.get("k") != DATA:  # with force the digest comes after it
                assert store.objects == before
            else:
                assert force
        else:
            ended = len(store.calls) < number
    assert number > 5


def test_of_several_that_go_together_the_first_goes_too(store):
    with pytest.raises(TargetExists):
        sent(store, then=lambda: sent(store))
    assert store.objects == {}
