"""Damaged Windows guests: facts, or unread sections, in little time; never an error."""

from __future__ import annotations

import random
import struct
import time

import pytest

from diskwright.guest.windows.read import SOFTWARE, SYSTEM
from diskwright.model.codec import decode, encode
from diskwright.model.guest import GuestFacts
from support.hive_maker import sealed
from support.windows_guest import bios, files

WHOLE = files()


def mutant(data: bytes, chance: random.Random) -> bytes:
    """Flipped bits, counts and places set to what is far off, and sometimes a cut."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 3, 30, 200))):
        at = chance.randrange(4096, len(changed) - 4)
        if chance.random() < 0.6:
            changed[at] ^= 1 << chance.randrange(8)
        else:
            far = chance.choice((0, 0x20, 0xFFFFFFFF, 0x7FFFFFFF, chance.randrange(len(changed))))
            struct.pack_into("<I", changed, at & ~3, far)
    if chance.random() < 0.1:
        changed[chance.randrange(512)] ^= 0xFF
    if chance.random() < 0.1:
        del changed[chance.randrange(len(changed)) :]
    return bytes(sealed(changed) if len(changed) > 512 and chance.random() < 0.5 else changed)


@pytest.mark.parametrize("seed", range(200))
def test_a_changed_registry_ends_in_facts(seed: int) -> None:
    chance = random.Random(seed)
    content = dict(WHOLE)
    for path in (SYSTEM, SOFTWARE):
        data = content[path]
        assert isinstance(data, bytes)
        if chance.random() < 0.7:
            content[path] = mutant(data, chance)
    started = time.process_time()
    guest = bios(content)
    assert time.process_time() - started < 5
    assert guest.windows is not None
    assert decode(GuestFacts, encode(guest)) == guest
