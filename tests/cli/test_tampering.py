"""A stored image that was changed is refused by the command, and no byte of it is left.

A part of the cases; `scripts/soak` runs them all, and more random ones.
"""

from __future__ import annotations

from itertools import islice

import pytest

from support.command import Command
from support.tampered_places import Places

RANDOM = 3
PICKED = 17


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> Places:
    folder = tmp_path_factory.mktemp("tampered")
    (folder / "home").mkdir()
    return Places.make(Command(folder / "home"), folder)


def test_what_was_changed_is_refused(places):
    cases = list(places.cases(random_flips=RANDOM, seed=9))
    fixed = cases[:-RANDOM]
    assert len(fixed) > 60
    always = ("no key", "the wrong key", "no object", "plain manifest: format raw/x")
    picked = [c for c in fixed if c.name in always or c.name.startswith("swapped ")]
    picked += islice(fixed, 4, None, len(fixed) // (PICKED - len(picked)))
    for case in picked + cases[-RANDOM:]:
        places.refuses(case)
