"""gc: what nobody needs goes, at last; a kill at any moment loses nothing."""

from __future__ import annotations

import time

import pytest

from diskwright._values import replace
from diskwright.adapters.kms_local import new_key
from diskwright.errors import (
    ChangedMeanwhile,
    DataTampered,
    IllegalState,
    ImageNotFound,
    RemoteUnable,
)
from diskwright.model import canonical
from diskwright.model.care import Fault
from diskwright.model.library import Status
from diskwright.model.manifest import ABORTED
from diskwright.model.names import manifest_key
from diskwright.model.record import Deleted, Replicated, record_key
from diskwright.model.server import Use
from diskwright.ops.library import changes, place, purge, trash
from diskwright.ops.library.chain import read_chain
from diskwright.ops.library.uses import put_use, use_key
from support.care import (
    DAY,
    Care,
    Killed,
    Watched,
    add_image,
    care,
    copied,
    folder_store,
    id_of_age,
    keys,
    of_image,
    other,
    small_disk,
    template,
    where,
)

__all__ = ["care", "other", "template", "where"]

UNUSED = "01900000-0000-4000-8000-000000000000"


def put(where: str, key: str, data: bytes = b"x") -> str:
    folder_store(where).put(key, data)
    return key


def why(collected) -> str:
    (kept,) = collected.kept
    return kept.why


def test_a_sealed_image_needs_its_key_to_go(where, tmp_path):
    """Its storage is not told what is deleted; nor is whoever has no key."""
    new_key(str(tmp_path / "kek.json"))
    key, home = f"local:{tmp_path / 'kek.json'}", tmp_path / "home"
    with Care(where, home, key=key) as library:
        image = add_image(library, small_disk(tmp_path / "disk.raw"), "ledger").id
        library.delete("ledger")
    before = of_image(where, image)
    with Care(where, home, later_s=8 * DAY) as without:
        assert "its key" in why(without.gc())
    assert of_image(where, image) == before
    with Care(where, home, key=key, later_s=8 * DAY) as library:
        assert [one.name for one in library.gc().purged] == ["ledger"]
    assert of_image(where, image) == []


def test_out_of_the_trash_after_the_grace_time(care, where, tmp_path):
    image = care.delete("web-1").entry.id
    put(where, f"shares/somebody/{image}.json")
    before = keys(where)
    assert "in the trash since" in why(care.gc())
    with Care(where, tmp_path / "later", later_s=8 * DAY) as later:
        planned = later.gc(dry_run=True)
        assert keys(where) == before
        made = later.gc()
        assert [one.name for one in planned.purged] == ["web-1"]
        assert [one.name for one in made.purged] == ["web-1"]
        assert of_image(where, image) == []
        assert not later.gc().anything
        assert later.check(read_data=True).issues == ()
        with pytest.raises(ImageNotFound):
            later.undelete(image)
    assert image in care.sync().gone
    assert [entry.name for entry in care.list()] == ["web-3", "web-2"][::-1]


def test_a_deleters_clock_that_is_behind_empties_no_trash(care, where, tmp_path):
    with Care(where, tmp_path / "behind", later_s=-8 * DAY) as behind:
        behind.synced()
        behind.delete("web-1")
    assert "in the trash since" in why(care.gc())
    with Care(where, tmp_path / "here", later_s=6 * DAY) as later:
        assert "in the trash since" in why(later.gc())
    with Care(where, tmp_path / "here", later_s=8 * DAY) as later:
        assert len(later.gc().purged) == 1


def test_what_others_need_stays(care, where):
    image = care.delete("web-1").entry.id
    data = next(key for key in keys(where, f"images/{image}/"))
    use = put(where, f"uses/{image}/{UNUSED}.json")
    assert "in use" in why(care.gc(grace_s=0))
    folder_store(where).delete(use)
    delta = id_of_age(10)
    put(where, manifest_key(delta), canonical.encode({"v": 9, "disks": [{"base": {"key": data}}]}))
    assert f"image {delta} rests on it" in why(care.gc(grace_s=0))
    put(where, manifest_key(delta), b"{")
    assert "can't be read" in why(care.gc(grace_s=0))
    folder_store(where).delete(manifest_key(delta))
    assert len(care.gc(grace_s=0).purged) == 1


def test_what_is_being_replicated_stays_for_a_day(care, where, tmp_path):
    at = care.synced()
    chain = read_chain(at.store, care.show("web-1").id, None)
    replica = id_of_age(10)
    place.append(at, chain, Replicated("me", replica, "here"))
    care.delete("web-1")
    assert f"image {replica} is being made of it" in why(care.gc(grace_s=0))
    with Care(where, tmp_path / "later", later_s=2 * DAY) as later:
        assert len(later.gc(grace_s=0).purged) == 1


def test_of_purge_and_undelete_one_wins(care, other):
    image = care.delete("web-1").entry.id
    other.sync()
    back = trash.plan_undelete(other.place(), image)
    at = care.place()
    chain = read_chain(at.store, image, None)
    place.append(at, chain, Deleted(at.who, True, "purged"))
    with pytest.raises(ChangedMeanwhile):
        trash.run(other.place(), back)
    with pytest.raises(IllegalState, match="being removed"):
        other.undelete(image)
    assert len(other.gc().purged) == 1  # what was begun is ended, grace time or not


