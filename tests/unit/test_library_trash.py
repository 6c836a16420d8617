"""delete and undelete: a record each; names are given back and taken; of two at once one wins."""

from __future__ import annotations

import pytest

from diskwright._values import replace
from diskwright.errors import (
    ChangedMeanwhile,
    IllegalState,
    ImageAmbiguous,
    ImageInUse,
    NameTaken,
    ReadOnlyImage,
)
from diskwright.model.library import Status, Visibility
from diskwright.model.record import Attributes
from diskwright.ops.library import modify, trash
from support.care import add_image, care, folder_store, keys, other, small_disk, template, where

__all__ = ["care", "other", "template", "where"]


def names(library) -> list[str]:
    return sorted(entry.name for entry in library.list())


def test_deleted_and_taken_back(care, where):
    before = keys(where, "images/")
    made = care.delete("web-1", reason="old")
    assert made.entry.status is Status.PENDING_DELETE
    assert names(care) == ["web-2", "web-3"]
    assert keys(where, "images/") == before
    with pytest.raises(IllegalState, match="in the trash"):
        care.delete("web-1")
    with pytest.raises(IllegalState):
        care.delete(made.entry.id)
    assert care.history(made.entry.id)[-1].what == "into the trash; because: old"
    assert care.undelete("web-1").entry.status is Status.ACTIVE
    assert [one.kind for one in care.history("web-1")] == ["created", "deleted", "undeleted"]
    assert names(care) == ["web-1", "web-2", "web-3"]
    with pytest.raises(IllegalState):
        care.undelete("web-1")


def test_a_dry_run_changes_nothing(care, where):
    before = keys(where)
    assert care.delete("web-1", dry_run=True).entry.status is Status.ACTIVE
    assert keys(where) == before


def test_its_name_may_be_taken_meanwhile(care, tmp_path):
    old = care.delete("web-1").entry.id
    new = add_image(care, small_disk(tmp_path / "new.raw"), "web-1")
    for dry_run in (True, False):
        with pytest.raises(NameTaken):
            care.undelete("web-1", dry_run=dry_run)
    assert care.undelete("web-1", allow_duplicate=True).entry.id == old != new.id
    assert names(care) == ["web-1", "web-1", "web-2", "web-3"]


def test_none_that_is_used_or_anothers(care, where):
    entry = care.show("web-1")
    use = f"uses/{entry.id}/0b0f6d30-0000-4000-8000-000000000000.json"
    folder_store(where).put(use, b"{}")
    with pytest.raises(ImageInUse, match="0b0f6d30"):
        care.delete("web-1")
    folder_store(where).delete(use)
    shared = replace(entry, visibility=Visibility.SHARED, origin="dir:/elsewhere")
    care.place().catalog.save(shared, ())
    with pytest.raises(ReadOnlyImage):
        trash.plan_delete(care.place(), "web-1")


def test_of_two_at_once_one_wins(care, other):
    for library in (care, other):
        library.sync()
    image = care.show("web-1").id
    mine, theirs = (trash.plan_delete(one.place(), image) for one in (care, other))
    asked = Attributes("", description="newer")
    changed = modify.plan_set(other.place(), image, asked)
    trash.run(care.place(), mine)
    with pytest.raises(ChangedMeanwhile, match="deleted by"):
        trash.run(other.place(), theirs)
    with pytest.raises(ChangedMeanwhile):
        modify.run(other.place(), changed)
    assert other.show(image).status is care.show(image).status is Status.PENDING_DELETE


def test_a_lost_undelete_gives_the_name_back(care, other, tmp_path):
    image = care.delete("web-1").entry.id
    other.sync()
    mine, theirs = (trash.plan_undelete(one.place(), image) for one in (care, other))
    trash.run(care.place(), mine)
    with pytest.raises(ChangedMeanwhile):
        trash.run(other.place(), theirs)
    care.set("web-1", name="renamed")
    add_image(other, small_disk(tmp_path / "new.raw"), "web-1")


def test_one_in_the_trash_is_shown_by_its_name(care):
    image = care.delete("web-1").entry.id
    assert care.show("web-1").id == image
    assert [one.kind for one in care.history("web-1")] == ["created", "deleted"]
    with pytest.raises(IllegalState, match="is in the trash already") as caught:
        care.delete(image)
    assert caught.value.hint.endswith(f"diskwright image undelete {image}")
    with pytest.raises(IllegalState, match=r"is in the trash: it can't be changed") as caught:
        care.set(image, description="no")
    assert caught.value.hint == f"diskwright image undelete {image}"
    care.set("web-2", name="web-1")
    assert care.show("web-1").id != image, "one that lives comes first"
    care.delete("web-1")
    with pytest.raises(ImageAmbiguous, match=image):
        care.show("web-1")
