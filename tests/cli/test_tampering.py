"""A stored image that was changed is refused by the command, and no byte of it is left.

A part of the cases; `scripts/soak` runs them all, and more random ones.
"""

from __future__ import annotations

from itertools import islice

import pytest

from support.command import Command
from support.tampered_places import Places

RANDOM = 3
PICKED = 12


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> Places:
    folder = tmp_path_factory.mktemp("tampered")
    (folder / "home").mkdir()
    return Places.make(Command(folder / "home"), folder)


def test_what_was_changed_is_refused(places):
    cases = list(places.cases(random_flips=RANDOM, seed=9))
    fixed = cases[:-RANDOM]
    assert len(fixed) > 60
    picked = [case for case in fixed if case.name in ("no key", "the wrong key", "no object")]
    picked += islice(fixed, 4, None, len(fixed) // (PICKED - len(picked)))
    for case in picked + cases[-RANDOM:]:
        places.refuses(case)
