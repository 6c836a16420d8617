"""Which format a file has: decided here from its bytes, never by its name and never by a tool.

Reads the first 1 MiB and the last 64 KiB. A partition table's signature alone is what a raw disk
contains. Two formats in one file are lawful in two cases (see `decide`); any other such file is
made to be read differently by different programs.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

from diskwright._values import Struct
from diskwright.errors import ImageBroken, ImageUnsafe, UsageError
from diskwright.formats import signatures as sig
from diskwright.formats.limits import HEAD_BYTES, SMALLEST_FILE, TAIL_BYTES
from diskwright.formats.package.tar_names import is_tar, names_of_tar
from diskwright.formats.source import ImageSource
from diskwright.model.image import ImageFormat, Problem


class FormatMatch(Struct, frozen=True):
    """One sign of a format: `what` was seen at byte `offset`. A partition table is a sign of raw.

    `trailing` marks a footer, which may follow another format's bytes.
    """

    format: ImageFormat
    offset: int
    what: str
    trailing: bool = False


def detect(fd: int, size: int, *, base: int = 0) -> tuple[FormatMatch, ...]:
    """All signs found in the file `fd`, by offset; none for a disk without a table.

    What is looked at has `size` bytes from byte `base` on.

    Raises InputUnreadable.
    """
    source = ImageSource(fd, "", size, base=base)
    head = source.read_up_to(0, min(HEAD_BYTES, size))
    tail_at = max(0, size - TAIL_BYTES)
    tail = source.read_up_to(tail_at, size - tail_at)
    return tuple(sorted(_matches(head, tail, size), key=lambda match: match.offset))


def decide(
    path: str, size: int, matches: tuple[FormatMatch, ...], *, requested: ImageFormat | None = None
) -> ImageFormat:
    """The one format of a file of `size` bytes.

    An ISO with a partition table is an ISO. A file with a fixed VHD's footer is a VHD, with a table
    or an ISO inside it. `requested` chooses among what matched, or raw. Raises ImageUnsafe
    (`format-ambiguous`), ImageBroken (`too-short`, `truncated`) and UsageError.
    """
    chosen = _among(path, matches, requested) if requested else _only(path, matches)
    if size < SMALLEST_FILE and chosen is ImageFormat.RAW:
        raise ImageBroken(path, "too-short", f"a disk has at least 512 bytes, this file {size}")
    return chosen


def extension_problem(path: str, found: ImageFormat) -> Problem | None:
    """A Problem `extension-differs` where the name's known extension names another format."""
    extension = os.path.splitext(path)[1].lower()
    named = sig.EXTENSIONS.get(extension)
    if named is None or found in (named, sig.SECOND_MEANINGS.get(extension)):
        return None
    detail = f"named {extension}, and by its content it is {found.value}"
    return Problem("extension-differs", detail)


def _among(path: str, matches: tuple[FormatMatch, ...], requested: ImageFormat) -> ImageFormat:
    found = [ImageFormat.RAW, *(match.format for match in matches)]
    if requested in found:
        return requested
    names = ", ".join(dict.fromkeys(name.value for name in found))
    raise UsageError(
        problem=f"{path}: its content does not match --input-format {requested.value}",
        hint_text=f"it can be read as: {names}",
    )


def _only(path: str, matches: tuple[FormatMatch, ...]) -> ImageFormat:
    formats = {match.format for match in matches}
    footer = any(match.trailing for match in matches)
    lawful_inside = {ImageFormat.VHD, ImageFormat.RAW, ImageFormat.ISO}
    if footer and formats <= lawful_inside:
        return ImageFormat.VHD
    if formats == {ImageFormat.ISO, ImageFormat.RAW}:
        return ImageFormat.ISO
    if len(formats) > 1:
        seen = " and ".join(f"{match.what} at byte {match.offset}" for match in matches)
        raise ImageUnsafe(
            path,
            "format-ambiguous",
            f"two formats match: {seen}",
            hint_text="if you know what it is and trust its sender: --input-format FORMAT",
        )
    return formats.pop() if formats else ImageFormat.RAW


