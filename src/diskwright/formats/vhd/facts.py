"""VHD, fixed and dynamic: footers, dynamic header and block table, read whole.

A block's bitmap tells which of its sectors were ever written; the others are zeros anyway in what
programs write, and neither QEMU nor we look at it.
"""

from __future__ import annotations

from diskwright.formats.source import ImageSource
from diskwright.formats.text import told
from diskwright.formats.vhd import layout
from diskwright.formats.vhd.blocks import check_blocks, read_dynamic
from diskwright.formats.vhd.layout import Footer
from diskwright.formats.vhd.parent import parent_name
from diskwright.formats.vhd.size import decide_size
from diskwright.model.image import ImageFacts, ImageFormat, Problem, Reference, ReferenceKind
from diskwright.model.units import SECTOR

_SUBFORMATS = {layout.FIXED: "fixed", layout.DYNAMIC: "dynamic"}


def read_facts(source: ImageSource) -> ImageFacts:
    """Facts of a VHD file. `vhd_size`: which size the disk has, and a reader is to be told."""
    footer, tail = _read_footers(source)
    block_size: int | None = None
    if footer.kind == layout.DYNAMIC:
        header = read_dynamic(source, footer.data_offset)
        room = header.entries * header.block_size
    else:
        room = tail
    size, vhd_size, problems = decide_size(source, footer, tail, room)
    if footer.kind == layout.DYNAMIC:
        if size > room:
            detail = f"a table of {header.entries} blocks for a disk of {size} bytes"
            raise source.broken("table-too-small", detail, footer.data_offset + 28)
        check_blocks(source, header, footer.data_offset, tail)
        block_size = header.block_size
    elif size > room:
        raise source.past_end(f"{room} bytes of data for a disk of {size}", room)
    elif size < room and not problems:
        detail = f"{room} bytes of data, of which {size} are the disk, as its footer says"
        problems = (Problem("size-ambiguous", detail),)
    return ImageFacts(
        format=ImageFormat.VHD,
        virtual_size=size,
        file_size=source.size,
        exact_size=size,
        cluster_size=block_size,
        version=footer.version >> 16,
        problems=problems,
        subformat=_SUBFORMATS[footer.kind],
        creator=told(footer.creator.decode("latin-1")),
        geometry=footer.geometry,
        vhd_size=vhd_size,
    )


def _read_footers(source: ImageSource) -> tuple[Footer, int]:
    """The footer, and where it stands. A copy at the start, where there is one, says the same."""
    head = source.read_up_to(0, layout.FOOTER_BYTES)
    head_footer = _footer(head)
    tail, at = _tail(source)
    tail_footer = _footer(tail)
    for footer in (head_footer, tail_footer):
        if footer is not None and footer.kind == layout.DIFFERENCING:
            raise _differencing(source, footer)
    if tail_footer is None:
        raise source.broken("truncated", "the footer at its end is missing")
    _check_footer(source, tail, tail_footer, at)
    if tail_footer.kind == layout.FIXED:
        _check_fixed(source, at, copy=head_footer is not None)
        return tail_footer, at
    if len(tail) < layout.FOOTER_BYTES:
        raise source.unsupported("version-unknown", "a dynamic disk with a footer of 511 bytes", at)
    if head_footer is None:
        raise source.broken("header-inconsistent", "no copy of the footer at its start", 0)
    _check_footer(source, head, head_footer, 0)
    if head_footer != tail_footer:
        raise source.broken("header-inconsistent", "its footer and the copy of it differ", 0)
    return tail_footer, at


def _tail(source: ImageSource) -> tuple[bytes, int]:
    for length in (layout.FOOTER_BYTES, layout.OLD_FOOTER_BYTES):
        at = max(0, source.size - length)
        data = source.read_up_to(at, length)
        if _footer(data) is not None:
            return data, at
    return data, at


def _footer(data: bytes) -> Footer | None:
    if len(data) < layout.OLD_FOOTER_BYTES or not data.startswith(layout.COOKIE):
        return None
    return layout.decode_footer(data)


def _check_footer(source: ImageSource, data: bytes, footer: Footer, at: int) -> None:
    if not layout.footer_sound(data):
        why = ": it leaves out the UUID, as old QEMU did" if layout.lacks_uuid(data) else ""
        raise source.broken("checksum", f"the footer's checksum is wrong{why}", at)
    if footer.version != layout.VERSION:
        raise source.unsupported("version-unknown", f"version {footer.version:#x}", at + 12)
    if footer.kind not in _SUBFORMATS:
        raise source.unsupported("subformat-unknown", f"disk type {footer.kind}", at + 60)


def _check_fixed(source: ImageSource, at: int, *, copy: bool) -> None:
    if copy:  # QEMU would take it for the footer, and the disk for another
        raise source.broken("header-inconsistent", "a fixed disk that begins with a footer", 0)
    if at % SECTOR:
        detail = f"a fixed disk's data of {at} bytes is no multiple of {SECTOR}"
        raise source.unsupported("size-unaligned", detail, at)


def _differencing(source: ImageSource, footer: Footer) -> Exception:
    name = parent_name(source, footer.data_offset)
    source.refer(Reference(ReferenceKind.PARENT, name, ImageFormat.VHD), footer.data_offset)
    return source.unsupported("differencing", "a differencing disk, whose parent is not followed")
