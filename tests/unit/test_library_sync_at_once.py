"""Two processes of one workstation, which have one catalog: neither takes the other for damage."""

from __future__ import annotations

import pytest

from diskwright._values import replace
from diskwright.model.library import Status
from diskwright.model.names import MANIFESTS, manifest_key
from diskwright.model.record import Attributes
from diskwright.ops.library import modify
from diskwright.ops.library.chain import read_chain
from diskwright.ops.library.place import reread
from diskwright.ops.library.sync import sync
from support.library_images import put_image
from support.library_places import Clock, workstation
from support.memory_store import MemoryStore


@pytest.fixture
def team(tmp_path):
    store, clock = MemoryStore(), Clock()
    return [workstation(store, tmp_path, who=who, clock=clock) for who in ("ann", "ben")]


@pytest.fixture
def here(team):
    return team[0]


def rename(place, image, name):
    return modify.run(place, modify.plan_set(place, image, Attributes("", name=name)))


def test_an_image_that_is_committed_after_the_listing_is_not_lost(here, monkeypatch):
    put = put_image(here.store, "web")
    sync(here, whole=True)
    entry, data = here.catalog.entry(put.id), here.store.objects.pop(manifest_key(put.id))
    here.catalog.forget(put.id)
    here.catalog.save(replace(entry, status=Status.SAVING), ())
    original = here.store.list

    def listed(prefix):
        found = list(original(prefix))
        if prefix == MANIFESTS:
            here.store.objects[manifest_key(put.id)] = data
            reread(here, put.id)
        return iter(found)

    monkeypatch.setattr(here.store, "list", listed)
    assert sync(here, whole=True).damaged == ()
    assert here.catalog.entry(put.id) == entry


def test_a_change_that_is_put_after_the_records_were_read_is_no_rollback(team, monkeypatch):
    here, elsewhere = team
    put = put_image(here.store, "web")
    for place in team:
        sync(place, whole=True)
    rename(elsewhere, put.id, "web-1")
    late = ["web-2"]

    def read(*given, **named):
        chain = read_chain(*given, **named)
        if late:
            rename(here, put.id, late.pop())
        return chain

    monkeypatch.setattr("diskwright.ops.library.sync.read_chain", read)
    assert sync(here, whole=True).damaged == ()
    entry = here.catalog.entry(put.id)
    assert (entry.name, entry.seq, entry.warnings) == ("web-2", 2, ())
