"""Whatever an ISO does to its reader is a refusal, and a reader's answer is not trusted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diskwright.adapters import iso_child
from diskwright.adapters.iso_child import ConfinedIsoReader, understood
from diskwright.errors import Cancelled, ImageBroken, ToolStalled
from diskwright.formats import limits
from diskwright.formats.iso.answer import IsoAnswer, Refused, Told, packed
from diskwright.model.codec import DecodeError
from diskwright.model.iso import IsoEntry, IsoExtent, IsoFacts, IsoKind, IsoTree
from diskwright.ops.iso import inspect_iso
from support.hostile.corpus import build


class NoDatabase:
    date = ""

    def installs(self, facts: IsoFacts) -> None:
        return None


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.iso"
    path.write_bytes(build("iso-good.iso"))
    return path


def test_a_child_that_breaks_down_is_told(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iso_child, "FUNCTION", "diskwright.formats.iso.child:no_such_function")
    with pytest.raises(ImageBroken, match=r"status 1.*no_such_function") as caught:
        inspect_iso(str(good), reader=ConfinedIsoReader(), database=NoDatabase())
    assert caught.value.code == "unreadable"


def test_a_child_that_takes_too_long_is_stopped(good: Path) -> None:
    with pytest.raises(ToolStalled):
        inspect_iso(str(good), reader=ConfinedIsoReader(time_limit_s=0.0), database=NoDatabase())


def test_a_user_who_stops_is_heard(good: Path) -> None:
    class Stopped:
        def check(self) -> None:
            raise Cancelled

    with pytest.raises(Cancelled):
        inspect_iso(str(good), reader=ConfinedIsoReader(cancel=Stopped()), database=NoDatabase())


def test_an_answer_that_is_too_long_is_cut_off(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ISO_ANSWER_BYTES", 16)
    with pytest.raises(ImageBroken, match="longer than 16 bytes"):
        inspect_iso(str(good), reader=ConfinedIsoReader(), database=NoDatabase())


FULL = Told(
    IsoAnswer(tree=IsoTree.UDF, trees=(IsoTree.UDF,), refused=Refused("broken", "c", "d", 5)),
    (
        IsoEntry("a/b", IsoKind.FILE, 7, 0o644, 9, None, (IsoExtent(1, 3), IsoExtent(None, 4))),
        IsoEntry("a/l", IsoKind.LINK, target="b"),
    ),
)
ROW = ["a", "file", 1, None, None, None, [[0, 1]], ""]


def with_row(**changes: object) -> bytes:
    row = [*ROW]
    for place, value in changes.items():
        row[int(place.removeprefix("at"))] = value
    return json.dumps({"answer": {}, "entries": [row]}).encode()


def test_a_good_answer_is_understood() -> None:
    assert understood(packed(FULL)) == FULL
    assert understood(with_row()).entries[0].extents == (IsoExtent(0, 1),)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        packed(FULL)[:-1],
        packed(FULL) + b"x",
        b'{"answer":{},"entries":{}}',
        b'{"answer":{},"entries":[[]]}',
        b'{"answer":{},"entries":[{}]}',
        b'{"answer":{"further":1},"entries":[]}',
        b'{"answer":{"refused":{"kind":"broken","code":"c","detail":"d","offset":-1}},"entries":[]}',
        with_row(at0=None),
        with_row(at1="socket"),
        with_row(at1=[]),
        with_row(at2=-1),
        with_row(at2=1 << 53),
        with_row(at2=True),
        with_row(at2=1.5),
        with_row(at3="0644"),
        with_row(at4=-5),
        with_row(at5=5),
        with_row(at6=None),
        with_row(at6=[[0]]),
        with_row(at6=[[-1, 1]]),
        with_row(at6=[["0", 1]]),
        with_row(at7=None),
    ],
)
def test_an_answer_of_another_form_is_refused(answer: bytes) -> None:
    with pytest.raises(DecodeError):
        understood(answer)
