"""Two processes that change one image at once, and what must be true afterwards.

For the suite (20 rounds of each pair) and for `scripts/soak --only races` (200). Most rounds are
forced: both are held when they have planned, so that both stand on the same state. In the others
both begin at once, and run as they will.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from diskwright.adapters.directory import DirectoryStore
from diskwright.adapters.kms_local import LocalKey
from diskwright.app import Diskwright
from diskwright.app.library import Library
from diskwright.config import load
from diskwright.errors import NameTaken
from diskwright.model.library import Entry, Query, Status
from diskwright.ops.library.place import make_library
from diskwright.ports import ObjectStore
from support.command import Command, Ended, one_line_and_a_hint
from support.forked import RUN, START, Forked
from support.library_images import put_image
from support.servers.seaweed import Seaweed

ALL = Query(statuses=tuple(Status))
NOBODY = "01900000-0000-7000-8000-000000000000"


@dataclass
class Round:
    """A library with one image, and what came of the race for it."""

    at: str
    url: str
    store: ObjectStore
    folder: Path
    key: str  # of sealed images, else empty
    image: str
    forced: bool
    ended: tuple[Ended, ...] = ()

    @property
    def won(self) -> tuple[bool, ...]:
        return tuple(one.code == 0 for one in self.ended)


@dataclass
class Rounds:
    """The figures of a series. `sequences`: one was wholly done before the other began."""

    tried: int = 0
    forced: int = 0
    sequences: int = 0
    first: int = 0  # that the first one won
    s3: int = 0


Check = Callable[["Round", list[Entry], Library], None]


@dataclass(frozen=True)
class Pair:
    """`lawful`: both may succeed, one after the other."""

    commands: Callable[[Round, Arena], tuple[list, list]]
    check: Check
    lawful: bool = True


@dataclass
class Arena:
    """Two processes to race, and what they race with. `work` is a folder of ours."""

    work: Path
    racers: tuple[Forked, Forked]
    seaweed: Seaweed
    number: int = 0
    tiny: Path = field(init=False)
    kek: Path = field(init=False)
    public: Path = field(init=False)

    def __post_init__(self) -> None:
        self.tiny = self.work / "tiny.raw"
        self.tiny.write_bytes(b"tiny" * (1 << 18))
        self.kek, self.public = self.work / "kek.json", self.work / "ada.json.pub"
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
        for racer, home, command in zip(self.racers, homes, pair.commands(one, self), strict=True):
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


# --- what each pair does, and what must come of it ------------------------------------------------


def _of(entries: list[Entry], image: str) -> Entry:
    (found,) = [entry for entry in entries if entry.id == image]
    return found


def _records(library: Library, image: str) -> list[str]:
    return [change.kind for change in library.history(image, sync=False) if change.seq]


def _owner_of(one: Round, library: Library, name: str) -> str:
    """Whose a name is, by its newest claim; empty where it is free."""
    try:
        library.place().names(sealed=bool(one.key)).take(
            name, NOBODY, lambda _image, _time: True, time.time()
        )
    except NameTaken as error:
        return error.by
    return ""


def _set(name: str) -> Callable[[Round], list]:
    return lambda one: ["image", "set", one.image, "--name", name, "--description", f"by {name}"]


def _delete(one: Round) -> list:
    return ["image", "delete", one.image, "--yes"]


def _check_set_set(one: Round, entries: list[Entry], library: Library) -> None:
    entry = _of(entries, one.image)
    names = [name for name, won in zip(("one", "two"), one.won, strict=True) if won]
    assert _records(library, one.image) == ["attributes"] * len(names)
    assert entry.name in names
    assert entry.description == f"by {entry.name}"
    owners = {name: _owner_of(one, library, name) for name in ("one", "two")}
    assert owners == {**dict.fromkeys(("one", "two"), ""), entry.name: one.image}


def _check_set_delete(one: Round, entries: list[Entry], library: Library) -> None:
    entry, (was_set, deleted) = _of(entries, one.image), one.won
    assert _records(library, one.image) == ["attributes"] * was_set + ["deleted"] * deleted
    assert entry.name == ("one" if was_set else "web")
    assert entry.status is (Status.PENDING_DELETE if deleted else Status.ACTIVE)
    assert _owner_of(one, library, "one") == ("" if deleted else one.image)


def _check_share_delete(one: Round, entries: list[Entry], library: Library) -> None:
    entry, (shared, deleted) = _of(entries, one.image), one.won
    offers = [info.key for info in one.store.list("shares/")]
    assert len(entry.members) == len(offers) == int(shared)
    assert entry.status is (Status.PENDING_DELETE if deleted else Status.ACTIVE)
    kinds = _records(library, one.image)
    assert kinds.count("deleted") == int(deleted)
    assert kinds.count("sharing") == int(shared)
    if one.forced or shared:  # else its wrapped key may have come before the deletion
        assert kinds.count("recipients") == int(shared and bool(one.key))


def _check_replicate_delete(one: Round, entries: list[Entry], library: Library) -> None:
    entry, (copied, deleted) = _of(entries, one.image), one.won
    assert _records(library, one.image) == ["replicated"] * copied + ["deleted"] * deleted
    assert entry.status is (Status.PENDING_DELETE if deleted else Status.ACTIVE)
    others = [other for other in entries if other.id != one.image]
    assert [other.name for other in others] == ["copy"] * copied
    assert [other.disks[0].digest for other in others] == [entry.disks[0].digest] * copied
    assert _owner_of(one, library, "copy") == (others[0].id if copied else "")
    assert _objects_of(one) == {other.id for other in entries}


def _check_create_create(one: Round, entries: list[Entry], library: Library) -> None:
    (made,) = [entry for entry in entries if entry.id != one.image]
    winner = json.loads(one.ended[one.won.index(True)].out)["results"][0]["entry"]["id"]
    assert (made.id, made.name) == (winner, "same")
    assert _owner_of(one, library, "same") == made.id
    assert _objects_of(one) == {entry.id for entry in entries}


def _objects_of(one: Round) -> set[str]:
    return {info.key.split("/")[1] for info in one.store.list("images/")}


def _creation(arena: Arena) -> list:
    words = ["image", "create", "--data", "--from-file", arena.tiny, "--name", "same"]
    return [*words, "--output", "json"]


PAIRS = {
    "set/set": Pair(lambda one, _: (_set("one")(one), _set("two")(one)), _check_set_set),
    "set/delete": Pair(lambda one, _: (_set("one")(one), _delete(one)), _check_set_delete),
    "share/delete": Pair(
        lambda one, arena: (["image", "share", one.image, "--with", arena.public], _delete(one)),
        _check_share_delete,
    ),
    "replicate/delete": Pair(
        lambda one, _: (["image", "replicate", one.image, "--name", "copy"], _delete(one)),
        _check_replicate_delete,
    ),
    "create/create": Pair(
        lambda _, arena: (_creation(arena), _creation(arena)), _check_create_create, lawful=False
    ),
}


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
