"""Registry hives from nested dicts, as Windows lays them out; small, and the same bytes each time.

A dict is a key, everything else a value: a number is a REG_DWORD, bytes are REG_BINARY, a list is
a REG_MULTI_SZ, a string a REG_SZ (with `%` or `\\SystemRoot` in it a REG_EXPAND_SZ).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

HEADER, PAGE, NONE = 4096, 4096, 0xFFFFFFFF
BIG = 16344  # longer values are cut into pieces of so many bytes
Tree = Mapping[str, object]


def hive(tree: Tree, *, sequences: tuple[int, int] = (7, 7), lists_of: int = 500) -> bytes:
    """`sequences` that differ: the logs were not replayed. `lists_of`: keys in one list."""
    maker = _Maker(lists_of)
    root = maker.key("ROOT", tree, parent=0, root=True)
    body = maker.body()
    base = bytearray(HEADER)
    head = (b"regf", *sequences, 0x01D9F00000000000, 1, 5, 0, 1, root, len(body), 1)
    struct.pack_into("<4sIIQIIIIIII", base, 0, *head)
    return bytes(sealed(base)) + body


def sealed(data: bytearray) -> bytearray:
    """With the header's checksum made right."""
    total = 0
    for at in range(0, 508, 4):
        total ^= struct.unpack_from("<I", data, at)[0]
    struct.pack_into("<I", data, 508, {0: 1, NONE: NONE - 1}.get(total, total))
    return data


class _Maker:
    def __init__(self, lists_of: int) -> None:
        self._cells = bytearray(32)  # the one hbin's header; offsets are from its start
        self._lists_of = lists_of
        security = struct.pack("<BBHIIII", 1, 0, 0x8000, 0, 0, 0, 0)
        self._security = self._cell(struct.pack("<2sHIIII", b"sk", 0, 32, 32, 1, 20) + security)

    def body(self) -> bytes:
        short = -len(self._cells) % PAGE
        if short < 4:
            short += PAGE
        self._cells += struct.pack("<i", short) + bytes(short - 4)
        struct.pack_into("<4sIIQQI", self._cells, 0, b"hbin", 0, len(self._cells), 0, 0, 0)
        return bytes(self._cells)

    def key(self, name: str, tree: Tree, *, parent: int, root: bool = False) -> int:
        raw, flag = _name(name, 0x20)
        at = self._cell(bytes(76 + len(raw)))
        values = [self._value(n, v) for n, v in tree.items() if not isinstance(v, Mapping)]
        inner = sorted((n, v) for n, v in tree.items() if isinstance(v, Mapping))
        keys = [(n, self.key(n, v, parent=at)) for n, v in inner]
        listed = self._list(keys)
        held = self._cell(struct.pack(f"<{len(values)}I", *values)) if values else NONE
        flags = flag | (0x0C if root else 0)
        record = struct.pack(
            "<2sHQIIIIIIIIIIIIIIIHH",
            *(b"nk", flags, 0x01D9F00000000000, 0, parent, len(keys), 0, listed, NONE),
            *(len(values), held, self._security, NONE, 0, 0, 0, 0, 0, len(raw), 0),
        )
        self._cells[at + 4 : at + 4 + len(record) + len(raw)] = record + raw
        return at

    def _list(self, keys: list[tuple[str, int]]) -> int:
        if not keys:
            return NONE
        parts = [keys[i : i + self._lists_of] for i in range(0, len(keys), self._lists_of)]
        lists = [self._hashed(part) for part in parts]
        if len(lists) == 1:
            return lists[0]
        return self._cell(struct.pack(f"<2sH{len(lists)}I", b"ri", len(lists), *lists))

    def _hashed(self, keys: list[tuple[str, int]]) -> int:
        cell = struct.pack("<2sH", b"lh", len(keys))
        for name, at in keys:
            total = 0
            for char in name.upper():
                total = (total * 37 + ord(char)) & NONE
            cell += struct.pack("<II", at, total)
        return self._cell(cell)

    def _value(self, name: str, content: object) -> int:
        raw, flag = _name(name, 1)
        kind, data = _typed(content)
        length, place = len(data), 0
        if length <= 4:
            place = int.from_bytes(data.ljust(4, b"\0"), "little")
            length |= 0x80000000
        elif length > BIG:
            pieces = [self._cell(data[i : i + BIG]) for i in range(0, len(data), BIG)]
            index = self._cell(struct.pack(f"<{len(pieces)}I", *pieces))
            place = self._cell(struct.pack("<2sHI", b"db", len(pieces), index))
        else:
            place = self._cell(data)
        record = struct.pack("<2sHIIIHH", b"vk", len(raw), length, place, kind, flag, 0)
        return self._cell(record + raw)

    def _cell(self, content: bytes) -> int:
        at = len(self._cells)
        size = -(-(len(content) + 4) // 8) * 8
        self._cells += struct.pack("<i", -size) + content.ljust(size - 4, b"\0")
        return at


def _name(name: str, flag: int) -> tuple[bytes, int]:
    if name.isascii():
        return name.encode(), flag
    return name.encode("utf-16-le"), 0


def _typed(content: object) -> tuple[int, bytes]:
    if isinstance(content, int):
        return 4, struct.pack("<I", content)
    if isinstance(content, bytes):
        return 3, content
    if isinstance(content, list):
        return 7, ("\0".join(content) + "\0\0").encode("utf-16-le")
    assert isinstance(content, str)
    expanded = "%" in content or content.lower().startswith("\\systemroot")
    return 2 if expanded else 1, (content + "\0").encode("utf-16-le")
