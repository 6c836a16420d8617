"""How one disk with a guest ends: its facts, what they weigh, and what rules say of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from diskwright._values import field_names
from diskwright.adapters.guest_child import ConfinedGuestInspector, understood
from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.blockio.local import LocalReader
from diskwright.formats.identity import open_image
from diskwright.formats.limits import GUEST_ANSWER_BYTES
from diskwright.guest import late
from diskwright.guest.answer import Answer
from diskwright.guest.inspect import inspect_guest
from diskwright.model.codec import DecodeError, encode
from diskwright.model.guest import GuestFacts, Section
from diskwright.model.image import DiskFile, FileIdentity, ImageFormat
from support.fuzzing.guests.unread import hanging, hanging_on_menu, lies


def preload() -> None:
    """What is worked out or imported once, before a mutant's time is taken."""
    late.preload()
    hanging_on_menu()
    for section in Section:
        hanging(section)


def judge(path: Path, *, read: bool) -> tuple[str, list[str]]:
    """How it ends and what must not be. With `read` also through the confined child, which has to
    say the same."""
    fd, identity = open_image(str(path))
    try:
        facts = inspect_guest(LocalReader(fd, exact_size=identity.size, name=str(path)))
    finally:
        os.close(fd)
    findings = [*_answered(facts), *lies(facts)]
    if read:
        findings += _confined(identity, facts)
    return ("accepted" if facts.root is not None else "no root"), findings


def _answered(facts: GuestFacts) -> Iterator[str]:
    """What passes from the child to its parent."""
    try:
        answer = json.dumps(encode(Answer(facts)), separators=(",", ":")).encode()
        if len(answer) > GUEST_ANSWER_BYTES:
            yield f"answer: {len(answer)} bytes"
        elif (told := understood(answer).facts) != facts:
            yield f"codec: {_difference(told, facts)}"
    except (DecodeError, TypeError, ValueError) as error:
        yield f"codec: {error}"


def _confined(identity: FileIdentity, facts: GuestFacts) -> Iterator[str]:
    inspector = ConfinedGuestInspector(descriptor=QemuNbdExporter().descriptor)
    found = inspector.inspect(DiskFile(identity, ImageFormat.RAW))
    if found != facts:
        yield f"differs: {_difference(found, facts)}"


def _difference(one: GuestFacts, other: GuestFacts) -> str:
    names = [n for n in field_names(one) if getattr(one, n) != getattr(other, n)]
    return "; ".join(f"{n}: {getattr(one, n)!a} and {getattr(other, n)!a}"[:300] for n in names)
