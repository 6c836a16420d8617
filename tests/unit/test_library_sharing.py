"""share and unshare: complete or completed by repeating, one winner of a race, nothing moved."""

from __future__ import annotations

import pytest

from diskwright._values import replace
from diskwright.envelope import header
from diskwright.errors import (
    ChangedMeanwhile,
    IllegalState,
    ReadOnlyImage,
    TooManyRecipients,
    UsageError,
)
from diskwright.model.library import MemberState
from diskwright.model.record import Deleted, record_key
from diskwright.model.sharing import answer_key, offer_key
from diskwright.ops.library import modify, sharing
from diskwright.ops.library.chain import read_chain
from diskwright.ops.library.place import append, to_change
from diskwright.ops.library.sync import sync
from support.accounts import account, pair
from support.library_images import KEY, put_image

SEALED = pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])


@pytest.fixture
def two(tmp_path):
    return pair(tmp_path)


def opens(two, image):
    chain = read_chain(two.store, image, two.key)
    return chain.body is not None


@SEALED
def test_a_receiver_can_read_what_is_shared_and_not_what_was_taken_back(two, sealed):
    put = two.put("web", sealed=sealed)
    entry = two.share("web")
    assert [(m.account, m.name) for m in entry.members] == [(two.key.public.id, "ada")]
    assert opens(two, put.id)
    assert offer_key(two.key.public.id, put.id) in two.store.objects
    entry = two.unshare("web")
    assert entry.members == ()
    assert opens(two, put.id) is not sealed
    assert not any(key.startswith("shares/") for key in two.store.objects)


def test_the_owners_key_opens_it_before_and_after(two):
    put = two.put("web", sealed=True)
    for change in (two.share, two.unshare):
        change("web")
        assert read_chain(two.store, put.id, KEY).body.name == "web"


def test_the_offer_of_a_sealed_image_tells_no_name(two):
    put = two.put("a-name-of-its-own", sealed=True)
    two.share(put.id)
    told = [data for key, data in two.store.objects.items() if not key.startswith("names/")]
    assert not any(b"a-name-of-its-own" in data for data in told)


@SEALED
def test_repeating_changes_nothing(two, sealed):
    two.put("web", sealed=sealed)
    for change in (two.share, two.unshare):
        change("web")
        before = dict(two.store.objects)
        change("web")
        assert two.store.objects == before


