"""A name is one image's: claimed by whoever comes first, free again when it is not used."""

from __future__ import annotations

import os

import pytest

from diskwright._values import replace
from diskwright.envelope.header import context_bytes
from diskwright.envelope.recipients import recipient_of
from diskwright.errors import ChangedMeanwhile, DataTampered, KeyRefused, NameTaken
from diskwright.model import canonical, codec
from diskwright.model.library import Entry, ImageKind, MemberState, Status, Visibility
from diskwright.model.manifest import ABORTED
from diskwright.model.names import manifest_key
from diskwright.ops.library.claims import take_name
from diskwright.ops.library.names import Names, OnlySeals, superseded, unreadable_claims
from diskwright.ops.library.sync import sync
from support.library_images import KEY, OTHER_KEY, put_image
from support.library_places import workstation
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


class Receiver:
    """Whoever has its public half can wrap for it."""

    def wrap(self, data_key, context):
        return replace(KEY.wrap(data_key, context), provider="hpke")

    unwrap = staticmethod(KEY.unwrap)


def test_a_receiver_s_key_claims_no_name():
    store = MemoryStore()
    with pytest.raises(OnlySeals):
        names(store, Receiver()).take("web", ONE, held, NOW)
    assert store.objects == {}


def test_a_data_key_in_the_place_of_the_key_for_names_is_refused():
    store = MemoryStore()
    names(store, KEY).take("web", ONE, held, NOW)
    (place,) = [key for key in store.objects if key.startswith("names/keys/")]
    data_key = KEY.wrap(bytes(32), context_bytes(ONE))
    store.objects[place] = canonical.encode(
        {"id": ONE, "recipient": codec.encode(recipient_of(data_key)), "v": 1}
    )
    with pytest.raises(KeyRefused):
        names(store, KEY).take("web", TWO, held, NOW)


@pytest.mark.parametrize("claim", [{"image": "../x", "time": "2026-01-01T00:00:00Z"},
                                   {"image": ONE, "time": "yesterday"}])  # fmt: skip
def test_a_claim_that_is_none_is_told(claim):
    store = MemoryStore()
    names(store).take("web", ONE, held, NOW)
    (place,) = store.objects
    store.objects[place] = canonical.encode({**claim, "v": 1})
    with pytest.raises(DataTampered, match="can't be read"):
        names(store).take("web", TWO, held, NOW)


def test_a_claim_that_is_none_is_no_more_given_back_than_another_s():
    store = MemoryStore()
    names(store).take("web", ONE, held, NOW)
    names(store).release("web", ONE, NOW)
    newest = max(store.objects)
    store.objects[newest] = b"{}"
    names(store).release("web", ONE, NOW)
    assert max(store.objects) == newest
    assert list(superseded(store, NOW + 86400)) == []
    assert [key for key, _ in unreadable_claims(store)] == [newest]


def test_no_offer_hides_that_a_name_is_in_use(tmp_path):
    place = workstation(MemoryStore(), tmp_path)
    about = {"created": place.time(), "updated": place.time(), "seq": 0, "head": ""}
    offered = {"visibility": Visibility.SHARED, "origin": "dir:/evil", **about}
    for number in range(60):
        image = f"0180b0f4-0000-7000-8000-0000000000{number:02}"
        state = MemberState.ACCEPTED if number % 2 else MemberState.PENDING
        entry = Entry(image, "web", Status.ACTIVE, ImageKind.DATA, received=state, **offered)
        place.catalog.save(entry, ())
    place.catalog.save(Entry(ONE, "web", Status.ACTIVE, ImageKind.DATA, **about), ())
    with pytest.raises(NameTaken, match=ONE):
        take_name(place, "web", TWO, sealed=False, duplicate=False)


@pytest.mark.parametrize("what", ["claim", "key"])
def test_a_run_that_was_killed_ends_no_sync_whatever_lies_at_its_name(tmp_path, what):
    store = MemoryStore()
    place = workstation(store, tmp_path, key=KEY)
    put = put_image(store, "web", key=KEY, size=1 << 12)
    take_name(place, "new", ONE, sealed=True, duplicate=False)
    about = {"created": place.time(), "updated": place.time(), "seq": 0, "head": ""}
    dead = Entry(ONE, "new", Status.SAVING, ImageKind.DATA, sealed=True, **about)
    place.catalog.save(dead, ())
    (key,) = [
        one
        for one in store.objects
        if one.startswith("names/") and one.startswith("names/keys/") is (what == "key")
    ]
    store.objects[key] = b"{}"
    assert sync(place, whole=True).changed == (put.id,)
    assert (place.catalog.entry(ONE) is None) is (what == "claim")


def test_a_single_writer_needs_no_conditions():
    store = MemoryStore()
    Names(store, None, os.urandom, single_writer=True).take("web", ONE, held, NOW)
    with pytest.raises(NameTaken):
        Names(store, None, os.urandom, single_writer=True).take("web", TWO, held, NOW)


def test_a_key_for_names_that_was_swapped_opens_nothing():
    store = MemoryStore()
    names(store, KEY).take("web", ONE, held, NOW)
    (place,) = [key for key in store.objects if key.startswith("names/keys/")]
    store.objects[place] = store.objects[place].replace(b'"wrapped_key":"', b'"wrapped_key":"A')
    with pytest.raises(KeyRefused):
        names(store, KEY).take("web", TWO, held, NOW)


def test_a_claim_whose_image_comes_just_as_it_is_looked_at_holds(tmp_path):
    """Its manifest is put between two looks: it is not one that was given up."""
    store = MemoryStore()
    place = workstation(store, tmp_path)
    image = put_image(store, "web", size=1 << 12).id
    manifest = store.objects.pop(manifest_key(image))
    place.names(sealed=False).take("web", image, held, place.now())

    def commit(name, number):
        if name == "head" and ("get", manifest_key(image)) in store.calls:
            store.objects[manifest_key(image)] = manifest

    store.before = commit
    with pytest.raises(NameTaken, match=image):
        take_name(place, "web", TWO, sealed=False, duplicate=False)
    store.before = lambda name, number: None
    store.objects[manifest_key(image)] = ABORTED
    assert take_name(place, "web", TWO, sealed=False, duplicate=False)


def test_of_two_that_are_queued_here_one_takes_it(tmp_path):
    place = workstation(MemoryStore(), tmp_path)
    for image in (ONE, TWO):
        about = {"created": place.time(), "updated": place.time(), "seq": 0, "head": ""}
        place.catalog.save(Entry(image, "web", Status.QUEUED, ImageKind.DATA, **about), ())
    with pytest.raises(NameTaken, match=ONE):
        take_name(place, "web", TWO, sealed=False, duplicate=False)
    assert take_name(place, "web", ONE, sealed=False, duplicate=False)
