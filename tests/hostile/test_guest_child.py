"""Whatever a disk does to its reader, the parent gets facts, and says what is unread and why."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from diskwright._child import Ahead
from diskwright.adapters import guest_child
from diskwright.adapters.guest_child import ConfinedGuestInspector, understood
from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.formats.limits import GUEST_ANSWER_BYTES
from diskwright.guest.answer import (
    CONFIGURATION,
    FILES,
    PACKAGES,
    Answer,
    nothing_examined,
    nothing_read,
)
from diskwright.model.codec import DecodeError, encode
from diskwright.model.cost import ReadingCost, Stage
from diskwright.model.guest import GuestFacts, Section
from diskwright.model.image import DiskFile, FileIdentity, ImageFormat

IDENTITY = FileIdentity("/images/disk", 1, 2, 1 << 20, 3)


def inspect_behind(said: bytes | None, *, time_limit_s: float = 20.0) -> GuestFacts:
    """The facts of a disk behind a server that says so much, then nothing (None: hangs up)."""
    return inspector_behind(said, time_limit_s).inspect(DiskFile(IDENTITY, ImageFormat.QCOW2))


def inspector_behind(said: bytes | None, time_limit_s: float | None) -> ConfinedGuestInspector:
    @contextmanager
    def descriptor(disk: DiskFile) -> Iterator[int]:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            if said is None:
                ours.close()
            else:
                ours.sendall(said)
            yield theirs.fileno()

    return ConfinedGuestInspector(descriptor=descriptor, time_limit_s=time_limit_s)


def assert_nothing_read(facts: GuestFacts, *words: str) -> None:
    assert {entry.section for entry in facts.unread} == set(Section)
    for word in words:
        assert word in facts.why_unread(Section.TABLE)


def test_a_server_that_hangs_is_left_after_the_limit() -> None:
    assert_nothing_read(inspect_behind(b"", time_limit_s=2.0), "took more than 2 s")


@pytest.mark.parametrize("said", [None, b"HTTP/1.1 400 Bad Request\r\n\r\n" * 10])
def test_a_server_that_talks_nonsense_or_is_gone(said: bytes | None) -> None:
    assert_nothing_read(inspect_behind(said))


def test_a_child_that_breaks_down_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_child, "FUNCTION", "diskwright.guest.child:no_such_function")
    assert_nothing_read(inspect_behind(b""), "status 1", "no_such_function")


def test_a_disk_of_noise_has_facts(tmp_path: Path) -> None:
    path = tmp_path / "noise"
    path.write_bytes(os.urandom(1 << 20))
    found = path.stat()
    identity = FileIdentity(str(path), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
    inspector = ConfinedGuestInspector(descriptor=QemuNbdExporter().descriptor)
    facts = inspector.inspect(DiskFile(identity, ImageFormat.RAW))
    assert facts.table is not None
    assert facts.root is None
    assert facts.why_unread(Section.ROOT)


WISHES = [[PACKAGES], [PACKAGES, CONFIGURATION], [FILES]]


@pytest.mark.parametrize("wishes", WISHES, ids=",".join)
@pytest.mark.parametrize("said", [None, b"", b"no NBD at all" * 10])
def test_what_was_wished_for_is_unread_and_says_why(said: bytes | None, wishes: list[str]) -> None:
    inspector = inspector_behind(said, 2.0)
    found = inspector.examine(DiskFile(IDENTITY, ImageFormat.QCOW2), wishes)
    assert_nothing_read(found.guest)
    assert (found.software is not None) is (PACKAGES in wishes)
    assert found.software is None or (found.software.unread and not found.software.databases)
    assert (found.files is not None) is (wishes != [PACKAGES])
    assert found.files is None or (found.files.unread and found.files.end == found.files.below)


@pytest.mark.parametrize("told", [[], [FILES], [PACKAGES, FILES], [CONFIGURATION]])
def test_an_answer_to_another_question_is_none(
    told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = json.dumps(encode(nothing_examined("so", told))).encode()
    child = SimpleNamespace(ask=lambda *_, **__: answer)
    monkeypatch.setattr(Ahead, "take", lambda *_: child)
    found = inspector_behind(b"", None).examine(
        DiskFile(IDENTITY, ImageFormat.QCOW2), [PACKAGES, CONFIGURATION]
    )
    assert_nothing_read(found.guest, "other things than were asked for")


GOOD = json.dumps(encode(nothing_read("so"))).encode()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{",
        b"[]",
        b'{"root": "0"}',
        b'{"further": 1}',
        b'{"root": NaN}',
        b'{"unread": [{"section": "os", "reason": "\\ud800"}]}',
        b'{"root": 9007199254740992}',  # 2^53: no manifest can hold it
        b'{"root": -1}',
        b"\xff\xfe",
        b"[" * 200_000,
        GOOD + b"x",
        GOOD[:-1],
        b" " * (GUEST_ANSWER_BYTES + 1),
    ],
)
@pytest.mark.parametrize("around", [b"%b", b'{"facts":%b}'])
def test_an_answer_of_another_form_is_refused(answer: bytes, around: bytes) -> None:
    with pytest.raises(DecodeError):
        understood(around % answer)


COST = ReadingCost(1 << 20, 16, 1000, (Stage(Section.TABLE, 900),), 40 << 20)


def test_a_good_answer_is_understood() -> None:
    assert understood(b'{"facts":%b}' % GOOD) == Answer(nothing_read("so"))
    whole = Answer(nothing_read("so"), COST)
    assert understood(json.dumps(encode(whole)).encode()) == whole


@pytest.mark.parametrize(
    "cost",
    [
        {"bytes_read": "0"},
        {"bytes_read": 1 << 53},
        {"microseconds": 0.5},
        {"stages": [{"section": "\x1b[2J", "microseconds": 1}]},
        {"further": 1},
    ],
)
def test_a_cost_of_another_form_is_refused(cost: dict[str, object]) -> None:
    value = encode(Answer(nothing_read("so"), COST))
    value["cost"] |= cost
    with pytest.raises(DecodeError):
        understood(json.dumps(value).encode())
