"""What is done to bytes: the ways in which a mutant differs from a good file."""

from __future__ import annotations

import random
import struct

# Numbers that parsers trip over, next to those of the file itself.
NUMBERS = (
    *range(10), 15, 16, 17, 21, 22, 31, 32, 33, 62, 63, 64, 127, 128, 255, 256, 257, 511, 512, 513,
    1023, 1024, 4095, 4096, 4097, 65535, 65536, 65537, 1 << 20, (1 << 20) + 1, 1 << 24,
    (1 << 31) - 1, 1 << 31, (1 << 31) + 1, (1 << 32) - 512, (1 << 32) - 2, (1 << 32) - 1, 1 << 32,
    1 << 40, (1 << 53) + 1, 1 << 54, 1 << 55, 1 << 62, 3 << 62, (1 << 63) - 512, (1 << 63) - 1,
    1 << 63, (1 << 64) - 512, (1 << 64) - 1,
)  # fmt: skip


def flip(data: bytearray, at: int, chance: random.Random) -> None:
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


def number(data: bytearray, at: int, chance: random.Random) -> None:
    if len(data) < 8:
        return
    at, code, size = _field(data, at, chance)
    own = (len(data), len(data) // 512, len(data) - 512, len(data) // 2, len(data) + 1, at)
    value = chance.choice(own) if chance.random() < 0.2 else chance.choice(NUMBERS)
    struct.pack_into(code, data, at, value & ((1 << 8 * size) - 1))


def nudge(data: bytearray, at: int, chance: random.Random) -> None:
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


def swap(data: bytearray, at: int, chance: random.Random) -> None:
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


def splice_own(data: bytearray, at: int, chance: random.Random) -> None:
    length = chance.choice((4, 8, 16, 64, 512))
    length = min(length, len(data) - at)
    start = chance.randrange(max(1, len(data) - length))
    data[at : at + length] = data[start : start + length]
