"""A numbered mutant: headers and tables are hit first. The same name, the same bytes."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from support import iso_mutants
from support.fuzzing import beside, changes
from support.fuzzing.guests import mutants as guests
from support.fuzzing.guests.seeds import GUESTS
from support.fuzzing.seed import Seed
from support.fuzzing.seeds import FILES, FOLLOWED, seeds

_TEXTS = (
    b"/etc/passwd", b"../../etc/hostname", b"json:{}", b"nbd://127.0.0.1:9/x", b"\0", b"\n", b'"',
    b"=", b"RW 8 FLAT \"/etc/passwd\" 0\n", b"RW 8 ZERO\n", b"RW 99999999999999999999 ZERO\n",
    b"-1", b"%s%n", b"\xff\xfe", b"<!DOCTYPE x [<!ENTITY y 'z'>]>", b"&lt;", b"<Disk", b"/>",
    b"9" * 40, b"parentCID=1\n", b'parentFileNameHint="/etc/passwd"\n',
)  # fmt: skip
# Where a whole number has to be: in headers and tables of these formats there are no texts.
_TEXTUAL = {"vmdk-descriptor", "ova", "luks", "vmdk", "vmdk-stream", "extents"}
_TIMES = (1, 1, 1, 2, 2, 3, 5)
_TIMES_RENAMED = (0, 0, 0, 1, 1, 2, 3)
_FOREIGN = tuple(kind for kind in FILES if kind not in FOLLOWED)


def mutant(name: str, seed: int, number: int) -> bytes:
    """Mutant `number` of a format, from 0, in the series that `seed` begins."""
    if name in GUESTS:
        return guests.mutant(name, seed, number)
    chance = _chance(name, seed, number)
    if name == "iso" and chance.random() < 0.9:
        return iso_mutants.mutant(chance.randrange(1 << 62))
    base = chance.choice(seeds(name))
    data = bytearray(base.data)
    times = _TIMES
    if base.rename is not None and chance.random() < 0.6:
        data[:] = base.rename(base.data, beside.name(chance), chance)
        times = _TIMES_RENAMED
    for _ in range(chance.choice(times)):
        _change(data, base, name, chance)
    if chance.random() < 0.12:
        _cut(data, base, chance)
    made = bytes(data)
    if base.repair is not None and chance.random() < 0.8:
        try:
            made = base.repair(made)
        except struct.error:  # what was to be put right has been cut away
            return made
    return made


def above(name: str, seed: int, number: int) -> bytes | None:
    """The good file that names the mutant, where one does: that one is opened instead."""
    return _chance(name, seed, number).choice(seeds(name)).above if name in FOLLOWED else None


def _chance(name: str, seed: int, number: int) -> random.Random:
    return random.Random(f"{name} {seed} {number}")


def _change(data: bytearray, base: Seed, name: str, chance: random.Random) -> None:
    at = _place(data, base, chance)
    if (base.textual or name in _TEXTUAL) and chance.random() < 0.5:
        _write_text(data, at, chance)
        return
    ways: tuple[Callable[[bytearray, int, random.Random], None], ...] = (
        changes.flip,
        changes.number,
        changes.number,
        changes.number,
        changes.nudge,
        changes.swap,
        changes.swap,
        changes.splice_own,
    )
    way = chance.choice(ways)
    if chance.random() < 0.02:
        _splice_foreign(data, at, chance)
    else:
        way(data, at, chance)


def _place(data: bytearray, base: Seed, chance: random.Random) -> int:
    places = [(start, end) for start, end in base.hot if start < min(end, len(data))]
    if not places or chance.random() < 0.05:
        return chance.randrange(max(1, len(data)))
    start, end = chance.choice(places)
    return chance.randrange(start, min(end, len(data)))


def _splice_foreign(data: bytearray, at: int, chance: random.Random) -> None:
    """A piece of a file of any format, at its own place or here."""
    other = chance.choice(seeds(chance.choice(_FOREIGN))).data
    length = min(chance.choice((8, 64, 512, 4096)), len(other))
    start = chance.choice((0, 0, 32768, len(other) - length))
    piece = other[start : start + length]
    at = start if chance.random() < 0.5 else at
    if at + len(piece) <= len(data):
        data[at : at + len(piece)] = piece


def _write_text(data: bytearray, at: int, chance: random.Random) -> None:
    text = chance.choice(_TEXTS)
    if chance.random() < 0.5:
        data[at : at + len(text)] = text[: len(data) - at]
    else:
        del data[at : at + chance.choice((0, 0, 1, 4, 20))]
        data[at:at] = text


def _cut(data: bytearray, base: Seed, chance: random.Random) -> None:
    kind = chance.random()
    if kind < 0.3:
        data += bytes(chance.choice((1, 511, 512, 4096)))
        return
    if kind < 0.6:
        start, end = chance.choice(base.hot)
        del data[min(len(data), chance.choice((start, end, (start + end) // 2))) :]
        return
    del data[chance.randrange(len(data) + 1) :]
