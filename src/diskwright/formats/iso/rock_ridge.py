"""Rock Ridge (IEEE P1282, SUSP IEEE P1281): what a directory record says beyond ISO 9660."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator

from diskwright._values import Struct
from diskwright.errors import ImageBroken
from diskwright.formats import limits
from diskwright.formats.iso.layout import long_date_seconds, short_date
from diskwright.formats.iso.space import Space

# Extension identifiers of an ER entry: version of Rock Ridge
_VERSIONS = {b"RRIP_1991A": "1.10", b"IEEE_P1282": "1.12", b"IEEE_1282": "1.12"}
_SP_CHECK = b"\xbe\xef"
_XA_BYTES = 14  # CD-ROM XA puts its own attributes first (P1281 section 5.3)

_CONTINUES, _CURRENT, _PARENT, _ROOT = 1, 2, 4, 8  # flags of NM, and of the components of SL
_LONG_FORM = 0x80  # TF: 17 byte dates
_CREATION, _MODIFY = 0x01, 0x02

_SPECIAL = {
    stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device",
    stat.S_IFIFO: "FIFO",
    stat.S_IFSOCK: "socket",
}


class Extension(Struct):
    """What was said of one entry."""

    name: bytes | None = None
    mode: int | None = None
    mtime: int | None = None
    target: str | None = None
    child_block: int | None = None  # a directory that was moved: where it lies now
    moved: bool = False  # this one is shown elsewhere
    note: str = ""


class RockRidge(Struct, frozen=True):
    """`skip` bytes of each system use area are somebody else's."""

    skip: int
    version: str


Entry = tuple[bytes, bytes]  # signature, and the payload behind its version


def recognise(first: bytes, space: Space, block_size: int, at: int) -> RockRidge | None:
    """From the system use area of the root's first record; None where there is no SP entry."""
    for start in (0, _XA_BYTES):
        area = first[start:]
        if area[:2] == b"SP" and len(area) >= 7 and area[4:6] == _SP_CHECK:
            version = "unstated"
            for signature, payload in entries(area, space, block_size, at):
                if signature == b"ER" and payload:
                    name = payload[4 : 4 + payload[0]]
                    version = _VERSIONS.get(name, version)
            return RockRidge(area[6], version)
    return None


def entries(area: bytes, space: Space, block_size: int, at: int) -> Iterator[Entry]:
    """The entries of a system use area and of its continuations."""
    seen: set[tuple[int, int]] = set()
    while True:
        following: tuple[int, int, int] | None = None
        position = 0
        while position + 4 <= len(area):
            signature, length = area[position : position + 2], area[position + 2]
            if length < 4 or position + length > len(area):
                space.damaged += any(area[position:])
                break
            payload = area[position + 4 : position + length]
            position += length
            if signature == b"ST":
                break
            if signature == b"CE" and len(payload) >= 24:
                following = _place(payload, block_size)
            else:
                yield signature, payload
        if following is None:
            return
        offset, length, key = following
        if (offset, key) in seen or len(seen) >= limits.ISO_CONTINUATIONS:
            raise space.source.broken("continuation-loop", "Rock Ridge entries go on for ever", at)
        seen.add((offset, key))
        area = space.continuation(offset, length)


def _place(payload: bytes, block_size: int) -> tuple[int, int, int]:
    block, start, length = (int.from_bytes(payload[i : i + 4], "little") for i in (0, 8, 16))
    return block * block_size + start, length, length


def extension_of(area: bytes, space: Space, block_size: int, at: int) -> Extension:
    found = Extension()
    link = _Link(lambda detail: space.source.broken("link-broken", detail, at))
    for signature, payload in entries(area, space, block_size, at):
        if signature == b"NM" and payload and not payload[0] & (_CURRENT | _PARENT):
            found.name = (found.name or b"") + payload[1:]
        elif signature == b"PX" and len(payload) >= 8:
            mode = int.from_bytes(payload[:4], "little")
            found.mode = stat.S_IMODE(mode)
            found.note = _SPECIAL.get(stat.S_IFMT(mode), found.note)
        elif signature == b"SL" and payload:
            link.add(payload)
        elif signature == b"TF" and payload:
            found.mtime = _modified(payload)
        elif signature == b"CL" and len(payload) >= 4:
            found.child_block = int.from_bytes(payload[:4], "little")
        elif signature == b"RE":
            found.moved = True
        elif signature == b"ZF":
            found.note = "compressed by zisofs"
        elif signature == b"SF":
            found.note = "sparse file of Rock Ridge"
    found.target = link.target()
    return found


def _modified(payload: bytes) -> int | None:
    """The second time stamp, if both flags are set: they come in the order of the flags."""
    flags = payload[0]
    if not flags & _MODIFY:
        return None
    size = 17 if flags & _LONG_FORM else 7
    start = 1 + (size if flags & _CREATION else 0)
    data = payload[start : start + size]
    return long_date_seconds(data) if flags & _LONG_FORM else short_date(data)


class _Link:
    """The target of a symbolic link, put together from SL entries (P1282 section 4.1.3)."""

    def __init__(self, broken: Callable[[str], ImageBroken]) -> None:
        self._broken = broken
        self._parts: list[bytes] = []
        self._absolute = False
        self._said = False
        self._open = False  # the last part goes on in the next component
        self._bytes = 0

    def add(self, payload: bytes) -> None:
        self._said = True
        position = 1
        while position + 2 <= len(payload):
            flags, length = payload[position], payload[position + 1]
            content = payload[position + 2 : position + 2 + length]
            if len(content) < length:
                raise self._broken("a symbolic link's target is cut off")
            self._component(flags, content)
            position += 2 + length

    def _component(self, flags: int, content: bytes) -> None:
        self._bytes += len(content) + 3
        if self._bytes > limits.ISO_PATH_BYTES:
            raise self._broken("a symbolic link's target is too long")
        if flags & _ROOT:
            self._parts, self._absolute = [], True
        elif flags & _CURRENT:
            self._parts.append(b".")
        elif flags & _PARENT:
            self._parts.append(b"..")
        elif self._open and self._parts:
            self._parts[-1] += content
        else:
            self._parts.append(content)
        self._open = bool(flags & _CONTINUES)

    def target(self) -> str | None:
        if not self._said:
            return None
        joined = b"/".join(self._parts)
        return ("/" if self._absolute else "") + joined.decode("utf-8", "replace")
