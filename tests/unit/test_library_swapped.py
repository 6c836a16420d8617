"""Whoever can write in the library puts other things in the places of what was seen there."""

from __future__ import annotations

import json
import time

import pytest

from diskwright.adapters.kms_local import new_key
from diskwright.app import Diskwright
from diskwright.app.library import Library
from diskwright.config import load
from diskwright.errors import DataTampered, ImageNotSealed
from diskwright.model import canonical
from diskwright.model.names import manifest_key
from diskwright.model.server import ServerKind
from support.care import Care, care, folder_store, template, where

__all__ = ["care", "template", "where"]


def swap(where, one, another):
    """The manifest of one, as it would be, with the name and the data of another."""
    store = folder_store(where)
    data = store.get(manifest_key(another.id)).replace(another.id.encode(), one.id.encode())
    store.put(manifest_key(one.id), data)
    key = another.disks[0].key
    store.put(key.replace(another.id, one.id), store.get(key))


@pytest.mark.parametrize(
    "read",
    [
        lambda library, image, path: library.download(image, path),
        lambda library, image, path: library.replicate(image, "copy"),
        lambda library, image, path: library.create_server(image, kind=ServerKind.VOLUME),
    ],
    ids=["download", "replicate", "volume"],
)
def test_another_manifest_is_not_read(care, where, tmp_path, read):
    one, another = care.show("web-1"), care.show("web-2")
    swap(where, one, another)
    with pytest.raises(DataTampered):
        read(care, one.id, str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


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
