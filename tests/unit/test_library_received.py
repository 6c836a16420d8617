"""What another offers: listed, answered, read from where it lies; nothing of it is believed."""

from __future__ import annotations

import json

import pytest

from diskwright._values import replace
from diskwright.errors import (
    DataTampered,
    IllegalState,
    ImageAmbiguous,
    KeyRefused,
    NotShared,
    ReadOnlyImage,
    RemoteRefused,
    RemoteUnreachable,
    UsageError,
)
from diskwright.model import canonical
from diskwright.model.library import MemberState, Query, Status, Visibility
from diskwright.model.manifest import decode as decoded_manifest
from diskwright.model.manifest import encode as encoded_manifest
from diskwright.model.names import manifest_key
from diskwright.model.record import Deleted, Record, record_key
from diskwright.model.record import digest as record_digest
from diskwright.model.record import encode as encoded_record
from diskwright.model.sharing import offer_key, received_key
from diskwright.ops.images import find
from diskwright.ops.library.place import append, find_entry, to_change
from diskwright.ops.library.sync import sync
from support.accounts import URL, pair
from support.library_images import put_image
from support.memory_store import MemoryStore

SEALED = pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
PENDING, ACCEPTED, REJECTED = MemberState.PENDING, MemberState.ACCEPTED, MemberState.REJECTED


@pytest.fixture
def two(tmp_path):
    return pair(tmp_path)


def shared(two, name="web", *, sealed=False):
    put = two.put(name, sealed=sealed)
    two.share(put.id)
    return put


@SEALED
def test_an_offer_is_shown_pending_then_as_it_was_answered(two, sealed):
    put = shared(two, sealed=sealed)
    two.sync(whole=False)
    entry = two.ada.catalog.entry(put.id)
    assert (entry.name, entry.visibility, entry.received, entry.origin) == (
        "web",
        Visibility.SHARED,
        PENDING,
        URL,
    )
    assert entry.members == ()
    for state in (REJECTED, ACCEPTED):
        assert two.answer("web", state).what == state.value
        assert two.answer("web", state).what == ""
        assert two.shown() == {put.id: state}
        assert two.given() == [(put.id, state, True)]
        two.sync()
        assert two.shown() == {put.id: state}


@SEALED
def test_only_what_was_accepted_is_read(two, sealed):
    put = shared(two, sealed=sealed)
    two.sync()
    for state in (None, REJECTED):
        if state is not None:
            two.answer("web", state)
        with pytest.raises(IllegalState):
            two.source(put.id)
    two.answer("web")
    store, key = two.source(put.id)
    found = find(store, put.id, key)
    assert found.body.name == "web"
    assert (found.data_key is not None) is sealed
    with pytest.raises(ReadOnlyImage):
        store.put("images/x", b"")


@SEALED
def test_what_was_taken_back_is_gone_and_told_where_it_was_accepted(two, sealed):
    put = shared(two, sealed=sealed)
    two.sync()
    two.answer("web")
    entry = two.ada.catalog.entry(put.id)
    two.unshare("web")
    two.ada.catalog.save(entry, ())
    with pytest.raises(NotShared, match="not offered any more"):
        two.source(put.id)
    assert two.sync(whole=False).gone == (put.id,)
    assert two.shown() == {}
    for wanted in ("web", put.id):
        with pytest.raises(NotShared, match="took it back"):
            find_entry(two.ada.catalog, wanted, "here")


def test_what_was_not_accepted_goes_silently(two):
    put = shared(two)
    two.sync()
    two.answer("web", REJECTED)
    two.unshare("web")
    assert two.sync().gone == ()
    assert put.id not in two.shown()


def test_a_key_that_was_taken_out_is_refused_while_the_offer_still_lies_there(two):
    put = shared(two, sealed=True)
    two.sync()
    two.answer("web")
    offer = two.store.objects[offer_key(two.key.public.id, put.id)]
    two.unshare("web")
    two.store.objects[offer_key(two.key.public.id, put.id)] = offer
    with pytest.raises(KeyRefused):
        two.source(put.id)


def test_an_offer_that_was_left_behind_is_none(two):
    put = shared(two)
    offer = two.store.objects[offer_key(two.key.public.id, put.id)]
    two.unshare("web")
    two.store.objects[offer_key(two.key.public.id, put.id)] = offer
    assert two.sync().changed == ()
    assert two.shown() == {}


def test_an_answer_is_to_one_offer(two):
    """Who shares it once more is answered once more."""
    put = shared(two)
    two.sync()
    two.answer("web")
    two.unshare("web")
    two.share("web")
    two.sync()
    assert two.shown() == {put.id: PENDING}
    assert two.given() == [(put.id, PENDING, True)]


