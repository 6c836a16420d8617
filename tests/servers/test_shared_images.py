"""What sharing costs on the wire: the same at any size."""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

import pytest

from diskwright._values import replace
from diskwright.model import manifest as manifests
from diskwright.model.names import manifest_key
from diskwright.model.record import Attributes
from diskwright.model.stored import PART_MINIMUM
from diskwright.ops.images import find
from diskwright.ops.library import modify, sharing
from diskwright.ops.library.sync import rebuild, sync
from diskwright.ops.library.trash import plan_delete
from diskwright.ops.library.trash import run as bin_it
from support.accounts import account
from support.library_images import KEY, put_image
from support.library_places import workstation
from support.servers.http_proxy import HttpProxy

pytestmark = pytest.mark.s3


class Wire(HttpProxy):
    """All bytes of bodies and headers, both ways, and the largest request's."""

    carried = 0

    def answer(self, seen):
        reply = super().answer(seen)
        heads = [*seen.headers.items(), *reply.headers.items()]
        self.carried += len(seen.path) + sum(len(name) + len(value) + 4 for name, value in heads)
        self.carried += len(seen.body) + (len(reply.body) if seen.method != "HEAD" else 0)
        return reply


@pytest.fixture
def wire(seaweed):
    at = urlsplit(seaweed.endpoint)
    with Wire(at.hostname, at.port) as proxy:
        yield proxy


ADA = account().public


def share(place):
    sharing.run(place, sharing.plan_share(place, "web", ADA, name="ada"))


def unshare(place):
    sharing.run(place, sharing.plan_unshare(place, "web", ADA.id))


def spent(wire, place, verb):
    """Bytes, with the sync before it."""
    wire.carried = 0
    sync(place)
    verb(place)
    return wire.carried


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
def test_under_64_kib_at_any_size(seaweed, wire, tmp_path, sealed):
    carried = []
    for size in (1 << 20, 48 << 20):
        store = seaweed.fresh()
        folder = tmp_path / str(size)
        folder.mkdir()
        place = workstation(store, folder, key=KEY)
        put_image(store, "web", size=size, key=KEY if sealed else None)
        sync(place, whole=True)
        counted = replace(place, store=seaweed.through(store, wire.url))
        place.catalog.set_note("conditions", "kept")
        carried += [spent(wire, counted, verb) for verb in (share, unshare)]
        assert not any("/images/" in one.path for one in wire.seen)
        place.catalog.clear()
    print(f"share, unshare of 1 MiB, of 48 MiB: {carried} bytes")
    assert max(carried) < 64 << 10
    assert carried[2] - carried[0] < 4 << 10


PARTS = 200_000  # 1.5 TiB in parts of 8 MiB


def put_large(store, *, sealed):
    """An image whose manifest has 13 MB; its data is not there, and nobody asks for it."""
    key = KEY if sealed else None
    put = put_image(store, "web", key=key)
    manifest = manifests.decode(store.get(manifest_key(put.id), 0, 1 << 20))
    body = manifest.body
    if sealed:
        body = find(store, put.id, KEY).body
    digests = tuple(hashlib.sha256(b"%d" % number).hexdigest() for number in range(PARTS))
    whole = hashlib.sha256(b"".join(map(bytes.fromhex, digests))).hexdigest()
    size = PARTS * PART_MINIMUM
    (first,) = manifest.objects
    large = replace(first, size=size, part_digests=digests, digest=whole)
    disk = replace(body.disks[0], virtual_size=size, exact_size=size, stored_size=size)
    manifest = replace(manifest, objects=(large,), body=replace(body, disks=(disk,)))
    data = manifests.encode(put.seal.close(manifest) if sealed else manifest)
    assert len(data) > 12 << 20
    store.put(manifest_key(put.id), data)
    return put.id, data


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
def test_of_a_manifest_of_13_mb_nothing_is_read_again(seaweed, wire, tmp_path, sealed):
    store = seaweed.fresh()
    place = workstation(store, tmp_path, key=KEY)
    image, data = put_large(store, sealed=sealed)
    sync(place, whole=True)
    counted = replace(place, store=seaweed.through(store, wire.url))
    place.catalog.set_note("conditions", "kept")

    def described(place):
        modify.run(place, modify.plan_set(place, "web", Attributes("ann", description="new")))

    def tagged(place):
        modify.run(place, modify.plan_tags(place, "web", put={"stage": "prod"}))

    def deleted(place):
        bin_it(place, plan_delete(place, "web"))

    carried = {
        verb.__name__: spent(wire, counted, verb)
        for verb in (share, unshare, described, tagged, deleted)
    }
    print(f"of a manifest of {len(data):,} bytes: {carried}")
    assert max(carried.values()) < 64 << 10
    known = place.catalog.entry(image), place.catalog.history(image)
    rebuild(place)
    assert (place.catalog.entry(image), place.catalog.history(image)) == known
    place.catalog.clear()
