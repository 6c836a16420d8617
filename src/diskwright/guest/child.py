"""The confined child that reads one disk: `diskwright._confine` calls `main` when no file can be
opened any more. Its answer is one JSON document on stdout; it has no other way to say anything.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from diskwright._values import replace
from diskwright.blockio.local import LocalReader
from diskwright.blockio.nbd import NbdReader
from diskwright.errors import DiskwrightError
from diskwright.formats.limits import GUEST_ANSWER_BYTES
from diskwright.guest import late
from diskwright.guest.answer import NBD, Answer, nothing_read
from diskwright.guest.inspect import inspect_guest
from diskwright.guest.meter import Meter
from diskwright.model.codec import encode
from diskwright.model.guest import GuestFacts

if TYPE_CHECKING:
    from diskwright.ports import BlockReader


# A thread that unpacks needs Python's lock between two blocks. By itself another one keeps it for
# 5 ms, which makes 0.05 s of 32 blocks.
_SWITCH_S = 0.0003


def preload() -> None:
    """Afterwards no module can be opened."""
    late.preload()


def main(fd: int, kind: str, exact_size: int) -> int:
    """Read the disk behind `fd`: an NBD connection that nobody has spoken on, or a raw file of
    `exact_size` bytes. Returns 0 once the answer is written."""
    sys.setswitchinterval(_SWITCH_S)
    meter = Meter()
    facts = _inspect(fd, kind, exact_size, meter)
    answer = Answer(facts, meter.cost())
    say(answer, replace(answer, facts=nothing_read("its facts are too long")), GUEST_ANSWER_BYTES)
    return 0


def _inspect(fd: int, kind: str, exact_size: int, meter: Meter) -> GuestFacts:
    try:
        return inspect_guest(reader_of(fd, kind, exact_size), meter)
    except DiskwrightError as error:
        return nothing_read(str(error))
    except Exception as error:  # noqa: BLE001 - the edge: a bug here is the disk's loss alone
        return nothing_read(f"the reader failed: {type(error).__name__}: {error}")


def reader_of(fd: int, kind: str, exact_size: int) -> BlockReader:
    if kind == NBD:
        return NbdReader.from_descriptor(fd, name="the image")
    return LocalReader(fd, exact_size=exact_size, name="the image")


def say(answer: object, instead: object, most_bytes: int) -> None:
    """`instead` where the answer takes more bytes than the parent reads."""
    document = json.dumps(encode(answer), separators=(",", ":")).encode()
    if len(document) > most_bytes:
        document = json.dumps(encode(instead)).encode()
    view = memoryview(document)
    while view:
        view = view[os.write(1, view) :]