def test_an_image_in_the_owners_trash_is_not_offered(two):
    put = shared(two)
    two.sync()
    two.answer("web")
    append(two.owner, to_change(two.owner, "web"), Deleted("owner", True))
    with pytest.raises(NotShared, match="deleted"):
        two.source(put.id)
    assert two.sync().gone == (put.id,)


@SEALED
def test_a_rebuild_gives_the_same_list(two, sealed):
    for name, state in (("web", ACCEPTED), ("db", REJECTED), ("new", None)):
        shared(two, name, sealed=sealed)
        two.sync()
        if state is not None:
            two.answer(name, state)
    before = list(two.ada.catalog.query(Query()))
    assert len(before) == 3
    two.rebuild()
    assert list(two.ada.catalog.query(Query())) == before


def test_a_sync_costs_little_while_nothing_is_new(two):
    for name in ("a", "b", "c"):
        shared(two, name)
    two.sync()
    calls = len(two.store.calls)
    two.sync(whole=False)
    assert len(two.store.calls) - calls == 2


def test_nothing_but_what_is_shared_is_asked_for(two):
    """As the bucket policy in docs/sharing.md lets it be read."""
    put, other = shared(two), two.put("other")
    calls = len(two.store.calls)
    two.sync()
    two.answer("web")
    store, key = two.source(put.id)
    find(store, put.id, key)
    allowed = (
        "library.json",
        f"shares/{two.key.public.id}/",
        manifest_key(put.id),
        f"records/{put.id}/",
        f"images/{put.id}/",
    )
    asked = two.store.calls[calls:]
    assert all(key.startswith(allowed) for _, key in asked), asked
    assert not any(other.id in key for _, key in asked)


class TestExchanged:
    """The owner puts another manifest in the place of the one that was accepted."""

    @pytest.fixture
    def put(self, two):
        put = shared(two)
        two.sync()
        two.answer("web")
        return put

    def exchange(self, two, put):
        key = manifest_key(put.id)
        manifest = decoded_manifest(two.store.objects[key])
        body = replace(manifest.body, source_name="another.raw")
        two.store.objects[key] = encoded_manifest(replace(manifest, body=body))
        for name in [name for name in two.store.objects if name.startswith("records/")]:
            del two.store.objects[name]
        del two.store.objects[offer_key(two.key.public.id, put.id)]
        two.owner.catalog.forget(put.id)
        sync(two.owner, whole=True)
        two.share(put.id)

    def test_it_is_told_and_not_used(self, two, put):
        self.exchange(two, put)
        found = two.sync()
        assert any("another than the one that was accepted" in text for text in found.damaged)
        assert two.ada.catalog.entry(put.id).status is Status.ERROR
        with pytest.raises(DataTampered, match="another than the one that was accepted"):
            two.source(put.id)
        two.rebuild()
        assert two.ada.catalog.entry(put.id).status is Status.ERROR

    def test_between_the_look_and_the_reading(self, two, put):
        store, key = two.source(put.id)
        self.exchange(two, put)
        with pytest.raises(DataTampered, match="another manifest"):
            find(store, put.id, key)

    def test_accepting_it_again_takes_the_new_one(self, two, put):
        self.exchange(two, put)
        two.sync()
        assert two.answer(put.id).what == "accepted"
        assert two.ada.catalog.entry(put.id).status is Status.ACTIVE
        two.source(put.id)


