"""Whoever can write in the library puts other things in the places of what was seen there."""

from __future__ import annotations

import json
import time

import pytest

from diskwright._values import replace
from diskwright.adapters.kms_local import new_key
from diskwright.app import Diskwright
from diskwright.app.library import Library
from diskwright.config import load
from diskwright.errors import DataTampered, ImageNotSealed
from diskwright.model import canonical
from diskwright.model import record as records
from diskwright.model.care import Fault
from diskwright.model.library import Status
from diskwright.model.names import manifest_key
from diskwright.model.record import Proven, Tags, record_key
from diskwright.model.server import ServerKind
from diskwright.ops.library import changes
from diskwright.ops.library.chain import next_record, read_chain
from diskwright.ops.library.place import append, to_change
from support.care import DAY, Care, care, folder_store, id_of_age, template, where

__all__ = ["care", "template", "where"]


def swap(where, one, another):
    """The manifest of one, as it would be, with the name and the data of another."""
    store = folder_store(where)
    data = store.get(manifest_key(another.id)).replace(another.id.encode(), one.id.encode())
    store.put(manifest_key(one.id), data)
    key = another.disks[0].key
    store.put(key.replace(another.id, one.id), store.get(key))


def lengthened(where, image, number):
    """So many records on what lies there, and what tells others to look."""
    store = folder_store(where)
    for _ in range(number):
        chain = read_chain(store, image, None)
        record = next_record(chain, Proven("alice", "restored"), "2026-11-27T08:00:00Z")
        store.put(record_key(image, record.seq), records.encode(record))
        changes.announce(store, image, record.seq, time.time())


READS = pytest.mark.parametrize(
    "read",
    [
        lambda library, image, path: library.download(image, path),
        lambda library, image, path: library.replicate(image, "copy"),
        lambda library, image, path: library.create_server(image, kind=ServerKind.VOLUME),
    ],
    ids=["download", "replicate", "volume"],
)


@READS
def test_another_manifest_is_not_read(care, where, tmp_path, read):
    one, another = care.show("web-1"), care.show("web-2")
    swap(where, one, another)
    with pytest.raises(DataTampered):
        read(care, one.id, str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@READS
@pytest.mark.parametrize("number", [1, 3])
def test_nor_one_that_was_made_longer(care, where, tmp_path, read, number):
    care.tag("web-1", put={"stage": "prod"})
    one, another = care.show("web-1"), care.show("web-2")
    swap(where, one, another)
    lengthened(where, one.id, number + 1)
    told = care.sync().damaged
    assert "another than it was" in told[0]
    now = care.show(one.id)
    assert (now.name, now.head, now.seq) == (one.name, one.head, one.seq)
    assert now.warnings
    with pytest.raises(DataTampered):
        read(care, one.id, str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    assert one.id in {issue.image for issue in care.check().broken}


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_change_of_what_was_swapped_meanwhile_is_none(care, where, number):
    """`number` records were put on it, one of them at our place."""
    one = care.show("web-1")
    another = care.replicate("web-2", "of another length").entry
    place = care.place()
    chain = to_change(place, one.id)
    swap(where, one, another)
    lengthened(where, one.id, number)
    with pytest.raises(DataTampered):
        append(place, chain, Tags("me", put={"a": "b"}))
    assert care.catalog().entry(one.id) == one


def test_no_volume_stands_on_what_was_swapped(care, where):
    one = care.replicate("web-1", "quick", quick=True).entry
    another = care.replicate("web-2", "other", quick=True).entry
    swap(where, one, another)
    with pytest.raises(DataTampered):
        care.create_server(one.id, kind=ServerKind.VOLUME)


def test_of_a_run_that_was_killed_before_its_manifest_nothing_is_missed(care, where):
    """Its data and the hint are there: as of an image whose manifest was lost."""
    made = care.show("web-1")
    store = folder_store(where)
    dead = id_of_age(3 * DAY)
    store.put(f"images/{dead}/new-0.raw", b"data")
    changes.announce(store, dead, 0, time.time())
    assert {one.fault for one in care.check().issues} == {Fault.MISSING}  # of whoever knows no more
    care.catalog().save(replace(made, id=dead, name="new", status=Status.SAVING), ())
    assert {one.fault for one in care.check().issues} == {Fault.ORPHANED}
    assert [one.image for one in care.gc().orphans] == [dead]
    assert care.check().issues == ()


def test_a_plain_image_is_none_that_a_key_was_named_for(where, tmp_path):
    new_key(str(tmp_path / "kek.json"))
    home = tmp_path / "home"
    with (
        Care(where, home, key=f"local:{tmp_path / 'kek.json'}") as library,
        pytest.raises(ImageNotSealed),
    ):
        library.download("web-1", str(tmp_path / "out"))


@pytest.mark.parametrize("own_id", ["../../../evil", "0" * 36, ""])
def test_an_id_of_a_library_is_no_path(where, tmp_path, own_id):
    store = folder_store(where)
    info = json.loads(store.get("library.json"))
    store.put("library.json", canonical.encode({**info, "id": own_id}))
    with Care(where, tmp_path / "home") as library, pytest.raises(DataTampered):
        list(library.list())
    assert not list(tmp_path.rglob("*.sqlite"))


def test_another_library_in_the_place_of_one_that_was_added(where, tmp_path):
    app = Diskwright(load(None, state_dir=f"{tmp_path}/state", data_dir=f"{tmp_path}/data"))
    app.add_library("mine", where)
    store = folder_store(where)
    info = json.loads(store.get("library.json"))
    info["id"] = info["id"][:-1] + ("0" if info["id"][-1] != "0" else "1")
    store.put("library.json", canonical.encode(info))
    with Library("mine", app=app) as library, pytest.raises(DataTampered, match="another one"):
        list(library.list())


@pytest.mark.parametrize("name", ["090500-{}-²", "0905-{}-00000001", "x", "090500-{}-1"])
def test_a_hint_that_is_none_stops_nobody(care, where, name):
    entry = care.show("web-1")
    day = time.strftime("%Y-%m-%d", time.gmtime())
    folder_store(where).put(f"changes/{day}/{name.format(entry.id)}", b"")
    assert len(list(care.list())) == 3
