"""Two processes at one image: a winner and a clear loser, or one after the other; all catalogs say
what the library has.

Ten rounds of each pair, one of them in a bucket of a real S3 server; `scripts/soak --only races`
does two hundred.
"""

from __future__ import annotations

import random

import pytest

from support import races

ROUNDS = 10
SEED = 77_57

pytestmark = [pytest.mark.slow, pytest.mark.s3]


@pytest.fixture(scope="module")
def arena(tmp_path_factory, seaweed):
    with races.opened(tmp_path_factory.mktemp("races"), seaweed) as made:
        yield made


@pytest.mark.parametrize("pair", races.PAIRS)
def test_of_two_at_once_one_wins(arena, pair):
    rounds = arena.race(pair, ROUNDS, random.Random(f"{SEED} {pair}"))
    assert rounds.tried == ROUNDS
    assert rounds.forced >= ROUNDS // 2
    assert rounds.s3
    assert 0 < rounds.first < ROUNDS - rounds.sequences, "the same one always wins: no race"
