"""The volume descriptors of an ISO: which volumes there are, and how it boots."""

from __future__ import annotations

from diskwright._values import Struct
from diskwright.formats import limits
from diskwright.formats.iso import layout
from diskwright.formats.iso.boot import SYSTEM_ID
from diskwright.formats.iso.layout import Volume
from diskwright.formats.signatures import UDF_IDENTIFIERS, VOLUME_IDENTIFIERS
from diskwright.formats.source import ImageSource

_BLOCK_SIZES = (512, 1024, 2048)


class Volumes(Struct):
    """The first of each kind. `boot_record` is a sector, `has_udf` a sign of it."""

    primary: Volume | None = None
    joliet: Volume | None = None
    enhanced: Volume | None = None
    boot_record: bytes | None = None
    has_udf: bool = False


def read_volumes(source: ImageSource) -> Volumes:
    """Up to a sector that is no descriptor (ECMA-119 section 6.7.1, ECMA-167 section 2/9)."""
    found = Volumes()
    for index in range(limits.ISO_DESCRIPTORS):
        at = (layout.FIRST_DESCRIPTOR + index) * layout.SECTOR
        sector = source.read_up_to(at, layout.SECTOR) if at < source.size else b""
        if len(sector) < layout.SECTOR or sector[1:6] not in VOLUME_IDENTIFIERS:
            break
        if sector[1:6] in UDF_IDENTIFIERS:
            found.has_udf = True
        elif sector[1:6] == layout.STANDARD_ID:
            _take(sector, at, found, source)
    return found


def _take(sector: bytes, at: int, found: Volumes, source: ImageSource) -> None:
    kind = sector[0]
    if kind == layout.BOOT_RECORD and sector[7:39].startswith(SYSTEM_ID):
        found.boot_record = found.boot_record or sector
    if kind not in (layout.PRIMARY, layout.SUPPLEMENTARY):
        return
    volume = layout.parse_volume(sector)
    if volume is None:
        raise source.broken("volume-descriptor", "its root is not to be found", at)
    if volume.block_size not in _BLOCK_SIZES:
        detail = f"it has blocks of {volume.block_size} bytes"
        raise source.broken("volume-descriptor", detail, at)
    if kind == layout.PRIMARY:
        found.primary = found.primary or volume
    elif volume.escapes[:3] in layout.JOLIET_LEVELS:
        found.joliet = found.joliet or volume
    elif volume.version == layout.ENHANCED_VERSION:
        found.enhanced = found.enhanced or volume