def test_an_undelete_before_the_mark_keeps_the_image(care, other, monkeypatch):
    image = care.delete("web-1").entry.id

    def first_undeleted(*given, **named):
        monkeypatch.undo()
        other.undelete(image)
        return place.append(*given, **named)

    monkeypatch.setattr("diskwright.ops.library.purge.append", first_undeleted)
    assert "changed meanwhile" in why(care.gc(grace_s=0))
    assert care.show("web-1").status is Status.ACTIVE
    assert care.check(read_data=True).issues == ()


def test_a_server_that_begins_meanwhile_keeps_the_data(care, where, monkeypatch):
    image = care.delete("web-1").entry.id

    def first_used(*given, **named):
        put(where, f"uses/{image}/{UNUSED}.json")
        return place.append(*given, **named)

    monkeypatch.setattr("diskwright.ops.library.purge.append", first_used)
    assert "in use" in why(care.gc(grace_s=0))
    assert keys(where, f"images/{image}/")


def test_what_a_killed_run_left(care, where):
    old, young, odd = id_of_age(2 * DAY), id_of_age(3600), UNUSED
    for image in (old, young, odd):
        put(where, f"images/{image}/disk-0.raw")
    extra = put(where, f"images/{care.show('web-2').id}/condition")
    found = [one for one in care.check().issues if one.fault is Fault.ORPHANED]
    assert {one.image for one in found} == {old, young, odd, care.show("web-2").id}
    made = care.gc()
    assert [one.image for one in made.orphans] == [old]
    assert {one.why for one in made.kept} == {
        "its id does not tell how old it is",
        "it is not old enough",
    }
    assert folder_store(where).get(manifest_key(old)) == ABORTED
    assert of_image(where, old) == [manifest_key(old)]
    assert extra in keys(where)
    made = care.gc(orphan_grace_s=0)
    assert {one.image for one in made.orphans} == {young, care.show("web-2").id}
    assert care.check(read_data=True).broken == ()


def test_an_upload_that_goes_on_elsewhere_keeps_its_image(care, where):
    old = id_of_age(2 * DAY)
    put(where, f"images/{old}/disk-0.raw")
    upload = folder_store(where).create_upload(f"images/{old}/disk-1.raw", part_size=8 << 20)
    assert why(care.gc()) == "an upload to it is open"
    folder_store(where).abort_upload(f"images/{old}/disk-1.raw", upload)
    assert len(care.gc().orphans) == 1


def test_a_lost_manifest_is_no_orphan(care, other, where):
    care.delete("web-1")
    image = care.undelete("web-1").entry.id
    folder_store(where).delete(manifest_key(image))
    before = of_image(where, image)
    for library in (care, other):
        missing = [one for one in library.check().issues if one.fault is Fault.MISSING]
        assert {one.key for one in missing} == {manifest_key(image)}
        assert "manifest is lost" in why(library.gc(orphan_grace_s=0))
    assert of_image(where, image) == before


def test_a_lost_manifest_of_an_image_without_records_is_no_orphan(other, where, tmp_path):
    image = keys(where, "manifests/")[0].split("/")[1].removesuffix(".json")
    folder_store(where).delete(manifest_key(image))
    before = of_image(where, image)
    missing = [one for one in other.check().issues if one.fault is Fault.MISSING]
    assert [one.key for one in missing] == [manifest_key(image)]
    assert "may be an image" in why(other.gc(orphan_grace_s=0))
    with Care(where, tmp_path / "later", later_s=31 * DAY) as later:  # no hint is left of it
        assert later.gc().hints
        assert "may be an image" in why(later.gc())
        assert of_image(where, image) == before
        assert [one.image for one in later.gc(unproven=True).orphans] == [image]


def test_a_mark_of_a_killed_version_is_left_over_and_a_servers_is_not(care, where):
    base, old, young = care.show("web-1").id, id_of_age(2 * DAY), id_of_age(3600)
    for image in (old, young):
        put_use(folder_store(where), base, Use(image, "", "", "2026-01-01T00:00:00Z", ""))
    server = id_of_age(3 * DAY)
    put_use(folder_store(where), base, Use(server, "s", "host", "2026-01-01T00:00:00Z", "me"))
    made = care.gc()
    assert [one.image for one in made.orphans] == [old]
    assert [one.image for one in made.kept] == [young]
    assert set(keys(where, "uses/")) == {use_key(base, young), use_key(base, server)}


def test_uses_and_offers_are_listed_once(care, where, tmp_path):
    listed: list[str] = []

    class Listing:
        def __init__(self, store):
            self._store = store

        def __getattr__(self, name):
            return getattr(self._store, name)

        def list(self, prefix):
            listed.append(prefix)
            return self._store.list(prefix)

    for name in ("web-1", "web-2"):
        care.delete(name)
    with Care(where, tmp_path / "listing", wrap=Listing) as library:
        assert len(library.gc(grace_s=0).purged) == 2
    assert (listed.count("uses/"), listed.count("shares/")) == (1, 1)


