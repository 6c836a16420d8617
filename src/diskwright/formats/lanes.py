"""Arithmetic on a whole table of big-endian 64-bit entries at once.

A table of n entries is one integer of 64n bits, its first entry in the highest lane. `&`, `|` and
shifts by less than a mask leaves free then work on all entries at the speed of C, which a loop in
Python does not: a 64 GiB disk has a million entries.
"""

from __future__ import annotations

import struct

_FULL = (1 << 64) - 1


class Lanes:
    """The constants for tables of `count` entries."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._ones = int.from_bytes(bytes([0, 0, 0, 0, 0, 0, 0, 1]) * count)
        self._largest = self.each(_FULL >> 1)

    def each(self, value: int) -> int:
        """`value` (64 bits) in every lane."""
        return self._ones * value

    def alternate(self, first: int, second: int) -> int:
        """`first` in lanes 0, 2, 4 ... and `second` in the others; `count` is even."""
        pair = struct.pack(">QQ", first, second)
        return int.from_bytes(pair * (self.count // 2))

    def nonzero(self, table: int) -> int:
        """1 in every lane that is not 0. Lanes are below 2^63."""
        return (table + self._largest) >> 63 & self._ones

    def spread(self, flags: int) -> int:
        """All bits of a lane set where its flag (0 or 1) is."""
        return (flags << 64) - flags

    def unpack(self, table: int) -> tuple[int, ...]:
        return struct.unpack(f">{self.count}Q", table.to_bytes(8 * self.count))

    def first(self, table: int) -> int:
        """The index of the first lane that is not 0. There is one."""
        return self.count - 1 - (table.bit_length() - 1) // 64
