"""QED: the header and both levels of tables, read whole, before any tool opens the file."""

from __future__ import annotations

from diskwright.formats import limits
from diskwright.formats.claims import UnitClaims, little_endian
from diskwright.formats.qed import layout
from diskwright.formats.qed.layout import Header
from diskwright.formats.source import ImageSource
from diskwright.formats.virtual_size import check_virtual_size
from diskwright.model.image import ImageFacts, ImageFormat, Problem, Reference
from diskwright.model.units import format_size

_CODE = "header-inconsistent"


def read_facts(source: ImageSource) -> ImageFacts:
    """Facts of a QED file. One whose last writer did not close it is read as it stands."""
    header = layout.decode_header(source.read_up_to(0, layout.HEADER_BYTES))
    if header is None:
        raise source.broken("truncated", f"{source.size} bytes, less than a QED header")
    references = _references(source, header)
    _check_header(source, header)
    _check_sizes(source, header)
    _check_tables(source, header)
    problems: tuple[Problem, ...] = ()
    if header.features & layout.FEATURE_NEEDS_CHECK:
        problems = (Problem("dirty", "its last writer did not close it"),)
    return ImageFacts(
        format=ImageFormat.QED,
        virtual_size=header.virtual_size,
        file_size=source.size,
        exact_size=header.virtual_size,
        cluster_size=header.cluster_size,
        problems=problems,
        references=references,
    )


def _references(source: ImageSource, header: Header) -> tuple[Reference, ...]:
    """The name lies within the header's clusters, behind its fields."""
    if not header.features & layout.FEATURE_BACKING:
        return ()
    at, length = header.backing_offset, header.backing_length
    fits = at >= layout.HEADER_BYTES and at + length <= header.header_bytes
    if not fits or not 0 < length <= limits.QED_BACKING_NAME_BYTES:
        raise source.broken(_CODE, f"a backing file's name of {length} bytes at {at}", 56)
    told = ImageFormat.RAW if header.features & layout.FEATURE_BACKING_RAW else None
    return (source.backing(at, length, code=_CODE, image_format=told),)


def _check_header(source: ImageSource, header: Header) -> None:
    unknown = header.features & ~layout.FEATURES_KNOWN
    if unknown:
        bits = ", ".join(str(bit) for bit in range(64) if unknown >> bit & 1)
        raise source.unsupported("feature-unknown", f"incompatible feature bit {bits}", 16)
    size = header.cluster_size
    if not layout.CLUSTER_BYTES_MIN <= size <= layout.CLUSTER_BYTES_MAX or size & (size - 1):
        raise source.broken("cluster-size", f"clusters of {size} bytes", 4)
    clusters = header.table_clusters
    if not 1 <= clusters <= layout.TABLE_CLUSTERS_MAX or clusters & (clusters - 1):
        raise source.broken(_CODE, f"tables of {clusters} clusters", 8)
    if clusters == 1:  # QEMU's check of a table's place fails for each of them
        raise source.unsupported("table-size", "tables of one cluster, which QEMU does not read", 8)
    if header.table_bytes > limits.QED_TABLE_BYTES:
        raise source.unsupported("table-too-large", f"tables of {header.table_bytes} bytes", 8)
    if not header.header_clusters:
        raise source.broken(_CODE, "a header of no cluster", 12)
    if header.header_bytes > source.size:
        raise source.past_end("the header's clusters are past the end", 12)


def _check_sizes(source: ImageSource, header: Header) -> None:
    most = min(limits.LARGEST_DISK, header.table_entries**2 * header.cluster_size)
    check_virtual_size(source, header.virtual_size, 48, most=most)


def _check_tables(source: ImageSource, header: Header) -> None:
    claims = UnitClaims(source, header.cluster_size)
    claims.claim_bytes(0, header.header_bytes)
    _claim_table(source, header, claims, header.l1_offset, 40)
    tables: list[int] = []
    for at, piece in source.pieces(header.l1_offset, header.table_bytes):
        if piece == bytes(len(piece)):
            continue
        for index, table in enumerate(little_endian("Q", piece)):
            if table == layout.UNALLOCATED:
                continue
            _claim_table(source, header, claims, table, at + layout.ENTRY_BYTES * index)
            tables.append(table)
        if len(tables) * header.table_bytes > limits.QED_L2_BYTES:
            detail = f"more than {format_size(limits.QED_L2_BYTES)} of L2 tables"
            raise source.unsupported("table-too-large", detail, 40)
    for table in tables:
        for at, piece in source.pieces(table, header.table_bytes):
            if piece != bytes(len(piece)):
                _check_clusters(source, header, claims, at, piece)


def _claim_table(
    source: ImageSource, header: Header, claims: UnitClaims, offset: int, field: int
) -> None:
    if offset % header.cluster_size:
        raise source.broken("offset-unaligned", "a table that does not start at a cluster", field)
    if offset + header.table_bytes > source.size:
        raise source.past_end("a table is past the end", field)
    if claims.claim_bytes(offset, header.table_bytes) is not None:
        raise source.broken("metadata-overlap", "a table lies on other metadata", field)


def _check_clusters(
    source: ImageSource, header: Header, claims: UnitClaims, at: int, piece: bytes
) -> None:
    """A piece of an L2 table. The file holds each cluster whole: QEMU reads no other."""
    used = [entry for entry in little_endian("Q", piece) if entry > layout.ZERO]
    if not used:
        return
    if any(map((header.cluster_size - 1).__and__, used)):
        raise source.broken("offset-unaligned", "data that does not start at a cluster", at)
    if max(used) + header.cluster_size > source.size:
        raise source.past_end("a data cluster is past the end", at)
    taken = claims.claim(map(header.cluster_size.__rfloordiv__, used))
    if taken is not None:
        where = taken * header.cluster_size
        raise source.broken("metadata-overlap", f"the cluster at byte {where} is used twice", at)
