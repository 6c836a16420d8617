"""rpm's headers and its SQLite database, made byte by byte."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing

_TAGS = {"name": 1000, "version": 1001, "release": 1002, "epoch": 1003, "arch": 1022}


def header(*, epoch: int | None = None, **texts: str) -> bytes:
    """As a row of Packages has it. The values lie in another order than their entries."""
    entries: list[tuple[int, int, int, int]] = []
    data = b""
    if epoch is not None:
        entries.append((_TAGS["epoch"], 4, 0, 1))
        data = struct.pack(">I", epoch)
    for name in sorted(texts, reverse=True):
        entries.append((_TAGS[name], 6, len(data), 1))
        data += texts[name].encode() + b"\0"
    packed = b"".join(struct.pack(">IIII", *entry) for entry in sorted(entries))
    return struct.pack(">II", len(entries), len(data)) + packed + data


def database(
    *headers: object,
    made: str = "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB)",
    logged: bool = True,
) -> bytes:
    """`logged`: marked as one with a write-ahead log, as rpm's are."""
    with closing(sqlite3.connect(":memory:")) as memory:
        memory.execute(made)
        memory.executemany("INSERT INTO Packages (blob) VALUES (?)", [(h,) for h in headers])
        memory.commit()
        data = bytearray(memory.serialize())
    if logged:
        data[18:20] = b"\2\2"
    return bytes(data)
