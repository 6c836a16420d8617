"""qcow version 1: the header and both levels of tables, read whole.

What only reading the data can show (a compressed cluster that is no deflate stream) is left to the
reader.
"""

from __future__ import annotations

from diskwright.formats import limits
from diskwright.formats.claims import UnitClaims, big_endian
from diskwright.formats.qcow1 import layout
from diskwright.formats.qcow1.layout import Header
from diskwright.formats.source import ImageSource
from diskwright.formats.virtual_size import check_virtual_size
from diskwright.model.image import ImageFacts, ImageFormat, Reference
from diskwright.model.units import format_size

_CODE = "header-inconsistent"
_OVERLAP = "metadata-overlap"


def read_facts(source: ImageSource) -> ImageFacts:
    """Facts of a qcow file. `compressed`: it has a compressed cluster."""
    header = layout.decode_header(source.read_up_to(0, layout.HEADER_BYTES))
    if header is None:
        raise source.broken("truncated", f"{source.size} bytes, less than a qcow header")
    references = _references(source, header)
    _check_header(source, header)
    compressed = _check_tables(source, header)
    return ImageFacts(
        format=ImageFormat.QCOW,
        virtual_size=header.virtual_size,
        file_size=source.size,
        exact_size=header.virtual_size,
        cluster_size=header.cluster_size,
        version=header.version,
        compressed=compressed,
        references=references,
    )


def _references(source: ImageSource, header: Header) -> tuple[Reference, ...]:
    at, length = header.backing_offset, header.backing_length
    if not at:
        return ()
    if at < layout.HEADER_BYTES or not 0 < length <= limits.QCOW_BACKING_NAME_BYTES:
        raise source.broken(_CODE, f"a backing file's name of {length} bytes at {at}", 8)
    return (source.backing(at, length, code=_CODE),)


def _check_header(source: ImageSource, header: Header) -> None:
    if header.version != 1:
        raise source.unsupported("version-unknown", f"qcow version {header.version}", 4)
    bits = header.cluster_bits
    if not layout.CLUSTER_BITS_MIN <= bits <= layout.CLUSTER_BITS_MAX:
        raise source.broken("cluster-size", f"cluster_bits {bits}, of which 9 to 16 are read", 32)
    if not layout.L2_BITS_MIN <= header.l2_bits <= layout.L2_BITS_MAX:
        detail = f"l2_bits {header.l2_bits}, of which 6 to 13 are read"
        raise source.broken(_CODE, detail, 33)
    if header.crypt_method == layout.CRYPT_AES:
        raise source.unsupported("encryption", "it is encrypted (method 1)", 36)
    if header.crypt_method != layout.CRYPT_NONE:
        detail = f"encryption method {header.crypt_method}"
        raise source.unsupported("encryption-unknown", detail, 36)
    size = header.virtual_size
    check_virtual_size(source, size, 24)
    if header.l1_bytes > limits.QCOW_L1_BYTES:
        detail = f"{format_size(size)} in clusters of {format_size(header.cluster_size)}"
        raise source.unsupported("size-too-large", detail, 24)


def _check_tables(source: ImageSource, header: Header) -> bool:
    """True: a cluster is compressed."""
    if header.l1_offset < layout.HEADER_BYTES:
        raise source.broken(_OVERLAP, "the L1 table lies on the header", 40)
    if header.l1_offset + header.l1_bytes > source.size:
        raise source.past_end("the L1 table is past the end", 40)
    claims = UnitClaims(source, header.cluster_size)
    _claim_head(source, header, claims)
    tables = _l2_tables(source, header, claims)
    compressed = False
    for table in tables:
        for at, piece in source.pieces(table, header.l2_bytes):
            if piece != bytes(len(piece)):
                compressed |= _check_clusters(source, header, claims, at, piece)
    return compressed


def _claim_head(source: ImageSource, header: Header, claims: UnitClaims) -> None:
    """Header, name and L1 table: they may share a cluster, and no byte."""
    at, length = header.backing_offset, header.backing_length
    if at and at < header.l1_offset + header.l1_bytes and header.l1_offset < at + length:
        raise source.broken(_OVERLAP, "the L1 table lies on the backing file's name", 40)
    parts = [(0, layout.HEADER_BYTES), (header.l1_offset, header.l1_bytes)]
    if at:
        parts.append((at, length))
    unit = header.cluster_size
    for start, size in parts:
        claims.share(range(start // unit, -(-(start + size) // unit)))
    claims.close_shared()


def _l2_tables(source: ImageSource, header: Header, claims: UnitClaims) -> list[int]:
    tables: list[int] = []
    for at, piece in source.pieces(header.l1_offset, header.l1_bytes):
        if piece == bytes(len(piece)):
            continue
        for index, table in enumerate(big_endian("Q", piece)):
            if not table:
                continue
            field = at + layout.ENTRY_BYTES * index
            if table % header.cluster_size:
                raise source.broken("offset-unaligned", "an L2 table not at a cluster", field)
            if table + header.l2_bytes > source.size:
                raise source.past_end("an L2 table is past the end", field)
            if claims.claim_bytes(table, header.l2_bytes) is not None:
                raise source.broken(_OVERLAP, "an L2 table lies on other metadata", field)
            tables.append(table)
        if len(tables) > limits.QCOW_L2_TABLES:
            detail = f"more than {limits.QCOW_L2_TABLES} L2 tables"
            raise source.unsupported("table-too-large", detail, 40)
        if len(tables) * header.l2_bytes > limits.QCOW_L2_BYTES:
            detail = f"more than {format_size(limits.QCOW_L2_BYTES)} of L2 tables"
            raise source.unsupported("table-too-large", detail, 40)
    return tables


def _check_clusters(
    source: ImageSource, header: Header, claims: UnitClaims, at: int, piece: bytes
) -> bool:
    entries = big_endian("Q", piece)
    standard = [entry for entry in entries if 0 < entry < layout.COMPRESSED]
    size = header.cluster_size
    if standard:
        if any(map((size - 1).__and__, standard)):
            raise source.broken("offset-unaligned", "data that does not start at a cluster", at)
        if max(standard) + size > source.size:
            raise source.past_end("a data cluster is past the end", at)
        _refuse_taken(source, header, claims.claim(map(size.__rfloordiv__, standard)), at)
    packed = [entry & ~layout.COMPRESSED for entry in entries if entry >= layout.COMPRESSED]
    if packed:
        _check_compressed(source, header, claims, at, packed)
    return bool(packed)


def _check_compressed(
    source: ImageSource, header: Header, claims: UnitClaims, at: int, packed: list[int]
) -> None:
    """Several may lie in one cluster of the file, but none in one that holds anything else."""
    bits, size = header.compressed_offset_bits, header.cluster_size
    if min(packed) >> bits == 0:
        raise source.broken("compressed-data", "a compressed cluster of no byte", at)
    mask = (1 << bits) - 1
    starts = [entry & mask for entry in packed]
    ends = [(entry & mask) + (entry >> bits) for entry in packed]
    if max(ends) > source.size:
        raise source.past_end("a compressed cluster is past the end", at)
    units = {start // size for start in starts}
    units.update((end - 1) // size for end in ends)
    _refuse_taken(source, header, claims.share(units), at)


def _refuse_taken(source: ImageSource, header: Header, taken: int | None, at: int) -> None:
    if taken is not None:
        where = taken * header.cluster_size
        raise source.broken(_OVERLAP, f"the cluster at byte {where} is used twice", at)