def test_old_hints_claims_and_marks(care, where, tmp_path):
    mark = id_of_age(31 * DAY)
    put(where, manifest_key(mark), ABORTED)
    put(where, manifest_key(id_of_age(DAY)), ABORTED)
    changes.announce(folder_store(where), mark, 0, time.time() - 31 * DAY)
    care.delete("web-1")
    care.undelete("web-1")  # taken, given back, taken
    made = care.gc()
    assert (made.hints, made.marks, made.claims) == (1, 1, 0)
    with Care(where, tmp_path / "later", later_s=2 * DAY) as later:
        assert later.gc(dry_run=True).claims == later.gc().claims == 2
        assert later.gc().claims == 0
    assert len(keys(where, "names/")) == 3
    assert manifest_key(mark) not in keys(where)


def test_a_store_without_conditions_is_refused(care, monkeypatch):
    store = care.place().store
    capable = replace(store.probe(), conditional_put=False)
    monkeypatch.setattr(type(store), "probe", lambda self: capable)
    with pytest.raises(RemoteUnable):
        care.gc()
    assert not care.gc(dry_run=True).anything


VERBS = {
    "delete": (lambda one, image: None, lambda one, image: one.delete(image)),
    "undelete": (lambda one, image: one.delete(image), lambda one, image: one.undelete(image)),
    "gc": (lambda one, image: one.delete(image), lambda one, image: one.gc(grace_s=0)),
    "prune": (
        lambda one, image: one.prove("web-3"),
        lambda one, image: one.prune("stable", keep=1),
    ),
}


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", VERBS)
def test_a_kill_at_any_call_loses_nothing(name, done, template, tmp_path):
    """At most orphans are left, which the next gc removes; and the verb can be run again."""
    prepare, run = VERBS[name]
    start = tmp_path / "start"
    with Care(copied(template, start), tmp_path / "begun") as library:
        image = library.show("web-1").id
        prepare(library, image)
    number, ended = 0, False
    while not ended:
        number += 1
        assert number < 200
        where = copied(start, tmp_path / f"killed-{number}")
        watched = Watched(folder_store(where), number, done=done)
        with Care(where, tmp_path / f"here-{number}", wrap=lambda _, it=watched: it) as library:
            try:
                run(library, image)
                ended = True
            except Killed:
                pass
        with Care(where, tmp_path / f"here-{number}") as library:
            found = library.check(read_data=True)
            assert found.broken == (), number
            library.gc(orphan_grace_s=0)
            assert library.check().issues == (), number
            left = {entry.id: entry for entry in library.list()}
            manifest = manifest_key(image) in keys(where)
            deleted = manifest and image not in left
            assert image in left or deleted or of_image(where, image) in ([], [manifest_key(image)])
            assert {one.name for one in left.values()} >= {"web-3"}
        with Care(where, tmp_path / f"there-{number}") as library:
            assert {entry.id: entry for entry in library.list()} == left, number
    assert number > 5


def test_one_that_can_not_be_looked_at_keeps_no_others(care, monkeypatch):
    first = care.delete("web-1").entry.id
    care.delete("web-2")
    real = purge.looked_at

    def fails(place, image, *given, **named):
        if image == first:
            raise DataTampered(f"image {image}", "its time is none")
        return real(place, image, *given, **named)

    monkeypatch.setattr(purge, "looked_at", fails)
    made = care.gc(grace_s=0)
    assert [one.name for one in made.purged] == ["web-2"]
    assert "its time is none" in why(made)


def test_records_go_oldest_first(care, where, tmp_path):
    """So what a kill leaves of a purge is known as such."""
    for _ in range(2):
        care.delete("web-1")
        image = care.undelete("web-1").entry.id
    care.delete("web-1")
    seen: list[str] = []

    class Noting:
        def __init__(self, store):
            self._store = store

        def __getattr__(self, name):
            return getattr(self._store, name)

        def delete(self, key):
            seen.append(key)
            self._store.delete(key)

    with Care(where, tmp_path / "noting", wrap=Noting) as library:
        library.gc(grace_s=0)
    assert seen[0] == manifest_key(image)
    assert [key for key in seen if key.startswith("records/")] == [
        record_key(image, number) for number in range(1, 7)
    ]


def test_uploads_that_nobody_goes_on_with(care, where, tmp_path):
    """Of a run that was killed elsewhere before any data was there, and of a put that was."""
    store = folder_store(where)
    store.create_upload(f"images/{id_of_age(2 * DAY)}/web-0.raw", part_size=8 << 20)
    store.create_upload(f"names/{'0' * 64}/00000001.json", part_size=8 << 20)
    assert care.gc().uploads == 0  # they are young
    assert len(list(store.list_uploads(""))) == 2
    with Care(where, tmp_path / "later", later_s=2 * DAY) as later:
        assert later.gc(dry_run=True).uploads == 2
        assert len(list(store.list_uploads(""))) == 2
        assert later.gc().uploads == 2
    assert list(store.list_uploads("")) == []
