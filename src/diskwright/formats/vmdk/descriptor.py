"""The text that describes a VMDK disk: a file of its own, or within a sparse extent.

    # Disk DescriptorFile
    version=1
    CID=12345678
    parentCID=ffffffff
    createType="twoGbMaxExtentFlat"
    RW 4192256 FLAT "disk-f001.vmdk" 0
    ddb.geometry.heads = "16"

VMware's "Virtual Disk Format 5.0". QEMU (block/vmdk.c) searches for some words anywhere, and reads
an extent from every line on, over line ends. What it would so find elsewhere than here is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from diskwright._values import Struct
from diskwright.formats import limits
from diskwright.formats.source import ImageSource, shown
from diskwright.model.units import SECTOR

HINT = b"parentFileNameHint"
NO_PARENT = 0xFFFFFFFF
_QEMU_BYTES = 20 * SECTOR - 1  # it looks for the ids and the parent's name no further

_ACCESS = (b"RW", b"RDONLY", b"NOACCESS")
KINDS = ("FLAT", "SPARSE", "ZERO", "VMFS", "VMFSSPARSE", "VMFSRDM", "VMFSRAW", "SESPARSE")
_NAMED = re.compile(
    rb'^[ \t]*[^\s#]\S{0,31}[ \t]+\d+[ \t]+(\S{1,32})[ \t]+"([^"\r\n]*)', re.MULTILINE
)
_EXTENT = re.compile(
    rb"[ \t]*(\S{1,10})[ \t]+(\d{1,19})[ \t]+(\S{1,10})"
    rb'(?:[ \t]+"([^"\r\n]{1,511})"(?:[ \t]+(\d{1,19}))?)?[ \t]*'
)
_WORD = re.compile(rb"[ \t]*([A-Za-z][\w.:-]*)[ \t]*=(.*)")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_ID = re.compile(rb"[0-9A-Fa-f]{1,8}")
_CODE = "header-inconsistent"


class ExtentLine(Struct, frozen=True):
    """A part of the disk, as the descriptor tells it. `name` is as it stands there: nobody trusts
    it; it is empty where there is no file. `at` is where the line begins, in bytes.
    """

    access: str  # RW, RDONLY, NOACCESS
    sectors: int
    kind: str  # one of KINDS
    name: str
    offset_sectors: int | None  # in that file
    at: int

    @property
    def end_bytes(self) -> int:
        """Of a flat extent: how long its file is at least."""
        return ((self.offset_sectors or 0) + self.sectors) * SECTOR


class Descriptor(Struct, frozen=True):
    """`words` has the first value of every word, without its quotes."""

    create_type: str
    content_id: int
    parent_id: int
    extents: tuple[ExtentLine, ...]
    words: dict[str, str]


def names_in(text: bytes) -> Iterator[tuple[str, str, int]]:
    """Extents that name a file (kind, name, byte), also in a text that is otherwise wrong."""
    for match in _NAMED.finditer(text):
        yield match[1].decode("ascii", "replace"), _words(match[2]), match.start()


def parent_in(text: bytes) -> tuple[str, int] | None:
    """The parent that QEMU finds: from its word on, wherever that stands, to the next quote."""
    at = text.find(HINT)
    if at < 0:
        return None
    start = at + len(HINT) + 2
    return _words(text[start : start + 1024].partition(b'"')[0]), at


def parse(source: ImageSource, text: bytes, base: int, *, alone: bool) -> Descriptor:
    """The whole text, which begins at byte `base`. Every line is understood, or it is broken.

    `alone` is a text in a file of its own: only there QEMU reads the extents.
    """
    if text.count(b"\n") > limits.VMDK_LINES:
        raise source.broken("table-too-large", "a descriptor of too many lines", base)
    extents: list[ExtentLine] = []
    words: dict[str, tuple[bytes, int]] = {}
    at = 0
    blank = False
    for raw in text.split(b"\n"):
        line = raw.removesuffix(b"\r")
        where, at = at, at + len(raw) + 1
        if _CONTROL.search(line):
            raise source.broken(_CODE, "control characters in the descriptor", base + where)
        after_blank, blank = blank, not line.strip()
        if where == 0:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if blank or line.startswith(b"#"):
            continue
        word = _WORD.fullmatch(line)
        if word:
            _keep(source, words, word[1].decode(), word[2].strip(b" \t"), base, where)
            continue
        if alone and after_blank:  # QEMU would read it from the empty line on, and once more
            raise source.unsupported(
                "subformat-unknown", "an extent after an empty line", base + where
            )
        if len(extents) == limits.VMDK_EXTENTS:
            detail = f"more than {limits.VMDK_EXTENTS} extents"
            raise source.broken("table-too-large", detail, base + where)
        extents.append(_extent(source, line, base + where))
    _check_qemu_finds(source, text, words, base)
    version, version_at = words.get("version", (b"1", 0))
    if version not in _VERSIONS:
        detail = f"version {shown(_words(version))} of a descriptor"
        raise source.unsupported("version-unknown", detail, base + version_at)
    return Descriptor(
        create_type=_create_type(source, words, base),
        content_id=_id(source, words, "CID", base),
        parent_id=_id(source, words, "parentCID", base),
        extents=tuple(extents),
        words={name: _words(value.strip(b'"')) for name, (value, _) in words.items()},
    )


_VERSIONS = (b"1", b"2", b"3")
_UNIQUE = ("version", "encoding", "CID", "parentCID", "createType", "parentFileNameHint")


def _keep(
    source: ImageSource,
    words: dict[str, tuple[bytes, int]],
    name: str,
    value: bytes,
    base: int,
    at: int,
) -> None:
    if name in words and name in _UNIQUE:
        raise source.broken(_CODE, f"{name} comes twice in the descriptor", base + at)
    if name.startswith("encryption"):
        raise source.unsupported("encryption", "an encrypted disk", base + at)
    words.setdefault(name, (value, at))


def _extent(source: ImageSource, line: bytes, at: int) -> ExtentLine:
    match = _EXTENT.fullmatch(line)
    if match is None:
        detail = f"a line that is none of a descriptor: {shown(_words(line))}"
        raise source.broken(_CODE, detail, at)
    access, sectors, kind, name, offset = match.groups()
    known = access in _ACCESS and kind.decode("ascii", "replace") in KINDS
    named = (name is not None) is (kind != b"ZERO")
    placed = kind != b"FLAT" or offset is not None
    if not known or not named or not placed or not int(sectors):
        detail = f"an extent that there can't be: {shown(_words(line))}"
        raise source.broken(_CODE, detail, at)
    if int(sectors) > limits.VMDK_SECTORS or int(offset or 0) > limits.VMDK_SECTORS:
        raise source.broken("size-too-large", f"an extent of {int(sectors)} sectors", at)
    return ExtentLine(
        access=access.decode(),
        sectors=int(sectors),
        kind=kind.decode(),
        name=_words(name or b""),
        offset_sectors=None if offset is None else int(offset),
        at=at,
    )


def _check_qemu_finds(
    source: ImageSource, text: bytes, words: dict[str, tuple[bytes, int]], base: int
) -> None:
    """It takes the first place where a word stands, within another word or a comment too."""
    for name in ("CID", "parentCID", "createType", "parentFileNameHint"):
        found = text.find(name.encode())
        if found < 0 and name == "parentFileNameHint":
            continue
        if name not in words or found < 0:
            raise source.broken(_CODE, f"its descriptor has no {name}", base)
        value, at = words[name]
        line = text[at : at + len(name) + 1 + len(value)]
        if found != at or line != name.encode() + b"=" + value:
            detail = f"{name} does not stand where readers look for it"
            raise source.broken(_CODE, detail, base + max(0, found))
        if name != "createType" and at + len(line) > _QEMU_BYTES:
            raise source.broken(_CODE, f"{name} stands too late in the descriptor", base + at)


def _create_type(source: ImageSource, words: dict[str, tuple[bytes, int]], base: int) -> str:
    value, at = words["createType"]
    if not re.fullmatch(rb'"[A-Za-z0-9]{1,64}"', value):
        detail = f"a createType of {shown(_words(value))}"
        raise source.broken(_CODE, detail, base + at)
    return value.strip(b'"').decode()


def _id(source: ImageSource, words: dict[str, tuple[bytes, int]], name: str, base: int) -> int:
    value, at = words[name]
    if not _ID.fullmatch(value):
        raise source.broken(_CODE, f"a {name} of {shown(_words(value))}", base + at)
    return int(value, 16)


def _words(text: bytes) -> str:
    return text.decode("utf-8", "replace")
