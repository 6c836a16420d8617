"""What a manifest says of the disk that a delta rests on is checked at every step down."""

from __future__ import annotations

import hashlib

import pytest

from diskwright._values import replace
from diskwright.errors import DataTampered, IllegalState
from diskwright.model import manifest as manifests
from diskwright.model.image import ImageFacts, ImageFormat
from diskwright.model.manifest import DiskBase, Manifest, ManifestBody, ManifestDisk
from diskwright.model.names import manifest_key, plain_key, sealed_key
from diskwright.model.stored import StoredObject
from diskwright.ops.images import Found, find
from diskwright.ops.library.deltas import DELTAS_LIMIT, base_of, composed, layers, room_on
from diskwright.ops.manifest_checks import check_body
from support.memory_store import MemoryStore

SIZE = 1 << 20


def image_id(number: int) -> str:
    return f"0190b0f4-0000-7000-8000-{number:012d}"


def found(number: int, base: DiskBase | None = None, *, sealed: bool = False) -> Found:
    image = image_id(number)
    key = sealed_key(image, 0) if sealed else plain_key(image, "web", 0, "qcow2")
    part = bytes(32)
    whole = hashlib.sha256(part).hexdigest()
    stored = StoredObject(key, 4096, 8 << 20, (part.hex(),), whole)
    digest = f"{number:064x}"
    disk = ManifestDisk(key, "qcow2", True, SIZE, SIZE, digest, 4096, base=base)
    facts = ImageFacts(ImageFormat.RAW, SIZE, SIZE, SIZE)
    body = ManifestBody("web", (disk,), "w", "raw", facts, None, "p", (), (), None, {})
    made = Manifest(image, "2026-01-02T03:04:05Z", (stored,), body=body)
    if sealed:
        made = replace(made, seal=image_id(99), private="AAAA")
    return Found(made, body, None)


def chain(count: int) -> dict[str, Found]:
    """By id, the whole one first."""
    made = [found(0)]
    for number in range(1, count):
        made.append(found(number, base_of(made[-1])))
    return {one.manifest.image: one for one in made}


@pytest.mark.parametrize("count", range(1, DELTAS_LIMIT + 2))
def test_a_chain_is_followed_to_a_whole_disk(count):
    images = chain(count)
    top = list(images.values())[-1]
    assert layers(top, images.__getitem__) == tuple(reversed(images.values()))


@pytest.mark.parametrize("count", range(1, DELTAS_LIMIT + 2))
def test_one_more_delta_always_finds_a_place(count):
    images = chain(count)
    below = room_on(tuple(reversed(images.values())))
    top = found(50, base_of(below[0]))
    assert len(layers(top, images.__getitem__)) == min(count, DELTAS_LIMIT) + 1


def test_a_longer_chain_and_a_loop_are_refused():
    images = chain(DELTAS_LIMIT + 2)
    with pytest.raises(DataTampered, match="more than"):
        layers(list(images.values())[-1], images.__getitem__)
    one, two = found(1), found(2)
    loop = {image_id(1): found(1, base_of(two)), image_id(2): found(2, base_of(one))}
    with pytest.raises(DataTampered, match="more than"):
        layers(loop[image_id(1)], loop.__getitem__)


@pytest.mark.parametrize(
    "lie",
    [
        {"digest": "ee" * 32},
        {"key": plain_key(image_id(0), "other", 0, "qcow2")},
        {"disk": 1},
    ],
)
def test_a_base_that_is_another_one_is_refused(lie):
    whole = found(0)
    top = found(1, replace(base_of(whole), **lie))
    with pytest.raises(DataTampered):
        layers(top, lambda image: whole)


def test_a_base_survives_the_manifest():
    top = found(1, base_of(found(0)))
    assert manifests.decode(manifests.encode(top.manifest)) == top.manifest
    check_body(top.manifest, top.body)
    sealed = found(1, base_of(found(0, sealed=True)), sealed=True)
    check_body(sealed.manifest, sealed.body)


@pytest.mark.parametrize(
    "lie",
    [
        {"image": image_id(1)},
        {"image": "../x"},
        {"disk": -1},
        {"digest": "EE" * 32},
        {"key": "/etc/passwd"},
        {"key": plain_key(image_id(7), "web", 0, "qcow2")},
        {"key": plain_key(image_id(0), "web", 1, "qcow2")},
        {"key": f"images/{image_id(0)}/../x-0.qcow2"},
        {"key": sealed_key(image_id(0), 0)},
    ],
)
def test_a_base_that_can_not_be_is_refused(lie):
    top = found(1, replace(base_of(found(0)), **lie))
    with pytest.raises(DataTampered):
        check_body(top.manifest, top.body)


def test_who_does_not_know_of_deltas_is_given_none():
    store, top = MemoryStore(), found(1, base_of(found(0)))
    store.put(manifest_key(image_id(1)), manifests.encode(top.manifest))
    with pytest.raises(IllegalState, match=f"differs from image {image_id(0)}"):
        find(store, image_id(1), None)
    assert find(store, image_id(1), None, deltas=True) == top


def test_a_sealed_image_rests_on_a_sealed_one_alone():
    top = found(1, base_of(found(0)), sealed=True)
    with pytest.raises(DataTampered, match="no object of its image"):
        check_body(top.manifest, top.body)


def test_only_a_qcow2_can_be_a_delta():
    top = found(1, base_of(found(0)))
    disk = replace(
        top.body.disks[0],
        format="raw",
        key=plain_key(image_id(1), "web", 0, "raw"),
        stored_size=SIZE,
    )
    stored = replace(top.manifest.objects[0], key=disk.key, size=SIZE)
    body = replace(top.body, disks=(disk,))
    with pytest.raises(DataTampered, match="no raw holds"):
        check_body(replace(top.manifest, objects=(stored,), body=body), body)


@pytest.mark.parametrize("count", [0, DELTAS_LIMIT + 2])
def test_no_disk_is_made_of_so_many_files(count):
    with pytest.raises(ValueError, match="a disk is no"):
        composed([None] * count)
