"""What it costs to see one change in a bucket of many images: requests, seconds."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _bench import Bench

IMAGES = 10_000
REQUESTS_BAR = 40
WRITERS = 8


def sync(bench: Bench) -> None:
    from diskwright._values import replace
    from diskwright.model.library import Query
    from diskwright.model.record import Attributes
    from diskwright.ops.library import changes, modify
    from diskwright.ops.library.sync import sync as synced
    from support.library_images import put_image
    from support.library_places import workstation

    store = bench.server.fresh()
    folder = bench.folder / "sync"
    folder.mkdir()
    ann, ben = (
        replace(workstation(store, folder, who=who), now=time.time) for who in ("ann", "ben")
    )
    with ThreadPoolExecutor(WRITERS) as pool:
        made = list(pool.map(lambda n: put_image(store, f"web-{n}", size=512), range(IMAGES)))
    changes.announce(store, made[0].id, 0, time.time())
    begun = time.perf_counter()
    synced(ann, whole=True)
    synced(ben, whole=True)
    first = (time.perf_counter() - begun) / 2
    bench.row(f"sync, the first of {IMAGES:,}", f"{first:.1f} s", "", "", "", True, s=first)
    requests: list[str] = []
    store._client.meta.events.register(
        "before-send.s3", lambda request, **_: requests.append(request.method)
    )
    for whole, name in ((True, "`library sync`"), (False, "before a verb")):
        wish = Attributes("", description=f"seen by {name}")
        modify.run(ann, modify.plan_set(ann, made[7].id, wish))
        requests.clear()
        begun = time.perf_counter()
        found = synced(ben, whole=whole)
        seconds = time.perf_counter() - begun
        assert found.changed == (made[7].id,), found
        held = len(requests) < REQUESTS_BAR
        told = f"{len(requests)} requests"
        bar = f"< {REQUESTS_BAR}"
        bench.row(f"one change, {name}", told, "", f"{seconds:.2f} s", bar, held, s=seconds)
    assert ben.catalog.count(Query()) == IMAGES
