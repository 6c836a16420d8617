"""A small library to take care of: made once, copied for each test; its store can be watched."""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from diskwright._values import replace
from diskwright.adapters.directory import DirectoryStore
from diskwright.app import Diskwright
from diskwright.app.library import Library
from diskwright.config import load
from diskwright.model.creation import CreateRequest
from diskwright.model.library import ImageKind, Status
from diskwright.model.names import uuid7
from diskwright.ports import ObjectStore

DAY = 86400
VERSIONS = ("web-1", "web-2", "web-3")


class Killed(BaseException):
    """As by SIGKILL: nothing that follows reaches the store."""


class Watched:
    """A store whose call `number` (from 1) is not answered, and whose later ones do not come."""

    def __init__(self, store: ObjectStore, number: int = 0, *, done: bool = False) -> None:
        self._store, self._number, self._done = store, number, done
        self.calls = 0
        self._lock = threading.Lock()

    def __getattr__(self, name: str):
        there = getattr(self._store, name)
        if not callable(there):
            return there

        def call(*given, **named):
            with self._lock:
                self.calls += 1
                mine = self.calls
            if not self._number or mine < self._number:
                made = there(*given, **named)
                return iter(list(made)) if name.startswith("list") else made
            if mine == self._number and self._done:
                there(*given, **named)
            raise Killed

        return call


class Care(Library):
    """`wrap` stands around the store; its clock is `later_s` ahead."""

    def __init__(
        self, where: str, home: Path, *, wrap: Callable | None = None, later_s: float = 0, **more
    ) -> None:
        settings = load(
            None, state_dir=f"{home}/state", data_dir=f"{home}/data", who=f"me@{home.name}"
        )
        super().__init__(where, app=Diskwright(settings), **more)
        self._wrap, self._later_s = wrap or (lambda store: store), later_s

    def store(self, cancel=None, *, sse=""):
        return self._wrap(super().store(cancel, sse=sse))

    def place(self, cancel=None, *, sse=""):
        return replace(super().place(cancel, sse=sse), now=lambda: time.time() + self._later_s)


def new_library(folder: Path, home: Path) -> str:
    settings = load(None, state_dir=f"{home}/state", data_dir=f"{home}/data")
    Diskwright(settings).new_library("care", f"dir:{folder}")
    return f"dir:{folder}"


def add_image(library: Library, disk: Path, name: str, **request):
    made = CreateRequest(name, ImageKind.DATA, **request)
    entry, _ = library.create([str(disk)], request=made)
    assert entry is not None
    assert entry.status is Status.ACTIVE
    return entry


def small_disk(path: Path, *, seed: int = 1) -> Path:
    with path.open("wb") as file:
        file.write(random.Random(seed).randbytes(1 << 16))
        file.truncate(4 << 20)
    return path


def id_of_age(seconds: float) -> str:
    """An image id that was drawn so long ago."""
    return uuid7(int((time.time() - seconds) * 1000), bytes(range(10)))


def folder_store(where: str) -> DirectoryStore:
    return DirectoryStore(where.removeprefix("dir:"))


def keys(where: str, prefix: str = "") -> list[str]:
    return [info.key for info in folder_store(where).list(prefix)]


def of_image(where: str, image: str) -> list[str]:
    """Keys of all that lies there of an image, but for hints."""
    return [key for key in keys(where) if image in key and not key.startswith("changes/")]


def copied(template: Path, folder: Path) -> str:
    shutil.copytree(template, folder)
    return f"dir:{folder}"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three versions of one channel, as data disks. Never changed."""
    home = tmp_path_factory.mktemp("care")
    where = new_library(home / "library", home)
    with Care(where, home) as library:
        for number, name in enumerate(VERSIONS):
            disk = small_disk(home / f"{name}.raw", seed=number)
            add_image(library, disk, name, channel="stable")
    return home / "library"


@pytest.fixture
def where(template: Path, tmp_path: Path) -> str:
    """A library of the test's own."""
    return copied(template, tmp_path / "library")


@pytest.fixture
def care(where: str, tmp_path: Path) -> Iterator[Care]:
    with Care(where, tmp_path / "here") as library:
        yield library


@pytest.fixture
def other(where: str, tmp_path: Path) -> Iterator[Care]:
    """Another workstation's."""
    with Care(where, tmp_path / "there") as library:
        yield library
