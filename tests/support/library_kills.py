"""`kill -9` at any moment of any verb of a library, and what must be true afterwards: nothing is
lost, `gc` removes what is left over, and a catalog made anew says the same.

For the suite (one of each verb) and for `scripts/soak --only library-kills` (a hundred).
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from diskwright.adapters.directory import DirectoryStore
from diskwright.model.names import uuid7
from diskwright.ops.library import changes
from support.forked import Forked
from support.kills import make_disk, same
from support.library_images import put_image
from support.races import local_key

ACTIVE, TRASH = "active", "pending-delete"
_LISTED = ["image", "list", *(f"--status={one}" for one in (ACTIVE, TRASH, "error", "saving"))]
_GC = ["library", "gc", "--yes", "--grace", "0m", "--orphan-grace", "0m"]


@dataclass
class Figures:
    in_time: Counter[str] = field(default_factory=Counter)  # by verb
    too_late: int = 0
    orphans: int = 0  # that a check found
    done: int = 0  # kills after which the verb's change was there
    outlived_s: float = 0.0


@dataclass(frozen=True)
class Try:
    """A run to be killed. `target`: the image that it changes, and what that may be afterwards."""

    command: list
    target: str = ""
    becomes: tuple[str, ...] = (ACTIVE,)
    after: Callable[[], bool] = lambda: False  # what more is to be looked at: is the change there?


class Kills:
    """A library in a folder below `work` with a plain, a sealed and a quick image, and its user."""

    def __init__(self, work: Path, run: Forked) -> None:
        self.run, self.work, self.number = run, work, 0
        self.place = work / "library"
        self.store = DirectoryStore(str(self.place))
        self.disk = make_disk(work / "disk.raw", 4)
        self.kek, self.key = work / "kek.json", ["--key", f"local:{work / 'kek.json'}"]
        self.out = work / "exported"
        self.out.mkdir()
        self.ok("key", "new", self.kek)
        self.ok("key", "new", work / "ada.json", "--receiver", "--name", "Ada")
        self.ok("library", "init", "golden", self.place)
        creating = ["image", "create", "--data", "--from-file", self.disk, "--name"]
        self.plain = self.made(*creating, "plain")
        self.sealed = self.made(*creating, "sealed", *self.key)
        self.quick = self.made("image", "replicate", self.plain, "--name", "quick", "--quick")
        self.whole_s: dict[str, float] = {}

    def ok(self, *arguments: str | Path) -> str:
        ended = self.run(*arguments)
        assert ended.code == 0, f"{arguments}: {ended.err}{ended.out}"
        return ended.out

    def made(self, *arguments: str | Path) -> str:
        return json.loads(self.ok(*arguments, "--output", "json"))["results"][0]["entry"]["id"]

    def entries(self) -> dict[str, dict]:
        listed = json.loads(self.ok(*_LISTED, *self.key, "--output", "json"))
        return {one["entry"]["id"]: one["entry"] for one in listed["results"]}

    # --- what is killed, and what may come of it --------------------------------------------------

    def tries(self) -> dict[str, Callable[[], Try]]:
        return {
            "create": self._create,
            "set": self._set,
            "tag": self._tag,
            "delete": self._delete,
            "undelete": self._undelete,
            "share": self._share,
            "replicate": self._replicate,
            "gc": self._gc,
            "server create": self._server_create,
            "export": self._export,
        }

    def _named(self, word: str) -> str:
        return f"{word}-{self.number}"

    def _either(self) -> tuple[str, list[str]]:
        """Now the plain image, now the sealed one."""
        return (self.sealed, self.key) if self.number % 2 else (self.plain, [])

    def _victim(self, *, sealed: bool = False) -> str:
        key = local_key(self.kek) if sealed else None
        image = put_image(self.store, self._named("victim"), key=key, size=1 << 16).id
        changes.announce(self.store, image, 0, time.time())
        return image

    def _create(self) -> Try:
        name, key = self._named("new"), self._either()[1]
        command = ["image", "create", "--data", "--from-file", self.disk, "--name", name, *key]
        return Try(command, after=lambda: self._thrown_away(name))

    def _replicate(self) -> Try:
        (image, key), name = self._either(), self._named("copy")
        command = ["image", "replicate", image, "--name", name, *key]
        return Try(command, image, after=lambda: self._thrown_away(name))

    def _thrown_away(self, name: str) -> bool:
        """The new image is there and as its source, or the name can be taken again at once."""
        image = next((at for at, one in self.entries().items() if one["name"] == name), "")
        if not image:
            return False
        restored = self.out / "new.raw"
        self.ok("image", "download", image, restored, "-O", "raw", "--force", *self.key)
        same(self.disk, restored, name, made_format="raw")
        self.ok("image", "delete", image, "--yes", *self.key)
        return True

    def _set(self) -> Try:
        image, key = self._either()
        name = self._named("web")
        before = self.entries()[image]
        words = ["--name", name, "--description", f"is {name}"]

        def after() -> bool:
            now = self.entries()[image]
            pair = (now["name"], now["description"])
            assert pair in ((name, f"is {name}"), (before["name"], before["description"]))
            return now["name"] == name

        return Try(["image", "set", image, *words, *key], image, after=after)

    def _tag(self) -> Try:
        image, key = self._either()
        value = self._named("v")

        def after() -> bool:
            return self.entries()[image]["tags"].get("version") == value

        return Try(["image", "tag", image, f"version={value}", *key], image, after=after)

    def _delete(self) -> Try:
        image = self._victim()
        return Try(["image", "delete", image, "--yes"], image, (ACTIVE, TRASH))

    def _undelete(self) -> Try:
        image = self._victim()
        self.ok("image", "delete", image, "--yes")
        return Try(["image", "undelete", image], image, (ACTIVE, TRASH))

    def _share(self) -> Try:
        image = self._victim(sealed=True)
        command = ["image", "share", image, "--with", self.work / "ada.json.pub", *self.key]

        def after() -> bool:
            done = bool(list(self.store.list("shares/")))
            self.ok(*command)  # completes what was cut short
            assert len(list(self.store.list("shares/"))) == 1
            assert len(self.entries()[image]["members"]) == 1
            self.ok("image", "unshare", image, "--from", "Ada", *self.key)
            assert list(self.store.list("shares/")) == []
            self.ok("image", "delete", image, "--yes", *self.key)
            return done

        return Try(command, image, after=after)

    def _gc(self) -> Try:
        image = self._victim()
        self.ok("image", "delete", image, "--yes")
        stray = uuid7(int(time.time() * 1000) - 10_000, os.urandom(10))
        self.store.put(f"images/{stray}/stray-0.raw", b"left by a killed run")
        return Try(_GC, image, (TRASH, ""), after=lambda: image not in self.entries())

    def _server_create(self) -> Try:
        image = self.quick if self.number % 2 else self.plain
        command = ["volume", "create", "--image", image, "--name", self._named("volume")]

        def after() -> bool:
            listed = json.loads(self.ok("volume", "list", "--output", "json"))["results"]
            for one in listed:
                (disk,) = one["server"]["disks"]
                same(self.disk, Path(disk["path"]), image, made_format=disk["format"])
                self.ok("volume", "delete", one["server"]["id"], "--yes")
            assert list(self.store.list("uses/")) == [], "it stays in use by nobody"
            assert not any(self.volumes().iterdir())
            return bool(listed)

        return Try(command, image, after=after)

    def volumes(self) -> Path:
        (found,) = self.run.home.rglob("diskwright/servers")
        return found

    def _export(self) -> Try:
        image, key = self._either()
        target = self.out / f"{self._named('out')}.raw"

        def after() -> bool:
            done = target.exists()
            if done:
                same(self.disk, target, "export", made_format="raw")
            self.ok("image", "export", image, "--to", f"dir:{target}", "-O", "raw", "--force", *key)
            same(self.disk, target, "export", made_format="raw")
            target.unlink()
            Path(f"{target}.sha256").unlink()
            assert not list(self.out.glob("*out*"))
            return done

        return Try(
            ["image", "export", image, "--to", f"dir:{target}", "-O", "raw", *key], "", after=after
        )

    # --- a kill, and what must be true ------------------------------------------------------------

    def series(self, count: int, draw: random.Random) -> Figures:
        """`count` kills, of each verb in turn. AssertionError for what may not be."""
        figures = Figures()
        for verb, make in self.tries().items():
            self._once(verb, make, None, figures)
        while sum(figures.in_time.values()) < count and figures.too_late < count:
            for verb, make in self.tries().items():
                if sum(figures.in_time.values()) < count:
                    self._once(verb, make, draw.uniform(0.02, 1.0), figures)
        return figures

    def _once(
        self, verb: str, make: Callable[[], Try], part: float | None, figures: Figures
    ) -> None:
        """Killed after that part of a whole run; None: not at all, but measured."""
        self.number += 1
        one = make()
        before = self.entries()
        begun = time.monotonic()
        wait_s = None if part is None else part * self.whole_s[verb]
        ended, outlived_s = self.run.start(*one.command).killed(wait_s)
        where = f"{verb} {self.number}, killed after {wait_s} s: {ended}"
        if part is None:
            assert ended.code == 0, where
            self.whole_s[verb] = time.monotonic() - begun
        elif ended.code == 0:
            figures.too_late += 1
        else:
            assert ended.code == -9, where
            figures.in_time[verb] += 1
        figures.outlived_s = max(figures.outlived_s, outlived_s)
        try:
            figures.orphans += self._nothing_is_lost(before, one)
            done = one.after()
            assert done or ended.code != 0 or one.after.__name__ == "<lambda>", "it ended well"
            figures.done += done and ended.code != 0
            self._is_collected()
            self._is_rebuilt()
        except AssertionError as error:
            error.add_note(where)
            raise

    def _nothing_is_lost(self, before: dict[str, dict], one: Try) -> int:
        """The number of orphans."""
        issues = self._checked()["issues"]
        assert {issue["fault"] for issue in issues} <= {"orphaned"}, issues
        now = self.entries()
        for image, entry in before.items():
            state = now.get(image, {"status": ""})["status"]
            allowed = one.becomes if image == one.target else (entry["status"],)
            assert state in allowed, f"{image} was {entry['status']}, and is {state or 'gone'}"
        return len(issues)

    def _checked(self) -> dict:
        told = self.ok("library", "check", "--read-data", "--output", "json", *self.key)
        return json.loads(told)["results"][0]["checked"]

    def _is_collected(self) -> None:
        self.ok(*_GC, *self.key)
        assert self._checked()["issues"] == []
        assert {one["status"] for one in self.entries().values()} == {ACTIVE}
        there = set(os.listdir(self.place / "images"))
        assert there == set(self.entries()), "gc left data that no image has"
        assert not [path for path in (self.place / ".uploads").rglob("*") if path.is_file()]

    def _is_rebuilt(self) -> None:
        before = self.ok(*_LISTED, *self.key, "--output", "json")
        (catalogs,) = self.run.home.rglob("diskwright/catalogs")
        for path in catalogs.iterdir():
            path.unlink()
        self.ok("library", "rebuild", *self.key)
        assert self.ok(*_LISTED, *self.key, "--output", "json") == before
