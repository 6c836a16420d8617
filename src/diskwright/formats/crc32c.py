"""CRC-32C (Castagnoli), as VHDX, ext4 and jbd2 use it: no inversion at the end is done here."""

from __future__ import annotations

_POLYNOMIAL = 0x82F63B78  # reflected; RFC 3720 appendix B.4


def _row(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
    return value


_TABLE = tuple(_row(i) for i in range(256))


def crc32c(register: int, data: bytes) -> int:
    """`register` after `data`; it starts as 0xFFFFFFFF, or as a seed made the same way."""
    table = _TABLE
    for byte in data:
        register = register >> 8 ^ table[(register ^ byte) & 0xFF]
    return register
