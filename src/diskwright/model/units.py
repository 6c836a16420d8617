"""Sizes: bytes everywhere, words only at the edge."""

from __future__ import annotations

import re

SECTOR = 512
KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30
TIB = 1 << 40

_SUFFIXES = {"": 1, "k": KIB, "m": MIB, "g": GIB, "t": TIB}


def format_size(size_bytes: int) -> str:
    """`1610612736` becomes `1.5 GiB`: binary units, at most one decimal."""
    value = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if value < 1024 or unit == "PiB":
            text = f"{value:.1f}".removesuffix(".0")
            return f"{text} {unit}"
        value /= 1024
    raise AssertionError("unreachable")


def exact_size(size_bytes: int) -> str:
    """As an option takes it: `1610612736` becomes `1536MiB`."""
    for unit, name in ((TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size_bytes % unit == 0:
            return f"{size_bytes // unit}{name}"
    return f"{size_bytes}B"


def parse_size(text: str) -> int:
    """`512M`, `2GiB`, `4g` or plain bytes. Raises ValueError for anything else."""
    match = re.fullmatch(r"(\d{1,15})\s*([kmgt]?)(?:i?b)?", text.strip().lower())
    if match is None:
        raise ValueError(f"not a size: {text!r} (use 512M, 2GiB or bytes)")
    return int(match[1]) * _SUFFIXES[match[2]]


def round_up(value: int, unit: int) -> int:
    """The least multiple of `unit` that is not below `value`."""
    return -(-value // unit) * unit
