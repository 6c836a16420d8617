"""A name that an image took stays its own, whatever fails once its record is there."""

from __future__ import annotations

import pytest

from diskwright.errors import NameTaken, RemoteUnreachable
from diskwright.model.record import Attributes, Deleted
from diskwright.ops.library import modify, trash
from diskwright.ops.library.claims import take_name
from diskwright.ops.library.place import append, to_change
from diskwright.ops.library.sync import sync
from support.library_images import KEY, put_image
from support.library_places import workstation
from support.memory_store import MemoryStore

ANOTHER = "0190b0f4-0000-7000-8000-000000000001"
BOTH = pytest.mark.parametrize("key", [None, KEY], ids=["plain", "sealed"])


@pytest.fixture
def place(tmp_path):
    return workstation(MemoryStore(), tmp_path, key=KEY)


def put(place, key):
    image = put_image(place.store, "web", key=key, size=1 << 12).id
    sync(place, whole=True)
    return image


def fails_once(place, *, after: str, times: int = 1):
    """The calls that follow the first `put` of a record are not answered, or that one does not come
    (`after` is `nothing`)."""
    store, left = place.store, [times]

    def before(name, number):
        key = store.calls[-1][1]
        records = any(one.startswith("records/") for one in store.objects)
        is_put = name == "put" and key.startswith("records/")
        if left[0] and (is_put if after == "nothing" else records and name in {"list", "get"}):
            left[0] -= 1
            raise RemoteUnreachable("memory:", "nobody answers", "")

    store.before = before


def taken(place, name, key):
    return take_name(place, name, ANOTHER, sealed=key is not None, duplicate=False)


@BOTH
@pytest.mark.parametrize("times", [1, 2, 3])
def test_of_a_rename_whose_record_is_there(place, key, times):
    image = put(place, key)
    plan = modify.plan_set(place, image, Attributes("", name="shop"))
    fails_once(place, after="its record", times=times)
    with pytest.raises(RemoteUnreachable):
        modify.run(place, plan)
    place.store.before = lambda name, number: None
    place.catalog.forget(image)  # as on another workstation
    with pytest.raises(NameTaken, match=image):
        taken(place, "shop", key)


@BOTH
def test_of_a_rename_that_did_not_come_it_is_given_back(place, key):
    image = put(place, key)
    plan = modify.plan_set(place, image, Attributes("", name="shop"))
    fails_once(place, after="nothing")
    with pytest.raises(RemoteUnreachable):
        modify.run(place, plan)
    assert taken(place, "shop", key)


@BOTH
def test_of_an_undelete(place, key):
    image = put(place, key)
    append(place, to_change(place, image), Deleted("me", True))
    plan = trash.plan_undelete(place, image)
    store = place.store

    def before(name, number):
        if name == "list" and f"records/{image}/00000002.json" in store.objects:
            store.before = lambda name, number: None
            raise RemoteUnreachable("memory:", "nobody answers", "")

    store.before = before
    with pytest.raises(RemoteUnreachable):
        trash.run(place, plan)
    place.catalog.forget(image)
    with pytest.raises(NameTaken, match=image):
        taken(place, "web", key)
