"""Struct packing without a byte order at every call."""

from __future__ import annotations

import struct


def be(fmt, *a):
    return struct.pack(">" + fmt, *a)


def le(fmt, *a):
    return struct.pack("<" + fmt, *a)
