"""What the metadata of a format say besides the facts that every format has.

Of files whose facts were read, so that their tables are known to be sound. Nothing is judged.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from diskwright.formats.qcow2 import layout as qcow2_layout
from diskwright.formats.qcow2.header import read_header
from diskwright.formats.qcow2.snapshots import list_snapshots
from diskwright.formats.source import ImageSource
from diskwright.formats.text import told
from diskwright.formats.vdi import layout as vdi_layout
from diskwright.formats.vhd import layout as vhd_layout
from diskwright.model.deep import LISTED, Container, Mark
from diskwright.model.image import ImageFormat
from diskwright.model.times import time_text

# VHD: time in seconds since 2000, creator's version, its system, ..., unique id
_VHD_MAKING = struct.Struct(">IxxxxHH4s")
_VHD_MAKING_AT = 24
_VHD_ID = slice(68, 84)
_VHD_EPOCH = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
_VHD_SYSTEMS = {b"Wi2k": "Windows", b"Mac ": "Macintosh"}

_VDI_ALLOCATED = struct.Struct("<I")
_VDI_ALLOCATED_AT = 388
_VDI_ID_AT = 392


def read_container(source: ImageSource, found: ImageFormat) -> Container:
    """Raises ImageRefused, InputUnreadable."""
    reader = _READERS.get(found)
    return Container() if reader is None else reader(source)


def _qcow2(source: ImageSource) -> Container:
    header, extensions, _ = read_header(source)
    marks = [Mark("refcounts", f"{1 << header.refcount_order} bits")]
    for extension in extensions:
        tracked = header.autoclear & qcow2_layout.AUTOCLEAR_BITMAPS
        if extension.kind == qcow2_layout.EXTENSION_BITMAPS and tracked:
            marks.append(Mark("bitmaps", str(qcow2_layout.BITMAPS.unpack(extension.data)[0])))
    return Container(tuple(marks), list_snapshots(source, header, most=LISTED))


def _vhd(source: ImageSource) -> Container:
    footer = source.read(source.size - vhd_layout.OLD_FOOTER_BYTES, vhd_layout.OLD_FOOTER_BYTES)
    at = source.size - vhd_layout.OLD_FOOTER_BYTES
    if not footer.startswith(vhd_layout.COOKIE):
        at = source.size - vhd_layout.FOOTER_BYTES
        footer = source.read(at, vhd_layout.FOOTER_BYTES)
    seconds, major, minor, system = _VHD_MAKING.unpack_from(footer, _VHD_MAKING_AT)
    marks = [Mark("footer", f"at byte {at}")]
    if vhd_layout.decode_footer(footer).kind == vhd_layout.DYNAMIC:
        marks.append(Mark("copy", "the same footer at byte 0"))
    if seconds:
        marks.append(Mark("created", time_text(_VHD_EPOCH + seconds)))
    by = _VHD_SYSTEMS.get(system, told(system.decode("latin-1")) or "an unknown system")
    marks.append(Mark("program", f"version {major}.{minor} on {by}"))
    marks.append(Mark("id", str(uuid.UUID(bytes=footer[_VHD_ID]))))
    return Container(tuple(marks))


def _vdi(source: ImageSource) -> Container:
    start = source.read(0, vdi_layout.HEADER_END)
    header = vdi_layout.decode_header(start)
    (allocated,) = _VDI_ALLOCATED.unpack_from(start, _VDI_ALLOCATED_AT)
    unique = uuid.UUID(bytes_le=start[_VDI_ID_AT : _VDI_ID_AT + 16])
    said = f"{allocated} of {header.blocks}, as its header says"
    return Container((Mark("blocks", said), Mark("id", str(unique))))


def _vhdx(_source: ImageSource) -> Container:
    """[MS-VHDX] 2.2: what is there twice always is."""
    return Container((Mark("copy", "two headers and two region tables, the newer header counts"),))


_READERS: dict[ImageFormat, Callable[[ImageSource], Container]] = {
    ImageFormat.QCOW2: _qcow2,
    ImageFormat.VHD: _vhd,
    ImageFormat.VDI: _vdi,
    ImageFormat.VHDX: _vhdx,
}
