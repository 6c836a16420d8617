"""The members of a tar archive, whole: ustar, with pax and GNU extensions for names and sizes.

Only regular files with plain names are taken. Links, devices, folders and sparse members have no
place in a package of disks. Source: POSIX.1-2017, pax; GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from diskwright._values import Struct
from diskwright.formats import limits
from diskwright.formats.signatures import TAR_BLOCK, TAR_MAGIC, TAR_MAGIC_OFFSET
from diskwright.formats.source import ImageSource, shown
from diskwright.model.package import PackageMember
from diskwright.model.units import round_up

_OCTAL = re.compile(rb"[ \0]*([0-7]{1,12})[\0 ]*")
_PAX_RECORD = re.compile(rb"([1-9][0-9]{0,5}) ([^=]+)=")
_CODE = "header-inconsistent"
_CHECKSUM = slice(148, 156)
_REGULAR = b"0\0007"
_LINKS = b"12"
_PAX, _PAX_GLOBAL, _GNU_NAME, _GNU_LINK = b"x", b"g", b"L", b"K"


class _Extended(Struct):
    """What the headers before a member say of it."""

    name: str | None = None
    size: int | None = None


def is_plain_name(name: str) -> bool:
    """Whether `name` is a file's in a folder, and can be nothing else on any system."""
    return (
        name not in ("", ".", "..")
        and len(name) <= limits.OVA_NAME_CHARACTERS
        and not re.search(r"[/\\\x00-\x1f\x7f]", name)
    )


def read_members(source: ImageSource) -> tuple[PackageMember, ...]:
    """In the order of the archive, each within it, no name twice.

    Raises ImageUnsafe (`member-name`, `member-kind`), ImageBroken and ImageUnsupported.
    """
    members: dict[str, PackageMember] = {}
    for member in _members(source):
        if member.name in members:
            detail = f"two members are called {shown(member.name)}"
            raise source.unsafe("member-name", detail, member.offset - TAR_BLOCK)
        members[member.name] = member
    return tuple(members.values())


def _members(source: ImageSource) -> Iterator[PackageMember]:
    at = 0
    extended = _Extended()
    for _ in range(limits.OVA_MEMBERS):
        header = source.read_up_to(at, TAR_BLOCK)
        if not header.strip(b"\0"):
            return  # a block of zeros ends it, and so does the end of the file
        if len(header) < TAR_BLOCK:
            raise source.broken("truncated", "the archive ends within a header", at)
        _check_header(source, header, at)
        kind = header[156:157]
        stored = _number(source, header[124:136], at)
        data = at + TAR_BLOCK
        if kind in (_PAX, _PAX_GLOBAL, _GNU_NAME, _GNU_LINK):
            _read_extension(source, kind, extended, data, stored)
            at = data + round_up(stored, TAR_BLOCK)
            continue
        size = stored if extended.size is None else extended.size
        name = _name(header) if extended.name is None else extended.name
        _check_member(source, kind, name, at)
        if data + size > source.size:
            raise source.past_end(f"the member {shown(name)} is past the end", at)
        yield PackageMember(name, data, size)
        extended = _Extended()
        at = data + round_up(size, TAR_BLOCK)
    raise source.unsupported("table-too-large", f"more than {limits.OVA_MEMBERS} members", at)


def _check_header(source: ImageSource, header: bytes, at: int) -> None:
    if not header.startswith(TAR_MAGIC, TAR_MAGIC_OFFSET):
        raise source.broken(_CODE, "a member's header without its signature", at)
    plain = header[:148] + b" " * 8 + header[156:]
    sums = sum(plain), sum(byte - (byte & 128) * 2 for byte in plain)  # old ones have signed bytes
    if _number(source, header[_CHECKSUM], at) not in sums:
        raise source.broken("checksum", "a member's header has another checksum", at)


def _number(source: ImageSource, field: bytes, at: int) -> int:
    """Octal digits, or, where bit 7 of the first byte is set, base 256."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:])
    found = _OCTAL.fullmatch(field)
    if found is None:
        raise source.broken(_CODE, "a member's header with a number that is none", at)
    return int(found[1], 8)


def _name(header: bytes) -> str:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0]
    if header.startswith(b"ustar\0", TAR_MAGIC_OFFSET) and prefix:
        name = prefix + b"/" + name
    return name.decode("utf-8", "replace")


def _check_member(source: ImageSource, kind: bytes, name: str, at: int) -> None:
    if kind in _LINKS:
        raise source.unsafe("member-kind", f"the member {shown(name)} is a link", at)
    if kind not in _REGULAR:
        detail = f"the member {shown(name)} is no regular file (type {shown(kind.decode('latin'))})"
        raise source.unsupported("member-kind", detail, at)
    if not is_plain_name(name):
        raise source.unsafe("member-name", f"a member called {shown(name)}", at)


def _read_extension(
    source: ImageSource, kind: bytes, extended: _Extended, at: int, size: int
) -> None:
    if size > limits.OVA_EXTENSION_BYTES:
        raise source.broken("table-too-large", f"an extended header of {size} bytes", at)
    data = source.read(at, size)
    if kind == _GNU_NAME:
        _set_name(source, extended, data.partition(b"\0")[0], at)
    elif kind != _GNU_LINK:  # of the next member, which is refused for being a link
        for key, value in _pax_records(source, data, at):
            _apply(source, kind, extended, key, value, at)


def _apply(
    source: ImageSource, kind: bytes, extended: _Extended, key: bytes, value: bytes, at: int
) -> None:
    if key.startswith(b"GNU.sparse.") or key == b"SCHILY.realsize":
        raise source.unsupported("member-kind", "a sparse member", at)
    if key not in (b"path", b"size"):
        return
    if kind == _PAX_GLOBAL:
        raise source.unsupported("member-kind", "one name or size for all members", at)
    if key == b"path":
        _set_name(source, extended, value, at)
    elif not re.fullmatch(rb"[0-9]{1,19}", value) or extended.size is not None:
        raise source.broken(_CODE, "a member's size that is none", at)
    else:
        extended.size = int(value)


def _set_name(source: ImageSource, extended: _Extended, name: bytes, at: int) -> None:
    if extended.name is not None:
        raise source.broken(_CODE, "a member with two names", at)
    extended.name = name.decode("utf-8", "replace")


def _pax_records(source: ImageSource, data: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    """`length key=value\\n`, the length counting the whole record."""
    start = 0
    while start < len(data):
        found = _PAX_RECORD.match(data, start)
        end = start + int(found[1]) if found else 0
        if found is None or end > len(data) or end <= found.end() or data[end - 1 : end] != b"\n":
            raise source.broken(_CODE, "an extended header that can't be read", at + start)
        yield found[2], data[found.end() : end - 1]
        start = end
