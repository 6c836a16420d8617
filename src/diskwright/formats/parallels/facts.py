"""A Parallels expandable image: the header and the block allocation table, read whole."""

from __future__ import annotations

from diskwright.formats import limits
from diskwright.formats.claims import UnitClaims, little_endian
from diskwright.formats.parallels import layout
from diskwright.formats.parallels.layout import Header
from diskwright.formats.source import ImageSource
from diskwright.model.image import ImageFacts, ImageFormat, Problem
from diskwright.model.units import SECTOR, format_size

_CODE = "header-inconsistent"


def read_facts(source: ImageSource) -> ImageFacts:
    """Facts of a Parallels image. One whose last writer did not close it is read as it stands."""
    header = layout.decode_header(source.read_up_to(0, layout.HEADER_BYTES))
    if header is None:
        raise source.broken("truncated", f"{source.size} bytes, less than a Parallels header")
    _check_header(source, header)
    _check_sizes(source, header)
    _check_data_offset(source, header)
    _check_table(source, header)
    problems: tuple[Problem, ...] = ()
    if header.in_use == layout.IN_USE:
        problems = (Problem("dirty", "its last writer did not close it"),)
    return ImageFacts(
        format=ImageFormat.PARALLELS,
        virtual_size=header.sectors * SECTOR,
        file_size=source.size,
        exact_size=header.sectors * SECTOR,
        cluster_size=header.cluster_bytes,
        version=header.version,
        problems=problems,
        subformat=header.magic.decode(),
    )


def _check_header(source: ImageSource, header: Header) -> None:
    if header.version != layout.VERSION:
        raise source.unsupported("version-unknown", f"Parallels version {header.version}", 16)
    if not header.tracks:
        raise source.broken("cluster-size", "clusters of no sector", 28)
    if header.tracks > layout.TRACKS_MAX:
        raise source.broken("cluster-size", f"clusters of {header.tracks} sectors", 28)
    if header.in_use not in (layout.IN_USE, layout.CLOSED, layout.CLOSED_OLD):
        raise source.broken(_CODE, f"a mark of use that none writes: {header.in_use:#x}", 44)
    if header.extension_offset:
        # QEMU knows dirty bitmaps alone, and refuses the file for any other.
        raise source.unsupported("feature-unknown", "it has a format extension", 56)


def _check_sizes(source: ImageSource, header: Header) -> None:
    sectors = header.sectors
    if not sectors:
        raise source.broken("too-short", "a virtual size of 0 bytes", 36)
    if header.bat_bytes > limits.PARALLELS_BAT_BYTES:
        detail = f"a table of {format_size(header.bat_bytes)}"
        raise source.broken("table-too-large", detail, 32)
    if sectors > header.bat_entries * header.tracks:
        detail = f"{header.bat_entries} clusters, less than {format_size(sectors * SECTOR)} need"
        raise source.broken("table-too-small", detail, 32)
    if sectors * SECTOR >= 1 << 63:
        raise source.broken("size-too-large", f"a virtual size of {sectors} sectors", 36)


def _check_data_offset(source: ImageSource, header: Header) -> None:
    if layout.HEADER_BYTES + header.bat_bytes > source.size:
        raise source.past_end("the table is past the end", 32)
    offset = header.data_offset_field
    if header.extended and (not offset or offset % header.tracks):
        raise source.broken(_CODE, f"data from sector {offset}, which is no cluster", 48)
    if header.data_offset < header.bat_end:
        raise source.broken("metadata-overlap", "the data begins within the table", 48)


def _check_table(source: ImageSource, header: Header) -> None:
    """Clusters lie in the data area, each at a whole number of them from its start, none twice."""
    claims = UnitClaims(source, header.cluster_bytes)
    last_cluster = (header.sectors - 1) // header.tracks
    last_bytes = (header.sectors - last_cluster * header.tracks) * SECTOR
    for at, piece in source.pieces(layout.HEADER_BYTES, header.bat_bytes):
        if piece == bytes(len(piece)):
            continue
        if header.flags & layout.FLAG_EMPTY:
            raise source.broken(_CODE, "marked as empty, and it has clusters", at)
        entries = little_endian("I", piece)
        used = list(filter(None, entries))
        unit = header.entry_sectors
        begin = header.data_offset // unit
        if min(used) < begin:
            raise source.broken("metadata-overlap", "a cluster before the data begins", at)
        if max(used) * unit * SECTOR + header.cluster_bytes > source.size:
            _check_end(source, header, at, list(entries), (last_cluster, last_bytes))
        clusters = [entry - begin for entry in used]
        if unit != header.tracks:
            if any(map(header.tracks.__rmod__, clusters)):
                raise source.broken("offset-unaligned", "data that is not at a cluster", at)
            clusters = [sectors // header.tracks for sectors in clusters]
        taken = claims.claim(clusters)
        if taken is not None:
            where = header.data_offset * SECTOR + taken * header.cluster_bytes
            raise source.broken(
                "metadata-overlap", f"the cluster at byte {where} is used twice", at
            )


def _check_end(
    source: ImageSource, header: Header, at: int, entries: list[int], last: tuple[int, int]
) -> None:
    """The file may end within the disk's last cluster, after the last byte that a guest sees."""
    first = (at - layout.HEADER_BYTES) // layout.ENTRY_BYTES
    last_cluster, last_bytes = last
    for index, entry in enumerate(entries, first):
        needed = header.cluster_bytes if index < last_cluster else last_bytes
        if entry and entry * header.entry_sectors * SECTOR + needed > source.size:
            field = at + layout.ENTRY_BYTES * (index - first)
            raise source.past_end("a data cluster is past the end", field)
