"""A name is one image's: claimed by whoever comes first, free again when it is not used."""

from __future__ import annotations

import os

import pytest

from diskwright.errors import ChangedMeanwhile, KeyRefused, NameTaken
from diskwright.ops.library.names import Names, OnlySeals
from support.library_images import KEY, OTHER_KEY
from support.memory_store import MemoryStore

NOW = 1_795_000_000.0
ONE, TWO, THREE = (f"0190b0f4-0000-7000-8000-00000000000{n}" for n in (1, 2, 3))
BOTH = pytest.mark.parametrize("key", [None, KEY], ids=["plain", "sealed"])


def held(image, time):
    return True


def stale(image, time):
    return False


def names(store, key=None):
    return Names(store, key, os.urandom)


@BOTH
def test_the_second_is_told_whose_it_is(key):
    store = MemoryStore()
    names(store, key).take("web", ONE, held, NOW)
    with pytest.raises(NameTaken, match=ONE):
        names(store, key).take("web", TWO, held, NOW)
    names(store, key).take("web-2", TWO, held, NOW)


@BOTH
def test_its_owner_may_take_it_again(key):
    store = MemoryStore()
    for _ in range(2):
        names(store, key).take("web", ONE, held, NOW)


@BOTH
def test_it_is_free_when_it_was_given_back(key):
    store = MemoryStore()
    names(store, key).take("web", ONE, held, NOW)
    names(store, key).release("web", TWO, NOW)  # who does not have it gives nothing back
    with pytest.raises(NameTaken):
        names(store, key).take("web", TWO, held, NOW)
    names(store, key).release("web", ONE, NOW)
    names(store, key).take("web", TWO, held, NOW)


@BOTH
def test_a_claim_that_does_not_hold_is_overtaken(key):
    store = MemoryStore()
    names(store, key).take("web", ONE, held, NOW)
    names(store, key).take("web", TWO, stale, NOW)
    with pytest.raises(NameTaken, match=TWO):
        names(store, key).take("web", THREE, held, NOW)


@BOTH
@pytest.mark.parametrize("before", ["nothing", "a stale claim"])
def test_of_two_at_once_one_wins(key, before):
    store = MemoryStore()
    if before == "a stale claim":
        names(store, key).take("web", THREE, held, NOW)
    else:
        names(store, key).take("other", THREE, held, NOW)  # the key for names is there

    def other_wins(name, number):
        if name == "put":
            store.before = lambda name, number: None
            names(store, key).take("web", TWO, stale, NOW)

    store.before = other_wins
    with pytest.raises(ChangedMeanwhile, match=TWO):
        names(store, key).take("web", ONE, stale, NOW)
    with pytest.raises(NameTaken, match=TWO):
        names(store, key).take("web", ONE, held, NOW)


def test_the_storage_learns_no_name_of_a_sealed_image():
    store = MemoryStore()
    names(store, KEY).take("web", ONE, held, NOW)
    names(store).take("web", TWO, held, NOW)
    folders = {key.split("/")[1] for key in store.objects} - {"keys"}
    assert len(folders) == 2  # nothing ties one to the other
    assert not any(b"web" in data for data in store.objects.values())


def test_other_keys_have_names_of_their_own():
    store = MemoryStore()
    names(store, KEY).take("web", ONE, held, NOW)
    names(store, OTHER_KEY).take("web", TWO, held, NOW)


def test_the_key_for_names_is_made_once_also_by_two_at_once():
    store = MemoryStore()

    def other_makes_it(name, number):
        if name == "put":
            store.before = lambda name, number: None
            names(store, KEY).take("first", TWO, held, NOW)

    store.before = other_makes_it
    names(store, KEY).take("web", ONE, held, NOW)
    with pytest.raises(NameTaken, match=ONE):
        names(store, KEY).take("web", THREE, held, NOW)
    with pytest.raises(NameTaken, match=TWO):
        names(store, KEY).take("first", THREE, held, NOW)


class PublicHalf:
    """Wraps, and never unwraps."""

    wrap = staticmethod(KEY.wrap)

    def unwrap(self, wrapped, context):
        raise KeyRefused("a public half", "it opens nothing")


def test_what_only_seals_is_told_apart_from_a_key_that_is_refused():
    store = MemoryStore()
    names(store, PublicHalf()).take("web", ONE, held, NOW)  # it has just made the key for names
    with pytest.raises(OnlySeals):
        names(store, PublicHalf()).take("web", TWO, held, NOW)
    with pytest.raises(NameTaken, match=ONE):
        names(store, KEY).take("web", TWO, held, NOW)  # its owner can


def test_a_key_for_names_that_was_swapped_opens_nothing():
    store = MemoryStore()
    names(store, KEY).take("web", ONE, held, NOW)
    (place,) = [key for key in store.objects if key.startswith("names/keys/")]
    store.objects[place] = store.objects[place].replace(b'"wrapped_key":"', b'"wrapped_key":"A')
    with pytest.raises(KeyRefused):
        names(store, KEY).take("web", TWO, held, NOW)
