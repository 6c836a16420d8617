"""The metadata region of a VHDX file: sizes, and whether it has a parent."""

from __future__ import annotations

from diskwright.formats import limits
from diskwright.formats.source import ImageSource
from diskwright.formats.vhdx import layout
from diskwright.formats.vhdx.layout import Disk, Item, Region
from diskwright.formats.virtual_size import check_virtual_size
from diskwright.model.image import ImageFormat, Reference, ReferenceKind
from diskwright.model.units import SECTOR

_CODE = "header-inconsistent"


def read_metadata(source: ImageSource, region: Region) -> Disk:
    """The disk's sizes, checked. A disk with a parent is refused."""
    items = _read_items(source, region)
    parent = items.get(layout.PARENT_LOCATOR)
    parameters = items.get(layout.FILE_PARAMETERS)
    flags = 0 if parameters is None else _fields(source, region, parameters)[1]
    if parent is not None or flags & layout.HAS_PARENT:
        raise _differencing(source, region, parent)
    if unknown := flags & ~layout.LEAVE_BLOCKS_ALLOCATED:
        raise source.broken("reserved-bits", f"file parameters {unknown:#x}", region.offset)
    for guid, fields in layout.ITEM_LAYOUTS.items():
        item = items.get(guid)
        if item is None or item.length != fields.size:
            raise source.broken(_CODE, "a metadata item is missing or misshapen", region.offset)
    block_size = _number(source, region, items[layout.FILE_PARAMETERS])
    size = _number(source, region, items[layout.VIRTUAL_SIZE])
    logical = _number(source, region, items[layout.LOGICAL_SECTOR])
    physical = _number(source, region, items[layout.PHYSICAL_SECTOR])
    if block_size & (block_size - 1) or not layout.BLOCK_MIN <= block_size <= layout.BLOCK_MAX:
        raise source.broken(_CODE, f"a block size of {block_size} bytes", region.offset)
    if logical not in layout.SECTOR_SIZES or physical not in layout.SECTOR_SIZES:
        raise source.broken(_CODE, f"sectors of {logical} and {physical} bytes", region.offset)
    if logical != SECTOR:  # a partition table counts in them, and QEMU can't read them
        raise source.unsupported("sector-size", f"sectors of {logical} bytes", region.offset)
    check_virtual_size(source, size, region.offset, most=layout.SIZE_MAX)
    return Disk(size, block_size, fixed=bool(flags & layout.LEAVE_BLOCKS_ALLOCATED))


def _read_items(source: ImageSource, region: Region) -> dict[bytes, Item]:
    """Items that are known, by GUID, each within the region."""
    at = region.offset
    table = source.read(at, layout.METADATA_TABLE_BYTES)
    if not table.startswith(layout.METADATA_SIGNATURE):
        raise source.broken(_CODE, "no metadata where the region table names it", at)
    count = layout.item_count(table)
    if count > layout.ITEMS_MAX:
        raise source.broken("table-too-large", f"{count} metadata items", at + 10)
    known: dict[bytes, Item] = {}
    for index, item in enumerate(layout.decode_items(table)):
        where = at + 32 + 32 * index
        if item.guid not in layout.ITEM_LAYOUTS and item.guid != layout.PARENT_LOCATOR:
            if item.flags & layout.ITEM_REQUIRED:
                raise source.unsupported("feature-unknown", "an item that is not known", where)
            continue
        if item.guid in known:
            raise source.broken(_CODE, "a metadata item twice", where)
        if item.length and item.offset < layout.METADATA_TABLE_BYTES:
            raise source.broken("metadata-overlap", "a metadata item on the table", where + 16)
        if item.offset + item.length > region.length:
            raise source.past_end("a metadata item is past its region", where + 16)
        known[item.guid] = item
    return known


def _fields(source: ImageSource, region: Region, item: Item) -> tuple[int, ...]:
    fields = layout.ITEM_LAYOUTS[item.guid]
    return fields.unpack(source.read(region.offset + item.offset, fields.size))


def _number(source: ImageSource, region: Region, item: Item) -> int:
    return _fields(source, region, item)[0]


def _differencing(source: ImageSource, region: Region, locator: Item | None) -> Exception:
    name, at = "", region.offset
    if locator is not None:
        at += locator.offset
        length = min(locator.length, limits.VHDX_PARENT_LOCATOR_BYTES)
        name = layout.decode_parent(source.read(at, length))
    source.refer(Reference(ReferenceKind.PARENT, name, ImageFormat.VHDX), at)
    return source.unsupported("differencing", "a differencing disk, whose parent is not followed")
