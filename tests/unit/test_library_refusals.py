"""What can't be made of an image, and what is said then."""

from __future__ import annotations

import pytest

from diskwright.adapters.kms_receiver import new_receiver
from diskwright.errors import IllegalState
from diskwright.model.creation import CreateRequest
from diskwright.model.library import ImageKind
from support.care import care, folder_store, small_disk, template, where

__all__ = ["care", "template", "where"]


def damage(care, where: str, image: str) -> None:
    store, key = folder_store(where), care.show(image).disks[0].key
    data = bytearray(store.get(key))
    data[len(data) // 2] ^= 1
    store.put(key, bytes(data))
    care.check(read_data=True)


def version(care, tmp_path, name: str, base: str):
    request = CreateRequest(name, ImageKind.DATA)
    disk = small_disk(tmp_path / "version.raw", seed=7)
    return care.create([str(disk)], request=request, base=base)[0]


def test_nothing_is_made_of_a_damaged_image(care, where, tmp_path):
    damage(care, where, "web-2")
    with pytest.raises(IllegalState, match=r"is damaged: it can't be replicated") as caught:
        care.replicate("web-2", "copy")
    assert caught.value.exit_code == 14
    assert caught.value.hint == f"diskwright image show {care.show('web-2').id}"
    with pytest.raises(IllegalState, match=r"is damaged: it can't be a base"):
        version(care, tmp_path, "next", "web-2")
    assert {one.name for one in care.list()} == {"web-1", "web-2", "web-3"}


def test_a_whole_replica_rests_on_none_and_can_be_shared(care, tmp_path):
    made = version(care, tmp_path, "next", "web-1")
    assert made.base
    assert care.replicate("next", "copy").entry.base == made.base
    new_receiver(str(tmp_path / "ada.json"), name="Ada")
    public = str(tmp_path / "ada.json.pub")
    with pytest.raises(IllegalState, match="stored as what differs") as caught:
        care.share("next", public)
    assert f"image replicate {made.id} --whole --name NAME" in caught.value.hint
    whole = care.replicate("next", "whole", whole=True)
    assert (whole.entry.base, whole.ways) == ("", ("streamed",))
    assert care.share("whole", public).entry.members
    assert care.prove("whole").proven
