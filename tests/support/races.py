"""Two processes that change one image at once, and what must be true afterwards.

For the suite (10 rounds of each pair) and for `scripts/soak --only races` (200). Most rounds are
forced: both are held when they have planned, so that both stand on the same state. In the others
both begin at once, and run as they will.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from diskwright.adapters.directory import DirectoryStore
from diskwright.adapters.kms_local import LocalKey
from diskwright.app import Diskwright
from diskwright.app.library import Library
from diskwright.config import load
from diskwright.model.library import Query, Status
from diskwright.ops.library.place import make_library
from support.command import Command, one_line_and_a_hint
from support.forked import RUN, START, Forked
from support.library_images import put_image
from support.race_pairs import PAIRS, Pair, Round, Things
from support.servers.seaweed import Seaweed

ALL = Query(statuses=tuple(Status))


@dataclass
class Rounds:
    """The figures of a series. `sequences`: one was wholly done before the other began."""

    tried: int = 0
    forced: int = 0
    sequences: int = 0
    first: int = 0  # that the first one won
    s3: int = 0


@dataclass
class Arena:
    """Two processes to race, and what they race with. `work` is a folder of ours."""

    work: Path
    racers: tuple[Forked, Forked]
    seaweed: Seaweed
    number: int = 0
    things: Things = field(init=False)
    kek: Path = field(init=False)

    def __post_init__(self) -> None:
        self.things = Things(self.work / "tiny.raw", self.work / "ada.json.pub")
        self.things.tiny.write_bytes(b"tiny" * (1 << 18))
        self.kek = self.work / "kek.json"
        run = self.racers[0]
        assert run("key", "new", self.kek).code == 0
        assert run("key", "new", self.work / "ada.json", "--receiver", "--name", "Ada").code == 0

    def race(self, name: str, count: int, draw: random.Random) -> Rounds:
        """`count` rounds of a pair. AssertionError for what may not be."""
        pair, rounds = PAIRS[name], Rounds()
        for number in range(count):
            self.number += 1
            at_s3 = number % 10 == 9
            forced, same_home, sealed = (
                draw.random() < 0.7,
                draw.random() < 0.3,
                draw.random() < 0.4,
            )
            what = [
                f"{name} {number}",
                "S3" if at_s3 else "folder",
                "forced" if forced else "free",
                "one workstation" if same_home else "two",
                "sealed" if sealed else "plain",
            ]
            one = self._made(", ".join(what), at_s3=at_s3, sealed=sealed, forced=forced)
            homes = [one.folder / "a", one.folder / ("a" if same_home else "b")]
            self._run(pair, one, homes, first=draw.randrange(2))
            rounds.tried += 1
            rounds.forced += forced
            rounds.s3 += at_s3
            rounds.sequences += all(one.won)
            rounds.first += one.won[0] and not one.won[1]
            self._agree(one, pair, homes)
            shutil.rmtree(one.folder)
        return rounds

    def _made(self, at: str, *, at_s3: bool, sealed: bool, forced: bool) -> Round:
        folder = self.work / f"round-{self.number}"
        for name in ("a", "b", "c"):
            (folder / name).mkdir(parents=True)
        if at_s3:
            bucket, prefix = self.seaweed.bucket("races"), f"{os.getpid()}-{self.number}"
            url, store = f"s3://{bucket}/{prefix}", self.seaweed.store(bucket, prefix)
        else:
            place = folder / "library"
            url, store = f"dir:{place}", DirectoryStore(str(place))
        make_library(store, public=False, now=time.time(), entropy=os.urandom)
        key = local_key(self.kek) if sealed else None
        put = put_image(store, "web", key=key, size=1 << 12)
        return Round(at, url, store, folder, f"local:{self.kek}" if sealed else "", put.id, forced)

    def _run(self, pair: Pair, one: Round, homes: list[Path], *, first: int) -> None:
        options = ["--library", one.url, *(["--key", one.key] if one.key else [])]
        runs = []
        for racer, home, command in zip(
            self.racers, homes, pair.commands(one, self.things), strict=True
        ):
            hold = RUN if one.forced else START
            runs.append(racer.start(*command, *options, hold=hold, home=home))
            assert runs[-1].ready(), f"{one.at}: it could not begin: {runs[-1].ended()}"
        for number in (first, 1 - first):
            runs[number].go()
        one.ended = tuple(run.ended() for run in runs)
        codes = sorted(ended.code for ended in one.ended)
        assert codes in ([[0, 14]] if one.forced or not pair.lawful else [[0, 0], [0, 14]]), (
            f"{one.at}: {one.ended}"
        )
        for ended in one.ended:
            if ended.code:
                line = one_line_and_a_hint(ended)
                said = "was changed meanwhile" in line or "is that of image" in line
                assert said or not one.forced, line

    def library(self, one: Round, home: Path) -> Library:
        environment = {**self.racers[0].environment, **Command(home).environment}
        app = Diskwright(load(environment=environment, data_dir=data_dir(home)))
        return Library(one.url, key=one.key or None, app=app)

    def _agree(self, one: Round, pair: Pair, homes: list[Path]) -> None:
        """Both workstations, once they have looked, and a catalog made anew say the same, which is
        what the library has; and nothing is damaged, nothing left over."""
        with self.library(one, one.folder / "c") as fresh:
            fresh.rebuild()
            entries = list(fresh.list(ALL, sync=False))
            for home in homes:
                with self.library(one, home) as library:
                    assert list(library.list(ALL)) == entries, f"{one.at}: {home.name}"
                    for entry in entries:
                        told = library.history(entry.id, sync=False)
                        assert told == fresh.history(entry.id, sync=False), one.at
            checked = fresh.check(read_data=True)
            assert checked.issues == (), f"{one.at}: {checked.issues}"
            assert all(not entry.warnings for entry in entries), one.at
            try:
                pair.check(one, entries, fresh)
            except AssertionError as error:
                error.add_note(f"{one.at}: {one.ended}")
                raise


def local_key(path: Path) -> LocalKey:
    return Diskwright(load(environment={"HOME": str(path.parent)})).adapters.wrapper(
        f"local:{path}"
    )


def data_dir(home: Path) -> str:
    return str(home / ".local" / "share" / "diskwright")


@contextmanager
def opened(work: Path, seaweed: Seaweed) -> Iterator[Arena]:
    """Two processes with credentials for a real S3 server; `work` is a folder of ours."""
    home = work / "home"
    home.mkdir()
    credentials = {
        "AWS_ACCESS_KEY_ID": "test-admin",
        "AWS_SECRET_ACCESS_KEY": "test-admin-secret",
    }
    command = Command(
        home,
        **credentials,
        DISKWRIGHT_S3_ENDPOINT_URL=seaweed.endpoint,
        DISKWRIGHT_S3_REGION="us-east-1",
        DISKWRIGHT_S3_ADDRESSING_STYLE="path",
    )
    with (
        patch.dict(os.environ, credentials),  # we look into it ourselves
        Forked(command) as first,
        Forked(command) as second,
    ):
        yield Arena(work, (first, second), seaweed)
