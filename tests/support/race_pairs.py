"""What two racing commands do to one image, and what must come of it (`support.races`)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from diskwright.app.library import Library
from diskwright.errors import NameTaken
from diskwright.model.library import Entry, Status
from diskwright.ports import ObjectStore
from support.command import Ended

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


@dataclass(frozen=True)
class Things:
    """What the commands are given."""

    tiny: Path
    public: Path  # of an account


Check = Callable[[Round, list[Entry], Library], None]


@dataclass(frozen=True)
class Pair:
    """`lawful`: both may succeed, one after the other."""

    commands: Callable[[Round, Things], tuple[list, list]]
    check: Check
    lawful: bool = True


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


def _creation(things: Things) -> list:
    words = ["image", "create", "--data", "--from-file", things.tiny, "--name", "same"]
    return [*words, "--output", "json"]


PAIRS = {
    "set/set": Pair(lambda one, _: (_set("one")(one), _set("two")(one)), _check_set_set),
    "set/delete": Pair(lambda one, _: (_set("one")(one), _delete(one)), _check_set_delete),
    "share/delete": Pair(
        lambda one, things: (["image", "share", one.image, "--with", things.public], _delete(one)),
        _check_share_delete,
    ),
    "replicate/delete": Pair(
        lambda one, _: (["image", "replicate", one.image, "--name", "copy"], _delete(one)),
        _check_replicate_delete,
    ),
    "create/create": Pair(
        lambda _, things: (_creation(things), _creation(things)), _check_create_create, lawful=False
    ),
}