def _matches(head: bytes, tail: bytes, size: int) -> Iterator[FormatMatch]:
    for row in sig.SIGNATURES:
        if head.startswith(row.magic, row.offset):
            yield FormatMatch(row.format, row.offset, row.what)
    if head.startswith(sig.QCOW_MAGIC) and head[4:8] != b"\0\0\0\1":
        yield FormatMatch(ImageFormat.QCOW2, 0, "a qcow2 header")
    if _is_bzip2(head):
        yield FormatMatch(ImageFormat.BZIP2, 0, "a bzip2 stream")
    if _is_vmdk_text(head):
        yield FormatMatch(ImageFormat.VMDK, 0, "a VMDK descriptor")
    if any(name.lower().endswith(b".ovf") for name in names_of_tar(head)):
        yield FormatMatch(ImageFormat.OVA, 0, "a tar archive with an .ovf")
    elif is_tar(head):
        yield FormatMatch(ImageFormat.TAR, 0, "a tar archive")
    udf = _udf_offset(head)
    if udf is not None:
        yield FormatMatch(ImageFormat.ISO, udf, "a UDF volume")
    yield from _vhd_footer(tail, size)
    yield from _tables(head)


def _is_bzip2(head: bytes) -> bool:
    return (
        head.startswith(sig.BZIP2_MAGIC)
        and head[3:4] in [bytes([level]) for level in sig.BZIP2_LEVELS]
        and head[4:10] in sig.BZIP2_BLOCKS
    )


def _is_vmdk_text(head: bytes) -> bool:
    """The descriptor's title, or what QEMU takes for one: comments, then `version=1`."""
    text = head[: sig.TEXT_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").lower()
    if text.startswith(b"# disk descriptorfile"):
        return True
    if not text.startswith(b"#"):
        return False
    for line in map(bytes.strip, text.splitlines()):
        if line and not line.startswith(b"#"):
            return line in sig.VMDK_VERSION_LINES
    return False


def _udf_offset(head: bytes) -> int | None:
    """Of UDF in sectors of 2 KiB, as discs have them. In others it is one more file system of a
    disk.
    """
    anchor = head[sig.UDF_ANCHOR_OFFSET :][:2]
    if anchor != sig.UDF_ANCHOR_TAG:
        return None
    for index in range(sig.VOLUME_DESCRIPTORS):
        offset = sig.VOLUME_SEQUENCE_START + index * sig.VOLUME_SECTOR + 1
        identifier = head[offset : offset + 5]
        if identifier in sig.UDF_IDENTIFIERS:
            return offset
        if identifier not in sig.VOLUME_IDENTIFIERS:
            return None
    return None


def _vhd_footer(tail: bytes, size: int) -> Iterator[FormatMatch]:
    """A footer counts with a wrong checksum too: better refused as a damaged VHD than read raw."""
    for length in (sig.VHD_FOOTER_BYTES, sig.VHD_OLD_FOOTER_BYTES):
        footer = tail[-length:]
        if size >= length and footer.startswith(sig.VHD_COOKIE):
            (kind,) = struct.unpack_from(">I", footer, 60)
            sound = "" if _vhd_checksum_holds(footer) else " (with a wrong checksum)"
            fixed = kind == sig.VHD_TYPE_FIXED
            yield FormatMatch(ImageFormat.VHD, size - length, f"a VHD footer{sound}", fixed)
            return


def _vhd_checksum_holds(footer: bytes) -> bool:
    total = sum(footer) - sum(footer[64:68])
    return footer[64:68] == struct.pack(">I", ~total & 0xFFFFFFFF)


def _tables(head: bytes) -> Iterator[FormatMatch]:
    entries = [head[at : at + 16] for at in range(sig.MBR_ENTRIES_OFFSET, 510, 16)]
    if (
        head.startswith(sig.MBR_SIGNATURE, sig.MBR_SIGNATURE_OFFSET)
        and all(entry[0] in (0, 0x80) for entry in entries)
        and any(entry[4] and entry[12:16] != bytes(4) for entry in entries)
    ):
        yield FormatMatch(ImageFormat.RAW, sig.MBR_SIGNATURE_OFFSET, "an MBR partition table")
    for offset in sig.GPT_OFFSETS:
        if head.startswith(sig.GPT_SIGNATURE, offset):
            yield FormatMatch(ImageFormat.RAW, offset, "a GPT partition table")
