"""The series of `scripts/soak` at a private image library: races, and kills of its verbs."""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from support import races
from support.command import Command
from support.forked import Forked
from support.library_kills import Kills
from support.servers.seaweed import Seaweed


def race(work: Path, server: Seaweed, options: argparse.Namespace) -> tuple[int, str]:
    """`options.rounds` of each pair: how many there were, and the figures."""
    told, tried = [], 0
    with races.opened(work, server) as arena:
        for pair in races.PAIRS:
            rounds = arena.race(pair, options.rounds, random.Random(f"{options.seed} {pair}"))
            second = rounds.tried - rounds.sequences - rounds.first
            tried += rounds.tried
            told.append(
                f"{pair}: {rounds.forced} forced, {rounds.s3} in a bucket, won by "
                f"{rounds.first}/{second}, {rounds.sequences} one after the other"
            )
            print(told[-1], flush=True)
    return tried, "; ".join(told)


def kill(work: Path, options: argparse.Namespace) -> tuple[int, str]:
    """`options.library_kills` across the verbs."""
    home, place = work / "home", work / "place"
    home.mkdir()
    place.mkdir()
    with Forked(Command(home)) as run:
        draw = random.Random(f"{options.seed} library-kills")
        figures = Kills(place, run).series(options.library_kills, draw)
    verbs = ", ".join(f"{verb} {number}" for verb, number in sorted(figures.in_time.items()))
    return sum(figures.in_time.values()) + figures.too_late, (
        f"{figures.in_time.total()} in time ({verbs}), {figures.orphans} orphans, "
        f"longest process {figures.outlived_s:.2f} s, nothing lost"
    )
