"""A manifest that is lost while its image is in the trash: nothing else of it is removed."""

from __future__ import annotations

import pytest

from diskwright.adapters.kms_local import new_key
from diskwright.model.care import Fault
from diskwright.model.library import Status
from diskwright.model.names import manifest_key
from diskwright.model.record import Deleted, record_key
from diskwright.ops.library import changes, place
from diskwright.ops.library.chain import read_chain
from support.care import (
    DAY,
    Care,
    add_image,
    care,
    folder_store,
    keys,
    of_image,
    other,
    small_disk,
    template,
    where,
)

__all__ = ["care", "other", "template", "where"]


def missing(library) -> set[str]:
    return {one.key for one in library.check().issues if one.fault is Fault.MISSING}


@pytest.fixture
def lost(care, where):
    image = care.delete("web-1").entry.id
    folder_store(where).delete(manifest_key(image))
    return image


def test_it_is_told_and_kept(care, other, where, lost, tmp_path):
    before = of_image(where, lost)
    for library in (care, other):
        assert missing(library) == {manifest_key(lost)}
        (kept,) = library.gc(grace_s=0, orphan_grace_s=0).kept
        assert kept.image == lost
    for late in (2, 8, 31):
        with Care(where, tmp_path / f"late-{late}", later_s=late * DAY) as library:
            assert not library.gc().orphans
            assert missing(library) == {manifest_key(lost)}
    assert of_image(where, lost) == before


def test_where_it_was_known_it_stays_in_the_trash(care, lost):
    assert lost not in care.sync().gone
    entry = care.place().catalog.entry(lost)
    assert entry.status is Status.PENDING_DELETE
    assert "its manifest is gone from the library" in entry.warnings


def test_a_manifest_that_came_back_is_as_before(care, where, tmp_path):
    image = care.show("web-1").id
    data = folder_store(where).get(manifest_key(image))
    care.delete("web-1")
    folder_store(where).delete(manifest_key(image))
    care.check()
    folder_store(where).put(manifest_key(image), data)
    assert care.check(read_data=True).issues == ()
    assert care.undelete(image).entry.status is Status.ACTIVE


def test_a_sealed_one_stays_too(where, tmp_path):
    new_key(str(tmp_path / "kek.json"))
    key = f"local:{tmp_path / 'kek.json'}"
    with Care(where, tmp_path / "home", key=key) as library:
        image = add_image(library, small_disk(tmp_path / "disk.raw"), "ledger").id
        library.delete("ledger")
        folder_store(where).delete(manifest_key(image))
        before = of_image(where, image)
    with Care(where, tmp_path / "late", key=key, later_s=9 * DAY) as late:
        assert not late.gc().orphans
    assert of_image(where, image) == before


@pytest.mark.parametrize("by", ["two deletions", "a hint"])
def test_what_a_purge_began_is_ended(care, other, where, by):
    image = care.delete("web-1").entry.id
    at = care.place()
    if by == "a hint":
        changes.announce(at.store, image, None, at.now())
    else:
        place.append(at, read_chain(at.store, image, None), Deleted("me", True, "purged"))
    at.store.delete(manifest_key(image))
    assert [one.image for one in other.gc(orphan_grace_s=0).orphans] == [image]
    assert of_image(where, image) == [manifest_key(image)]


def test_a_deletion_between_others_is_no_proof(other, care, where):
    """Out of the trash, and into it again."""
    care.delete("web-1")
    image = care.undelete("web-1").entry.id
    care.delete("web-1")
    folder_store(where).delete(manifest_key(image))
    assert not other.gc(orphan_grace_s=0).orphans
    assert record_key(image, 3) in keys(where)


def test_a_sync_tells_what_is_damaged_until_it_is_mended(care, where):
    image = care.show("web-1").id
    (key,) = keys(where, f"images/{image}/")
    data = folder_store(where).get(key)
    folder_store(where).put(key, bytes(len(data)))
    assert care.sync().damaged == ()  # nobody has looked
    care.check(read_data=True)
    for found in (care.sync(), care.sync()):
        (told,) = found.damaged
        assert image in told
    folder_store(where).put(key, data)
    care.check(read_data=True)
    assert care.sync().damaged == ()
