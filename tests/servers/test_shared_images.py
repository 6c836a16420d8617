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


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
def test_under_64_kib_at_any_size(seaweed, wire, tmp_path, sealed):
    carried = []
    for size in (1 << 20, 48 << 20):
        store = seaweed.fresh()
        folder = tmp_path / str(size)
        folder.mkdir()
        place = workstation(store, folder, key=KEY)
        put = put_image(store, "web", size=size, key=KEY if sealed else None)
        sync(place, whole=True)
        counted = replace(place, store=seaweed.through(store, wire.url))
        place.catalog.set_note("conditions", "kept")
        wire.carried = 0
        public = account().public
        sharing.run(counted, sharing.plan_share(counted, put.id, public, name="ada"))
        sharing.run(counted, sharing.plan_unshare(counted, put.id, public.id))
        carried.append(wire.carried)
        assert not any(one.path.count("/images/") for one in wire.seen)
    print(f"share and unshare: {carried} bytes")
    assert max(carried) < 64 << 10
    assert abs(carried[1] - carried[0]) < 4 << 10
