"""`kill -9` at any moment of a library's verbs: nothing is lost, `gc` removes what is left.

One kill of each verb; `scripts/soak --only library-kills` does a hundred.
"""

from __future__ import annotations

import random

import pytest

from support.forked import Forked
from support.library_kills import Kills

SEED = 20_26

pytestmark = pytest.mark.slow


def test_of_every_verb(diskwright, folder):
    with Forked(diskwright) as run:
        kills = Kills(folder, run)
        figures = kills.series(len(kills.tries()), random.Random(SEED))
    assert sum(figures.in_time.values()) >= len(kills.tries()) // 2
