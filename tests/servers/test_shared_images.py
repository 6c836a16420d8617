"""What sharing costs on the wire: the same at any size."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from diskwright.ops.library import sharing
from diskwright.ops.library.sync import sync
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
