"""A numbered mutant of a disk with a guest: what the reader asks for is hit."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from support.fuzzing import changes
from support.fuzzing.guests import files, sums
from support.fuzzing.guests.seed import GuestSeed
from support.fuzzing.guests.seeds import seeds

_TIMES = (1, 1, 1, 2, 2, 3, 5, 12)
_WAYS: tuple[Callable[[bytearray, int, random.Random], None], ...] = (
    changes.flip,
    changes.number,
    changes.number,
    changes.number,
    changes.nudge,
    changes.swap,
    changes.splice_own,
)
_UNIT = 512
_LVM_ROOM = 60 << 10


def mutant(name: str, seed: int, number: int) -> bytes:
    """Mutant `number` of a format, from 0, in the series that `seed` begins."""
    chance = random.Random(f"{name} {seed} {number}")
    base = chance.choice(seeds(name))
    good = base.data
    data = bytearray(good)
    texts = [one for one in base.sums if one.kind == "text"]
    if base.slots and chance.random() < 0.9:
        files.change(data, base, chance)
    elif texts and chance.random() < 0.7:
        _metadata(data, chance.choice(texts), chance)
    else:
        for _ in range(chance.choice(_TIMES)):
            _change(data, base, name, chance)
    if chance.random() < 0.05:
        _cut(data, base, chance)
    if chance.random() < 0.85:
        sums.repair(data, good, base.sums)
    return bytes(data)


def _change(data: bytearray, base: GuestSeed, name: str, chance: random.Random) -> None:
    start, end = chance.choice(base.hot)
    at = chance.randrange(start, end) if chance.random() < 0.97 else chance.randrange(len(data))
    kind = chance.random()
    if kind < 0.08:
        _exchange(data, base, chance)
    elif kind < 0.13:
        _other(data, name, at, chance)
    elif kind < 0.16:
        _fill(data, at, chance)
    else:
        chance.choice(_WAYS)(data, at, chance)


def _metadata(data: bytearray, text: sums.Sum, chance: random.Random) -> None:
    """The text in which LVM describes a volume group, of whatever length it is then."""
    content = bytes(data[text.start : text.start + text.length])
    changed = files.text("lvm", content, _LVM_ROOM, chance)[:_LVM_ROOM]
    data[text.start : text.start + len(changed)] = changed
    struct.pack_into("<Q", data, text.extra + 48, len(changed))


def _exchange(data: bytearray, base: GuestSeed, chance: random.Random) -> None:
    """Two pieces change places, or one stands there twice."""
    one, two = (chance.choice(base.hot)[0] for _ in range(2))
    length = chance.choice((128, 256, _UNIT, 2 * _UNIT, 8 * _UNIT))
    if abs(one - two) < length or max(one, two) + length > len(data):
        return
    kept = data[one : one + length]
    if chance.random() < 0.5:
        data[one : one + length] = data[two : two + length]
    data[two : two + length] = kept


def _other(data: bytearray, name: str, at: int, chance: random.Random) -> None:
    """A piece of another disk of this kind, at its own place or here."""
    other = chance.choice(seeds(name))
    start = chance.choice(other.hot)[0]
    length = chance.choice((8, 32, 128, _UNIT, 8 * _UNIT))
    piece = other.data[start : start + length]
    at = at if chance.random() < 0.5 else start
    if at + len(piece) <= len(data):
        data[at : at + len(piece)] = piece


def _fill(data: bytearray, at: int, chance: random.Random) -> None:
    length = min(chance.choice((1, 4, 16, 64, _UNIT)), len(data) - at)
    data[at : at + length] = bytes([chance.choice((0, 0xFF, chance.randrange(256)))]) * length


def _cut(data: bytearray, base: GuestSeed, chance: random.Random) -> None:
    end = chance.choice((chance.randrange(_UNIT, len(data)), *chance.choice(base.hot)))
    del data[max(_UNIT, end) :]