class TestHostile:
    @pytest.mark.parametrize(
        "change",
        [
            {"v": 2},
            {"image": "other"},
            {"library": "other"},
            {"seq": "1"},
            {"more": 1},
            {"seq": None},
            {"time": "yesterday"},
            {"owner": "\x1b" * 5000},
        ],
    )
    def test_a_forged_offer_is_told_and_shows_nothing(self, two, change):
        put = shared(two)
        key = offer_key(two.key.public.id, put.id)
        value = {**json.loads(two.store.objects[key]), **change}
        two.store.objects[key] = canonical.encode(
            {name: item for name, item in value.items() if item is not None}
        )
        found = two.sync()
        assert two.shown() == {}
        assert len(found.damaged) == 1
        assert found.unread == ()

    @pytest.mark.parametrize("name", ["../../x.json", "x.json", "a/b.json", "A" * 36 + ".json"])
    def test_keys_that_name_no_image_are_passed_over(self, two, name):
        put = shared(two)
        offer = two.store.objects[offer_key(two.key.public.id, put.id)]
        two.store.objects[f"shares/{two.key.public.id}/{name}"] = offer
        two.sync()
        assert list(two.shown()) == [put.id]

    def test_the_id_of_an_image_of_our_own_changes_nothing_on_it(self, two):
        own = put_image(two.ada.store, "ours")
        for key, data in list(two.ada.store.objects.items()):
            if own.id in key:
                two.store.objects[key] = data
        two.sync()
        before = two.ada.catalog.entry(own.id)
        sync(two.owner, whole=True)
        two.share(own.id)
        found = two.sync()
        assert "is known as another's" in found.damaged[0]
        assert two.ada.catalog.entry(own.id) == before

    def test_a_name_like_one_of_ours_is_in_nobodys_way(self, two):
        own = put_image(two.ada.store, "web")
        put = shared(two, "web")
        two.sync()
        assert find_entry(two.ada.catalog, "web", "").id == own.id
        two.answer(put.id)
        with pytest.raises(ImageAmbiguous):
            find_entry(two.ada.catalog, "web", "")

    def test_a_manifest_that_does_not_hold_together_is_told(self, two):
        put = shared(two)
        two.store.objects[manifest_key(put.id)] = b"{}"
        assert put.id in two.sync().damaged[0]
        assert two.shown() == {}

    def test_a_record_that_is_none_hides_no_other_image(self, two):
        first, put = shared(two, "a", sealed=True), shared(two, "b", sealed=True)
        key = record_key(first.id, 1)
        value = {**json.loads(two.store.objects[key]), "mac": "é"}
        two.store.objects[key] = canonical.encode(value)
        assert "its MAC is none" in " ".join(two.sync().damaged)
        assert put.id in two.shown()
        two.owner.catalog.forget(first.id)
        assert "its MAC is none" in " ".join(sync(two.owner, whole=True).damaged)

    def test_one_that_we_may_not_read_hides_no_other(self, two):
        """As where its lines are not in the bucket's policy."""
        first, put = shared(two, "a"), shared(two, "b")

        def refused(name, number):
            if two.store.calls[-1] == ("get", manifest_key(first.id)):
                raise RemoteRefused("memory:", "AccessDenied", "")

        two.store.before = refused
        found = two.sync()
        assert (list(two.shown()), len(found.unread)) == ([put.id], 1)

    def test_more_records_than_anybody_makes(self, two, monkeypatch):
        monkeypatch.setattr("diskwright.ops.library.offered._RECORDS", 0)
        shared(two)
        assert "more than 0 records" in two.sync().damaged[0]

    def test_larger_records_than_anybody_makes_are_not_read_on(self, two):
        put = shared(two)
        head = two.owner.catalog.entry(put.id).head
        for seq in range(2, 12):
            record = Record(
                put.id, None, seq, head, "2026-01-01T00:00:00Z", "x", {"l": [0] * 500_000}
            )
            two.store.objects[record_key(put.id, seq)] = encoded_record(record)
            head = record_digest(encoded_record(record))
        calls = len(two.store.calls)
        assert "records have more than 4194304 bytes" in two.sync().damaged[0]
        read = [
            key for name, key in two.store.calls[calls:] if (name, key[:8]) == ("get", "records/")
        ]
        assert len(read) == 6
        assert two.shown() == {}

    def test_more_offers_than_anybody_makes(self, two, monkeypatch):
        monkeypatch.setattr("diskwright.ops.library.offered._OFFERS", 0)
        shared(two)
        assert "more than 0 images" in two.sync().unread[0]

    def test_an_answer_of_ours_that_was_spoilt_is_none(self, two):
        put = shared(two)
        two.sync()
        two.answer("web")
        two.ada.store.objects[received_key(put.id, 1)] = b"{}"
        assert "received/" in two.sync().damaged[0]
        assert two.shown() == {put.id: PENDING}
        two.answer("web")
        assert two.shown() == {put.id: ACCEPTED}


def test_a_library_that_is_away_changes_nothing(two):
    put = shared(two)
    two.sync()
    two.answer("web")

    def away(name, call):
        raise RemoteUnreachable("memory:", "nobody answers", "")

    two.store.before = away
    found = two.sync()
    assert (found.gone, len(found.unread)) == ((), 1)
    assert two.shown() == {put.id: ACCEPTED}


def test_another_library_in_its_place_changes_nothing(two):
    """As where a folder is not mounted, or a bucket is somebody else's by now."""
    put = shared(two)
    two.sync()
    two.origin = replace(two.origin, open=MemoryStore)
    assert len(two.sync().unread) == 1
    assert two.shown() == {put.id: PENDING}


def test_an_image_of_our_own_is_not_answered(two):
    put_image(two.ada.store, "ours")
    two.sync()
    with pytest.raises(UsageError):
        two.answer("ours")


def test_an_owner_that_lets_us_write_nothing(two):
    """Our answer stays with us."""
    put = shared(two)
    two.sync()

    def refused(name, call):
        if name == "put":
            raise RemoteUnreachable("memory:", "no", "")

    two.store.before = refused
    two.answer("web")
    two.store.before = lambda name, call: None
    assert two.shown() == {put.id: ACCEPTED}
    assert two.given() == [(put.id, PENDING, True)]
