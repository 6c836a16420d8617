"""The first MiB of a VHDX file: which header counts, and where the regions lie."""

from __future__ import annotations

from diskwright.formats.source import ImageSource
from diskwright.formats.vhdx import layout
from diskwright.formats.vhdx.layout import Header, Region

_CODE = "header-inconsistent"


def read_header(source: ImageSource) -> Header:
    """The current header, of a version that is read; its log has nothing to be replayed."""
    found = [(at, source.read(at, layout.HEADER_BYTES)) for at in layout.HEADER_OFFSETS]
    good = [(at, data) for at, data in found if layout.sound(data, layout.HEADER_SIGNATURE)]
    if not good:
        raise source.broken("checksum", "neither header's checksum is right", found[0][0])
    headers = [(at, layout.decode_header(data)) for at, data in good]
    for at, header in headers:
        if header.version != layout.VERSION:
            raise source.unsupported("version-unknown", f"version {header.version}", at + 66)
    at, header = max(headers, key=lambda pair: pair[1].sequence)
    twins = len(headers) == 2 and headers[0][1].sequence == headers[1][1].sequence
    if twins and good[0][1] != good[1][1]:  # Disk2vhd writes the same header twice
        raise source.broken(_CODE, "two headers with one sequence number", at + 8)
    _check_log(source, header, at)
    return header


def _check_log(source: ImageSource, header: Header, at: int) -> None:
    if header.log_version != layout.LOG_VERSION:
        raise source.unsupported("version-unknown", f"log version {header.log_version}", at + 64)
    if header.log_guid != bytes(16):
        detail = "its log was not replayed: it was in use, or not closed"
        raise source.unsupported("journal-not-replayed", detail, at + 48)
    _check_place(source, "the log", header.log_offset, header.log_length, at + 68)


def read_regions(source: ImageSource, header: Header) -> tuple[Region, Region, tuple[Region, ...]]:
    """The block table, the metadata, and all regions with the log, which lie apart."""
    first, second = (source.read(at, layout.REGION_BYTES) for at in layout.REGION_OFFSETS)
    at = layout.REGION_OFFSETS[0]
    if not layout.sound(first, layout.REGION_SIGNATURE):  # the only copy that QEMU reads
        raise source.broken("checksum", "the region table's checksum is wrong", at)
    count = layout.region_count(first)
    if count > layout.REGIONS_MAX:
        raise source.broken("table-too-large", f"{count} regions", at + 8)
    if second != first and layout.sound(second, layout.REGION_SIGNATURE):
        raise source.broken(_CODE, "two region tables that differ", layout.REGION_OFFSETS[1])
    regions = layout.decode_regions(first)
    for index, region in enumerate(regions):
        where = at + 16 + 32 * index
        if region.guid not in (layout.BAT, layout.METADATA) and region.required:
            raise source.unsupported("feature-unknown", "a region that is not known", where)
        _check_place(source, "a region", region.offset, region.length, where + 16)
    bat = _only(source, regions, layout.BAT, "block table")
    metadata = _only(source, regions, layout.METADATA, "metadata")
    log = Region(bytes(16), header.log_offset, header.log_length, 0)
    claimed = tuple(sorted((log, *regions), key=lambda region: region.offset))
    end = layout.HEADER_SECTION_BYTES
    for region in claimed:
        if region.offset < end:
            detail = f"the region at {region.offset} lies on other metadata"
            raise source.broken("metadata-overlap", detail, at)
        end = region.end
    return bat, metadata, claimed


def _only(source: ImageSource, regions: tuple[Region, ...], guid: bytes, what: str) -> Region:
    found = [region for region in regions if region.guid == guid]
    if len(found) != 1:
        detail = f"{len(found)} regions for the {what}, where one is wanted"
        raise source.broken(_CODE, detail, layout.REGION_OFFSETS[0])
    return found[0]


def _check_place(source: ImageSource, what: str, offset: int, length: int, at: int) -> None:
    if offset % layout.ALIGNMENT or length % layout.ALIGNMENT or not length:
        detail = f"{what} of {length} bytes at {offset}, no multiples of 1 MiB"
        raise source.broken("offset-unaligned", detail, at)
    if offset + length > source.size:
        raise source.past_end(f"{what} is past the end", at)
