"""What reading a guest costs is counted where the bytes come from, and is none of its facts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from diskwright._values import replace
from diskwright.blockio.memory import MemoryReader
from diskwright.guest.filesystems.base import Node
from diskwright.guest.inspect import facts_of, inspect_guest
from diskwright.guest.meter import Meter
from diskwright.guest.source import BLOCK, BYPASS, Source
from diskwright.model.cost import ReadingCost, Stage
from diskwright.model.guest import Section
from diskwright.report.stats import stats_text, stats_value
from support.fake_guest import FakeFs
from support.guest_disks import mbr, source_of
from support.windows_guest import TABLE, files, ntfs

SIZE = 4 << 20
COST = ReadingCost(
    bytes_read=3 << 20,
    reads=12,
    microseconds=2_500_000,
    stages=(Stage(Section.TABLE, 500_000), Stage(Section.KERNELS, 1_500_000)),
    peak_memory=40 << 20,
)


def test_what_comes_from_the_cache_is_not_counted_again() -> None:
    source = source_of(b"x", SIZE)
    for offset in (0, 1, BLOCK - 1):
        source.read(offset, 1)
    assert (source.bytes_fetched, source.fetches) == (BLOCK, 1)
    source.read(BLOCK - 1, 2)
    assert (source.bytes_fetched, source.fetches) == (2 * BLOCK, 2)


def test_a_long_read_counts_as_it_is() -> None:
    source = source_of(b"x", SIZE)
    source.read(1, BYPASS + 1)
    assert (source.bytes_fetched, source.fetches) == (BYPASS + 1, 1)


def test_the_end_of_a_disk_is_no_whole_block() -> None:
    source = Source(MemoryReader(BLOCK + 512, {}))
    source.read(BLOCK, 512)
    assert (source.bytes_fetched, source.fetches) == (512, 1)


def test_a_meter_tells_what_a_disk_cost() -> None:
    meter = Meter()
    disk = MemoryReader(SIZE, {0: mbr((0x80, 0x83, 2048, 2048))})
    facts = inspect_guest(disk, meter)
    cost = meter.cost()
    assert facts == inspect_guest(disk)
    assert 0 < cost.bytes_read <= SIZE
    assert 0 < cost.reads <= SIZE // BLOCK
    assert {Section.TABLE, Section.FILESYSTEMS} <= {stage.section for stage in cost.stages}
    assert sum(stage.microseconds for stage in cost.stages) <= cost.microseconds + len(cost.stages)
    assert cost.peak_memory > 1 << 20


def test_opening_a_hive_and_reading_the_boot_are_in_a_stage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each stage by itself: none runs inside another, so that their sum is the time."""
    inside: list[Section] = []
    seen: dict[str, list[Section]] = {}

    class Watching(Meter):
        @contextmanager
        def stage(self, section: Section) -> Iterator[None]:
            assert not inside
            inside.append(section)
            try:
                yield
            finally:
                inside.pop()

    class Told(FakeFs):
        def read(self, node: Node, offset: int, length: int) -> bytes:
            seen.setdefault("read", []).extend(inside or [Section.TABLE])
            return super().read(node, offset, length)

        def child(self, node: Node, name: bytes) -> Node | None:
            if name.lower() == b"bootmgr":
                seen.setdefault("bootmgr", []).extend(inside)
            return super().child(node, name)

    monkeypatch.setattr("diskwright.guest.inspect.Meter", Watching)
    whole = ntfs(files())
    facts_of(TABLE, [replace(whole, reader=Told(files(), fs_type="ntfs"))])
    assert seen["bootmgr"] == [Section.BOOT]
    assert Section.TABLE not in seen["read"]
    assert Section.WINDOWS in seen["read"]


def test_a_meter_that_watched_nothing_has_read_nothing() -> None:
    cost = Meter().cost()
    assert (cost.bytes_read, cost.reads, cost.stages) == (0, 0, ())


def test_a_stage_that_fails_has_its_time_too() -> None:
    meter = Meter()
    try:
        with meter.stage(Section.OS):
            raise KeyError
    except KeyError:
        pass
    assert [stage.section for stage in meter.cost().stages] == [Section.OS]


def test_the_line_names_the_longest_stage_first() -> None:
    assert stats_text("a\x1b", COST) == (
        "a\\x1b: 3 MiB of the disk in 12 reads, 2.500 s (kernels 1.500 s, table 0.500 s), "
        "40 MiB of memory"
    )
    assert stats_text("a", None) == "a: no guest was read to its end"


def test_the_value_has_bytes_and_seconds() -> None:
    assert stats_value(COST) == {
        "bytes_read": 3 << 20,
        "reads": 12,
        "seconds": 2.5,
        "stages": {"table": 0.5, "kernels": 1.5},
        "peak_memory": 40 << 20,
    }
    assert stats_value(None) is None
