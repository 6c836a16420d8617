"""Units of a file are taken once, found at the speed of runs, and within bounds."""

from __future__ import annotations

import random

import pytest

from diskwright.errors import ImageUnsupported
from diskwright.formats import limits
from diskwright.formats.claims import UnitClaims, big_endian, little_endian
from support.looking import source_of


def claims(units: int = 100) -> UnitClaims:
    with source_of(b"", size=units * 512) as source:
        return UnitClaims(source, 512)


def test_a_unit_is_taken_once() -> None:
    taken = claims()
    assert taken.claim([5, 3, 4, 9]) is None
    assert taken.claim([6, 9, 7]) == 9
    assert taken.claim_bytes(512 * 10, 1) is None
    assert taken.claim([10]) == 10


def test_one_unit_twice_in_a_table_is_found() -> None:
    assert claims().claim([7, 3, 7]) == 7
    assert claims().claim([3, 3]) == 3


def test_shared_units_are_shared_with_nothing_else() -> None:
    taken = claims()
    assert taken.share([1, 2]) is None
    assert taken.share([2, 3]) is None
    assert taken.claim([2]) == 2
    assert taken.claim([4]) is None
    assert taken.share([4]) == 4
    taken.close_shared()
    assert taken.share([1]) == 1


def test_it_finds_what_a_set_finds() -> None:
    chance = random.Random(5)
    for _ in range(300):
        taken, known = claims(64), set[int]()
        for _ in range(6):
            units = [chance.randrange(64) for _ in range(chance.randrange(8))]
            fresh = len(set(units)) == len(units) and known.isdisjoint(units)
            assert (taken.claim(units) is None) is fresh
            if not fresh:
                break
            known.update(units)


def test_more_units_or_pieces_than_the_bounds_are_unsupported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "CLAIM_UNITS", 100)
    monkeypatch.setattr(limits, "CLAIM_RUNS", 3)
    taken = claims(100)
    assert taken.claim([1, 2, 3, 5, 9]) is None
    with pytest.raises(ImageUnsupported) as caught:
        taken.claim([20])
    assert caught.value.code == "table-too-large"
    with pytest.raises(ImageUnsupported):
        claims(101)


def test_entries_are_of_the_order_that_is_asked() -> None:
    assert list(little_endian("I", b"\1\0\0\0\0\0\0\2")) == [1, 2 << 24]
    assert list(big_endian("Q", b"\0\0\0\0\0\0\0\1")) == [1]
