"""What a catalog of many images costs: a page of a list, a look at one, all of them for a CSV."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _bench import Bench

    from diskwright.adapters.catalog import SqliteCatalog
    from diskwright.model.library import Change, Entry

MANY = 100_000
PAGE = 50
PAGE_BAR_S = 0.050
ALL_BAR_S = 3.0
ALL_BAR_BYTES = 150 << 20
RARE = 4_321  # the number of an image that is looked for


def catalog(bench: Bench) -> None:
    path = _path(bench)
    seconds = made(path)
    each = f"{seconds / MANY * 1e6:.0f} us each"
    bench.row(f"catalog, {MANY:,} saved", f"{seconds:.1f} s", "", each, "", True, s=seconds)
    argv = [sys.executable, __file__, str(path)]
    for measure, seconds, bar in json.loads(subprocess.check_output(argv)):
        held = seconds < bar
        told = f"{seconds * 1000:.1f} ms"
        bench.row(f"catalog, {measure}", told, "", "", f"< {bar * 1000:g} ms", held, s=seconds)
    words = ("image", "list", "--no-sync", "--output", "csv", "--sort", "name")
    runs = [bench.call(*words, sampled=True) for _ in range(3)]
    assert runs[0].stdout.count("\n") > MANY * 9 // 10
    seconds, memory = statistics.median(one.seconds for one in runs), runs[0].memory
    told = f"{seconds:.2f} s"
    held = seconds < ALL_BAR_S
    bench.row("image list, all as CSV", told, "", "with its start", "< 3 s", held, s=seconds)
    held = memory < ALL_BAR_BYTES
    told = f"{memory >> 20} MiB"
    bench.row("image list, memory", told, "", "peak", "< 150 MiB", held, bytes=memory)


def _path(bench: Bench) -> Path:
    """Of the catalog of the library that is the default."""
    bench.call("library", "init", "many", f"dir:{bench.folder / 'many'}")
    bench.call("image", "list")
    (path,) = (bench.folder / "data" / "catalogs").glob("*.sqlite")
    return path


# --- the catalog ------------------------------------------------------------------------------


def made(path: Path) -> float:
    """Seconds that it took to save so many, each in its transaction."""
    from diskwright.adapters.catalog import SqliteCatalog

    catalog = SqliteCatalog.open(str(path))
    images = [image(number) for number in range(MANY)]
    begun = time.perf_counter()
    for entry, history in images:
        catalog.save(entry, history)
    seconds = time.perf_counter() - begun
    catalog.close()
    return seconds


def image(number: int) -> tuple[Entry, tuple[Change, ...]]:
    """One of a large library: of four systems, a fifth of them sealed, some in the trash."""
    from diskwright.model import library
    from diskwright.model.manifest import Recipient
    from diskwright.model.names import uuid7

    mixed = number * 7919 % MANY  # names and times are not in the order of the ids
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_700_000_000 + mixed * 60))
    sealed, system = number % 5 == 0, number % 4
    disks = tuple(
        library.EntryDisk(
            key=f"images/{number}/disk-{disk}.dws",
            format="qcow2",
            compressed=True,
            virtual_size=(10 + number % 90) << 30,
            object_size=(1 << 30) + mixed * 4096,
            digest=f"dw1:{number:064x}",
            object_digest=f"{mixed:064x}",
        )
        for disk in range(1 + (number % 7 == 0))
    )
    recipients = (Recipient("local", f"{1:032x}", "A" * 120, {"nonce": "B" * 16}),)
    entry = library.Entry(
        id=uuid7(1_700_000_000_000 + number * 60_000, number.to_bytes(10, "big")),
        name=None if number % 100 == 0 else f"Web-{mixed:06}",
        status=library.Status.PENDING_DELETE if number % 50 == 0 else library.Status.ACTIVE,
        kind=tuple(library.ImageKind)[number % 3],
        created=created,
        updated=created,
        seq=2,
        head=f"{number:064x}",
        sealed=sealed,
        recipients=recipients if sealed else (),
        description="the nightly build of the web servers",
        os_type="Windows" if system == 3 else "Linux",
        os=("debian 12", "ubuntu 24.04", "rocky 9", "windows 2022")[system],
        architecture="x86_64",
        boot_mode="UEFI",
        min_disk_gib=10 + number % 90,
        min_memory_mib=1024 << number % 4,
        disks=disks,
        tags={
            "env": ("prod", "test")[number % 2],
            "team": f"team-{number % 500}",
            **({"own": ""} if number == RARE else {}),
        },
        owner="ops@example.com",
        profile="open-telekom-cloud",
        source_name=f"web-{number}.qcow2",
        source_format="qcow2",
        channel=f"web-{number % 1000}",
        failed=("disk.min-size",) if number % 10 == 0 else (),
    )
    history = tuple(
        library.Change(seq, created, "attributes", "ops@example.com", "name", f"{seq:064x}")
        for seq in (1, 2)
    )
    return entry, history


# --- measured in a process of its own ---------------------------------------------------------


def pages(path: str) -> list[tuple[str, float, float]]:
    """Of each figure its name, the median seconds, and its bar."""
    from diskwright.model.library import SORTS, ImageKind, Query, Status

    looked_for, _ = image(RARE)
    named = Query(name=f"{looked_for.name}*", limit=PAGE)
    both = (Status.ACTIVE, Status.PENDING_DELETE)
    queries = {f"page by {sort}": Query(sort=sort, limit=PAGE) for sort in SORTS}
    queries |= {
        f"page by {sort}, descending": Query(sort=sort, descending=True, limit=PAGE)
        for sort in SORTS
    }
    queries |= {
        "page, tag that few have": Query(tags={"team": "team-7"}, limit=PAGE),
        "page, tag that half have": Query(tags={"env": "prod"}, sort="name", limit=PAGE),
        "page, tag that one has": Query(tags={"own": None}, sort="size", limit=PAGE),
        "page, name that one has": named,
        "page, name that many have": Query(name="*1*", sort="name", limit=PAGE),
        "page, name with a set": Query(name=f"[VW]{looked_for.name[1:]}", limit=PAGE),
        "page, system": Query(os="UBUNTU", sort="updated", limit=PAGE),
        "page, system of none": Query(os="plan 9", sort="name", limit=PAGE),
        "page, channel": Query(channel="web-7", limit=PAGE),
        "page, memory that none has": Query(memory_mib=512, sort="name", limit=PAGE),
        "page, kind and a day": Query(
            kinds=(ImageKind.DATA,), created_since="2024-01-01T", created_until="2024-01-02T"
        ),
        "page, the trash": Query(statuses=(Status.PENDING_DELETE,), sort="name", limit=PAGE),
        "page, trash and active": Query(statuses=both, sort="name", limit=PAGE),
        "page, the last one": Query(sort="name", limit=PAGE, offset=MANY * 9 // 10),
    }
    figures: dict[str, Callable[[SqliteCatalog], object]] = {
        name: (lambda catalog, query=query: list(catalog.query(query)))
        for name, query in queries.items()
    }
    figures |= {
        "one by its id": lambda catalog: catalog.entry(looked_for.id),
        "matching a name": lambda catalog: catalog.matching(str(looked_for.name)),
        "matching a prefix": lambda catalog: catalog.matching(looked_for.id[:11]),
        "matching nothing": lambda catalog: catalog.matching("no such image"),
        "history": lambda catalog: catalog.history(looked_for.id),
        "count": lambda catalog: catalog.count(Query()),
        "count, tag": lambda catalog: catalog.count(Query(tags={"env": "prod"})),
        "count, name": lambda catalog: catalog.count(named),
        "tags for completion": lambda catalog: catalog.tag_values(),
    }
    return [(name, _median(path, what), PAGE_BAR_S) for name, what in figures.items()]


def _median(path: str, what: Callable[[SqliteCatalog], object]) -> float:
    """With opening and closing, as a command has it."""
    from diskwright.adapters.catalog import SqliteCatalog

    seconds = []
    for _ in range(7):
        begun = time.perf_counter()
        catalog = SqliteCatalog.open(path)
        what(catalog)
        catalog.close()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


if __name__ == "__main__":
    print(json.dumps(pages(sys.argv[1])))
