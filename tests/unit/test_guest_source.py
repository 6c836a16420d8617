"""Reading bytes of a disk: never short, never past an end, never without bound."""

from __future__ import annotations

import random

import pytest

from diskwright.blockio.memory import MemoryReader
from diskwright.guest.reading import Unreadable
from diskwright.guest.source import BLOCK, Source

SIZE = 3 * BLOCK + 777
DATA = random.Random(7).randbytes(SIZE)


def disk(**options: object) -> MemoryReader:
    return MemoryReader(SIZE, {0: DATA}, **options)  # type: ignore[arg-type]


def test_reads_equal_the_disk_wherever_they_fall() -> None:
    source = Source(disk(), cache_bytes=BLOCK)
    spots = random.Random(8)
    for _ in range(300):
        start = spots.randrange(SIZE + 1)
        length = spots.randrange(SIZE - start + 1)
        assert source.read(start, length) == DATA[start : start + length]


def test_a_window_reads_its_own_part_and_nothing_else() -> None:
    window = Source(disk()).window(1000, 2000).window(500, 100)
    assert window.read(0, 100) == DATA[1500:1600]
    for offset, length in ((0, 101), (100, 1), (-1, 1), (0, -1)):
        with pytest.raises(Unreadable):
            window.read(offset, length)


@pytest.mark.parametrize(("start", "length"), [(0, SIZE + 1), (SIZE, 1), (-1, 2), (1, -1)])
def test_a_window_that_does_not_fit_is_refused(start: int, length: int) -> None:
    with pytest.raises(Unreadable):
        Source(disk()).window(start, length)


def test_a_read_past_the_end_raises_and_is_not_short() -> None:
    with pytest.raises(Unreadable) as caught:
        Source(disk()).read(SIZE - 1, 2)
    assert caught.value.code == "damaged"


def test_small_reads_near_each_other_cost_one_read_of_the_disk() -> None:
    below = disk()
    source = Source(below)
    for offset in range(0, BLOCK, 128):
        source.read(offset, 128)
    assert below.reads == 1


def test_a_long_read_leaves_the_cache_as_it_was() -> None:
    size = 40 * BLOCK
    below = MemoryReader(size, {0: b"x" * size})
    source = Source(below, cache_bytes=4 * BLOCK)
    source.read(0, 10)
    source.read(BLOCK, 20 * BLOCK)
    source.read(0, 10)
    assert below.reads == 2


def test_bytes_beyond_the_budget_are_not_read() -> None:
    source = Source(disk(), budget_bytes=2 * BLOCK, cache_bytes=BLOCK)
    source.read(0, 1)
    source.read(BLOCK, 1)
    with pytest.raises(Unreadable) as caught:
        source.read(2 * BLOCK, 1)
    assert caught.value.code == "budget"


def test_calls_beyond_the_budget_are_refused_even_from_the_cache() -> None:
    source = Source(disk(), budget_calls=5)
    for _ in range(5):
        source.read(0, 1)
    with pytest.raises(Unreadable) as caught:
        source.read(0, 1)
    assert caught.value.code == "budget"


def test_a_disk_that_fails_is_damage_not_a_crash() -> None:
    with pytest.raises(Unreadable) as caught:
        Source(disk(fail_at=1)).read(0, 1)
    assert caught.value.code == "damaged"