@SEALED
@pytest.mark.parametrize("lost", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("verb", ["share", "unshare"])
def test_one_that_was_cut_short_anywhere_is_completed_by_repeating(tmp_path, verb, sealed, lost):
    """At each call of the store, before it or when it has done its work."""
    number = cut = 0
    while cut == number:
        number += 1
        folder = tmp_path / str(number)
        folder.mkdir()
        two = pair(folder)
        put = two.put("web", sealed=sealed)
        if verb == "unshare":
            two.share("web")
        first = len(two.store.calls)

        def stop(name, call, at=first + number):
            if call == at:
                raise KeyboardInterrupt

        setattr(two.store, "after" if lost else "before", stop)
        try:
            getattr(two, verb)("web")
        except KeyboardInterrupt:
            cut += 1
        setattr(two.store, "after" if lost else "before", lambda name, call: None)
        sync(two.owner)
        getattr(two, verb)("web")
        sync(two.owner)
        shared = verb == "share"
        assert two.given() == ([(put.id, MemberState.PENDING, True)] if shared else [])
        assert (offer_key(two.key.public.id, put.id) in two.store.objects) is shared
        if sealed:
            assert opens(two, put.id) is shared
        assert read_chain(two.store, put.id, KEY).warnings == ()
    assert cut > 5


@SEALED
def test_of_share_and_delete_at_once_one_wins(two, sealed):
    """The owner's two workstations; which record comes first decides."""
    put = two.put("web", sealed=sealed)
    planned = sharing.plan_share(two.owner, "web", two.key.public, name="ada")
    deleting = to_change(two.owner, "web")
    append(two.owner, deleting, Deleted("ben", True))
    with pytest.raises(ChangedMeanwhile, match="deleted by ben"):
        sharing.run(two.owner, planned)
    assert not any(key.startswith("shares/") for key in two.store.objects)
    with pytest.raises(IllegalState):
        two.share(put.id)


@SEALED
def test_of_delete_and_share_at_once_one_wins(two, sealed):
    two.put("web", sealed=sealed)
    deleting = to_change(two.owner, "web")
    two.share("web")
    with pytest.raises(ChangedMeanwhile):
        append(two.owner, deleting, Deleted("ben", True))


def test_a_delete_between_the_two_records_of_a_share_wins(two):
    put = two.put("web", sealed=True)
    planned = sharing.plan_share(two.owner, "web", two.key.public, name="ada")

    def deleted(name, call):
        if record_key(put.id, 1) in two.store.objects:
            two.store.after = lambda name, call: None
            append(two.owner, to_change(two.owner, put.id), Deleted("ben", True))

    two.store.after = deleted
    with pytest.raises(ChangedMeanwhile, match="deleted by ben"):
        sharing.run(two.owner, planned)
    assert offer_key(two.key.public.id, put.id) not in two.store.objects
    assert not opens(two, put.id)
    assert read_chain(two.store, put.id, KEY).seq == 3
    with pytest.raises(UsageError, match="never shared"):
        two.unshare(put.id)


def test_no_more_receivers_than_a_header_holds(two):
    """Of which a copy may be made that is sealed for them all."""
    put = two.put("web", sealed=True)
    for number in range(9):
        public = account(f"number {number}").public
        sharing.run(two.owner, sharing.plan_share(two.owner, "web", public, name=public.name))
    chain = read_chain(two.store, put.id, KEY)
    assert len(header.encode(put.seal.disks[0].j1, chain.recipients, bytes(32))) == 16384
    with pytest.raises(TooManyRecipients):
        two.share("web")
    assert len(two.given()) == 9


def test_whom_it_was_sealed_for_is_no_account(two):
    """Taking it back would lock an owner out."""
    put = put_image(two.store, "web", size=1 << 16, key=two.key)
    owner = replace(two.owner, wrapper=two.key)
    sync(owner, whole=True)
    with pytest.raises(UsageError, match="opens it already"):
        sharing.plan_share(owner, put.id, two.key.public, name="me")
    with pytest.raises(UsageError, match="never shared"):
        sharing.plan_unshare(owner, put.id, two.key.public.id)


def test_nobody_it_was_never_shared_with_is_taken_out(two):
    two.put("web", sealed=True)
    with pytest.raises(UsageError, match="never shared"):
        two.unshare("web")


def test_taken_back_by_the_name_that_it_was_shared_under(two):
    two.put("web")
    two.share("web")
    plan = sharing.plan_unshare(two.owner, "web", "ada")
    assert plan.account == two.key.public.id
    sharing.run(two.owner, plan)
    assert two.given() == []


def test_a_dry_run_writes_nothing(two):
    two.put("web", sealed=True)
    before = dict(two.store.objects)
    plan = sharing.plan_share(two.owner, "web", two.key.public, name="ada")
    assert sharing.made(two.owner, plan, dry_run=True).what == "shared with ada"
    assert two.store.objects == before


def test_what_was_cut_short_is_told_as_such(two):
    put = two.put("web")
    two.share("web")
    del two.store.objects[offer_key(two.key.public.id, put.id)]
    assert two.given() == [(put.id, MemberState.PENDING, False)]
    plan = sharing.plan_share(two.owner, "web", two.key.public, name="ada")
    assert sharing.made(two.owner, plan, dry_run=False).what == "sharing with ada completed"
    assert two.given() == [(put.id, MemberState.PENDING, True)]


@pytest.mark.parametrize(
    "forged",
    [
        b"",
        b"{}",
        b"x" * 5000,
        b'{"image":"ID","offer":1,"state":"accepted","time":"t","v":1,"who":"w","x":1}',
        b'{"image":"ID","offer":7,"state":"accepted","time":"t","v":1,"who":"w"}',
        b'{"image":"other","offer":1,"state":"accepted","time":"t","v":1,"who":"w"}',
        b'{"image":"ID","offer":1,"state":"owner","time":"t","v":1,"who":"w"}',
        b'{"image":"ID","offer":1,"state":"accepted","time":"t","v":2,"who":"w"}',
        b'{"image": "ID","offer":1,"state":"accepted","time":"t","v":1,"who":"w"}',
    ],
)
def test_a_forged_answer_is_none(two, forged):
    put = two.put("web")
    two.share("web")
    key = answer_key(two.key.public.id, put.id)
    two.store.objects[key] = forged.replace(b"ID", put.id.encode())
    assert two.given() == [(put.id, MemberState.PENDING, True)]


def test_what_is_shared_with_us_is_not_ours_to_share(two):
    put = two.put("web")
    two.share("web")
    two.sync()
    two.answer("web")
    with pytest.raises(ReadOnlyImage):
        sharing.plan_share(two.ada, put.id, account().public, name="eve")
    with pytest.raises(ReadOnlyImage):
        modify.plan_tags(two.ada, "web", put={"a": "b"})
