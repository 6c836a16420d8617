"""A numbered mutant: headers and tables are hit first. The same name, the same bytes."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from support import iso_mutants
from support.fuzzing import beside
from support.fuzzing.seed import Seed
from support.fuzzing.seeds import FOLLOWED, FORMATS, seeds

# Numbers that parsers trip over, next to those of the file itself.
_NUMBERS = (
    *range(10), 15, 16, 17, 21, 22, 31, 32, 33, 62, 63, 64, 127, 128, 255, 256, 257, 511, 512, 513,
    1023, 1024, 4095, 4096, 4097, 65535, 65536, 65537, 1 << 20, (1 << 20) + 1, 1 << 24,
    (1 << 31) - 1, 1 << 31, (1 << 31) + 1, (1 << 32) - 512, (1 << 32) - 2, (1 << 32) - 1, 1 << 32,
    1 << 40, (1 << 53) + 1, 1 << 54, 1 << 55, 1 << 62, 3 << 62, (1 << 63) - 512, (1 << 63) - 1,
    1 << 63, (1 << 64) - 512, (1 << 64) - 1,
)  # fmt: skip
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
_FOREIGN = tuple(kind for kind in FORMATS if kind not in FOLLOWED)


def mutant(name: str, seed: int, number: int) -> bytes:
    """Mutant `number` of a format, from 0, in the series that `seed` begins."""
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
        _flip,
        _number,
        _number,
        _number,
        _nudge,
        _swap,
        _swap,
        _splice_own,
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


def _flip(data: bytearray, at: int, chance: random.Random) -> None:
    if at < len(data):
        data[at] ^= 1 << chance.randrange(8)


def _field(data: bytearray, at: int, chance: random.Random) -> tuple[int, str, int]:
    """A field's place, code and size, within the file."""
    size = chance.choice((1, 2, 4, 4, 4, 8, 8, 8))
    at -= at % min(size, 4) if chance.random() < 0.9 else 0
    return (
        max(0, min(at, len(data) - size)),
        chance.choice("<>") + "BHIQ"[size.bit_length() - 1],
        size,
    )


def _number(data: bytearray, at: int, chance: random.Random) -> None:
    if len(data) < 8:
        return
    at, code, size = _field(data, at, chance)
    own = (len(data), len(data) // 512, len(data) - 512, len(data) // 2, len(data) + 1, at)
    value = chance.choice(own) if chance.random() < 0.2 else chance.choice(_NUMBERS)
    struct.pack_into(code, data, at, value & ((1 << 8 * size) - 1))


def _nudge(data: bytearray, at: int, chance: random.Random) -> None:
    """A value that is nearly the right one."""
    if len(data) < 8:
        return
    at, code, size = _field(data, at, chance)
    (value,) = struct.unpack_from(code, data, at)
    ways = (
        value + 1,
        value - 1,
        value * 2,
        value // 2,
        value + 512,
        value - 512,
        value << 9,
        ~value,
    )
    struct.pack_into(code, data, at, chance.choice(ways) & ((1 << 8 * size) - 1))


def _swap(data: bytearray, at: int, chance: random.Random) -> None:
    """Two entries of a table change places, or one stands there twice."""
    size = chance.choice((4, 8))
    at -= at % size
    other = at + size * chance.choice((-3, -2, -1, 1, 2, 3, 8))
    if not min(at, other) >= 0 or max(at, other) + size > len(data):
        return
    one, two = data[at : at + size], data[other : other + size]
    data[other : other + size] = one
    if chance.random() < 0.6:
        data[at : at + size] = two


def _splice_own(data: bytearray, at: int, chance: random.Random) -> None:
    length = chance.choice((4, 8, 16, 64, 512))
    length = min(length, len(data) - at)
    start = chance.randrange(max(1, len(data) - length))
    data[at : at + length] = data[start : start + length]


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
