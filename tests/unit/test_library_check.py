"""check: what is missing, changed or left over is told, and the catalog knows of it."""

from __future__ import annotations

import pytest

from diskwright.model import care as values
from diskwright.model.care import Fault
from diskwright.model.library import Status
from diskwright.model.names import manifest_key
from diskwright.model.record import record_key
from diskwright.report.library_care import checked_text
from support.care import care, folder_store, keys, other, template, where

__all__ = ["care", "other", "template", "where"]


def data_of(care, name: str) -> str:
    (disk,) = care.show(name).disks
    return disk.key


def found(checked: values.Checked) -> list[tuple[Fault, str]]:
    return [(one.fault, one.key) for one in checked.issues]


def test_a_whole_library(care):
    made = care.check()
    assert (made.images, made.objects, made.parts, made.issues) == (3, 3, 3, ())
    assert made.bytes_read == sum(entry.object_size for entry in care.list())
    assert checked_text(made).endswith("nothing is damaged or missing")


def change_a_byte(store, key):
    data = bytearray(store.get(key))
    data[len(data) // 2] ^= 1
    store.put(key, bytes(data))


DAMAGE = {
    "a byte": (change_a_byte, Fault.DAMAGED, "part 1 does not have its digest"),
    "shorter": (lambda s, key: s.put(key, s.get(key)[:-1]), Fault.DAMAGED, "bytes, its manifest"),
    "missing": (lambda s, key: s.delete(key), Fault.MISSING, "not there"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damaged_data_and_mended_again(care, where, what):
    damage, fault, detail = DAMAGE[what]
    store, key = folder_store(where), data_of(care, "web-2")
    good = store.get(key)
    damage(store, key)
    made = care.check(read_data=True)
    assert found(made) == [(fault, key)]
    assert detail in made.issues[0].detail
    entry = care.show("web-2")
    assert entry.status is Status.ERROR
    assert key in entry.warnings[0]
    care.set("web-2", description="as it was")
    assert care.show("web-2").status is Status.ERROR, "what is said of it mends no data"
    store.put(key, good)
    assert care.check().issues == ()  # what was damaged is read whole, however small the sample
    entry = care.show("web-2")
    assert (entry.status, entry.warnings) == (Status.ACTIVE, ())


def test_a_damaged_one_can_be_deleted(care, where):
    change_a_byte(folder_store(where), data_of(care, "web-2"))
    care.check(read_data=True)
    assert care.delete("web-2").entry.status is Status.PENDING_DELETE
    assert [one.fault for one in care.check(read_data=True).issues] == [Fault.DAMAGED]
    assert len(care.gc(grace_s=0).purged) == 1
    assert care.check(read_data=True).issues == ()


def test_the_trash_mends_nothing(care, where):
    store, key = folder_store(where), data_of(care, "web-2")
    good = store.get(key)
    change_a_byte(store, key)
    care.check(read_data=True)
    image = care.delete("web-2").entry.id
    care.undelete(image)
    entry = care.show("web-2")
    assert (entry.status, len(entry.warnings)) == (Status.ERROR, 1)
    store.put(key, good)
    assert care.check().issues == ()
    care.delete("web-2")
    care.undelete(image)
    assert care.show("web-2").status is Status.ACTIVE


def test_records_that_do_not_follow(care, other, where):
    for text in ("one", "two"):
        care.set("web-1", description=text)
    image = care.show("web-1").id
    folder_store(where).delete(record_key(image, 1))
    for library in (care, other):
        made = library.check()
        assert {one.fault for one in made.issues} == {Fault.DAMAGED}
        assert any("is missing" in one.detail for one in made.issues)


def test_a_manifest_that_is_none(care, other, where):
    image = care.show("web-1").id
    folder_store(where).put(manifest_key(image), b"{}")
    for library in (care, other):
        made = library.check()
        assert (Fault.DAMAGED, manifest_key(image)) in found(made)
        assert library.gc(orphan_grace_s=0).orphans == ()


def test_a_claim_that_is_none(care, where):
    key = keys(where, "names/")[0]
    folder_store(where).put(key, b"what")
    assert found(care.check()) == [(Fault.DAMAGED, key)]


def test_the_sample_is_drawn(care, monkeypatch):
    from diskwright.ops.library.check import _sample

    parts = list(range(1000))

    class Part:
        def __init__(self, number):
            self.stored, self.number = self, number
            self.key = ""

    drawn = [0]

    def entropy(count):
        drawn[0] += 7919
        return drawn[0].to_bytes(count, "big")

    chosen = _sample([Part(n) for n in parts], 1.0, entropy)
    again = _sample([Part(n) for n in parts], 1.0, entropy)
    numbers, others = ([part.number for part in one] for one in (chosen, again))
    assert len(set(numbers)) == 10
    assert numbers == sorted(numbers) != others
    assert len(_sample([Part(1)], 0.0, entropy)) == 1


@pytest.mark.parametrize("whole", [True, False])
def test_a_rebuild_tells_of_lost_manifests(care, other, where, whole):
    """By what lies there, and by what this catalog knew."""
    image = care.show("web-1").id
    store = folder_store(where)
    for key in keys(where, f"images/{image}/" if whole else "nothing/"):
        store.delete(key)
    store.delete(manifest_key(image))
    told = care.rebuild().damaged
    assert told == (f"image {image}: its manifest is gone from the library",)
    assert other.rebuild().damaged == (() if whole else told)


def test_a_rebuild_tells_of_none_that_went(care, other):
    care.sync()
    other.delete("web-1")
    other.gc(grace_s=0)
    assert care.rebuild().damaged == ()
