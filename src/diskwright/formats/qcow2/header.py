"""A qcow2 header judged: what it names, what it asks for, whether it agrees with itself."""

from __future__ import annotations

from collections.abc import Iterator

from diskwright.formats import limits
from diskwright.formats.qcow2 import layout
from diskwright.formats.qcow2.layout import Extension, Header
from diskwright.formats.qemu import format_of_driver
from diskwright.formats.source import ImageSource, shown
from diskwright.formats.virtual_size import check_virtual_size
from diskwright.model.image import ImageFormat, Reference, ReferenceKind
from diskwright.model.units import format_size, round_up

_CODE = "header-inconsistent"


def read_header(
    source: ImageSource,
) -> tuple[Header, tuple[Extension, ...], tuple[Reference, ...]]:
    """The header, its extensions, and the backing file that it names.

    What names another file is refused (unless `source` may) before anything else is judged.
    """
    start = source.read_up_to(0, 1 << layout.CLUSTER_BITS_MIN)
    header = layout.decode_header(start)
    if header is None:
        raise source.broken("truncated", f"{source.size} bytes, less than a qcow2 header")
    if header.version not in (2, 3):
        raise source.unsupported("version-unknown", f"qcow2 version {header.version}", 4)
    _check_cluster_size(source, header)
    _check_header_length(source, header)
    first_cluster = source.read_up_to(0, header.cluster_size)
    _check_backing_bounds(source, header)
    extensions = tuple(_extensions(source, header, first_cluster))
    references = _references(source, header, extensions, first_cluster)
    _check_features(source, header)
    _check_encryption(source, header, extensions)
    _check_size(source, header)
    return header, extensions, references


def _check_cluster_size(source: ImageSource, header: Header) -> None:
    bits = header.cluster_bits
    if layout.CLUSTER_BITS_MIN <= bits <= layout.CLUSTER_BITS_MAX:
        return
    detail = f"cluster_bits {bits}, of which 9 to 21 are read"
    if layout.CLUSTER_BITS_MAX < bits <= layout.CLUSTER_BITS_SANE:
        raise source.unsupported("cluster-size", detail, 20)
    raise source.broken("cluster-size", detail, 20)


def _check_header_length(source: ImageSource, header: Header) -> None:
    if header.version < 3:
        return
    length = header.length
    if length < layout.HEADER_V3_BYTES or length % 8 or length > header.cluster_size:
        raise source.broken(_CODE, f"a header length of {length} bytes", 100)


def _check_backing_bounds(source: ImageSource, header: Header) -> None:
    if not header.backing_offset:
        return
    end = header.backing_offset + header.backing_length
    if (
        header.backing_offset < header.length
        or not 0 < header.backing_length <= limits.QCOW2_BACKING_NAME_BYTES
        or end > header.cluster_size
    ):
        detail = (
            f"a backing file's name of {header.backing_length} bytes at {header.backing_offset}"
        )
        raise source.broken(_CODE, detail, 8)


def _extensions(source: ImageSource, header: Header, cluster: bytes) -> Iterator[Extension]:
    end = header.backing_offset or header.cluster_size
    at = header.length
    seen: set[int] = set()
    for _ in range(limits.QCOW2_EXTENSIONS):
        if at + layout.EXTENSION_HEAD.size > end:
            return
        if at + layout.EXTENSION_HEAD.size > len(cluster):
            raise source.broken("truncated", "the file ends within its header extensions", at)
        kind, length = layout.EXTENSION_HEAD.unpack_from(cluster, at)
        if kind == layout.EXTENSION_END:
            return
        data_at = at + layout.EXTENSION_HEAD.size
        if data_at + length > end:
            detail = f"a header extension of {length} bytes does not fit the first cluster"
            raise source.broken(_CODE, detail, at)
        if data_at + length > len(cluster):
            raise source.broken("truncated", "the file ends within its header extensions", at)
        extension = Extension(kind, data_at, cluster[data_at : data_at + length])
        if kind in layout.EXTENSIONS_READ and kind in seen:
            raise source.broken(_CODE, "a header extension that comes twice", at)
        seen.add(kind)
        _check_extension(source, header, extension)
        yield extension
        at = data_at + round_up(length, 8)
    raise source.broken("table-too-large", "more header extensions than any file has", at)


def _check_extension(source: ImageSource, header: Header, extension: Extension) -> None:
    if extension.kind != layout.EXTENSION_BITMAPS:
        return
    if not header.autoclear & layout.AUTOCLEAR_BITMAPS:
        return  # the extension is stale, and is to be ignored
    length = len(extension.data)
    if length != layout.BITMAPS.size:
        raise source.broken(_CODE, f"a bitmaps extension of {length} bytes", extension.offset)
    count, reserved, size, offset = layout.BITMAPS.unpack(extension.data)
    if reserved or not count or not size:
        raise source.broken(_CODE, "an empty bitmaps extension", extension.offset)
    if count > limits.QCOW2_BITMAPS or size > limits.QCOW2_BITMAP_DIRECTORY_BYTES:
        raise source.broken("table-too-large", f"{count} bitmaps in {size} bytes", extension.offset)
    if offset % header.cluster_size:
        detail = "the bitmap directory does not start at a cluster"
        raise source.broken("offset-unaligned", detail, extension.offset)
    if offset + size > source.size:
        raise source.past_end("the bitmap directory is past the end", extension.offset)


def _references(
    source: ImageSource, header: Header, extensions: tuple[Extension, ...], cluster: bytes
) -> tuple[Reference, ...]:
    for extension in extensions:
        if extension.kind == layout.EXTENSION_DATA_FILE:
            data_file = Reference(ReferenceKind.DATA, _text(extension.data), ImageFormat.RAW)
            source.refer(data_file, extension.offset)
            raise source.unsupported("data-file", "its data is in another file", extension.offset)
    if header.incompatible & layout.INCOMPATIBLE_DATA_FILE:
        raise source.broken(_CODE, "its data is in another file, which it does not name", 72)
    if not header.backing_offset:
        return ()
    name = cluster[header.backing_offset : header.backing_offset + header.backing_length]
    backing = Reference(ReferenceKind.BACKING, _text(name), _backing_format(source, extensions))
    return (source.refer(backing, header.backing_offset),)


def _backing_format(source: ImageSource, extensions: tuple[Extension, ...]) -> ImageFormat | None:
    for extension in extensions:
        if extension.kind == layout.EXTENSION_BACKING_FORMAT:
            known = format_of_driver(_text(extension.data))
            if known is None and source.follow:
                detail = f"a backing file of the format {shown(_text(extension.data))}"
                raise source.unsupported("format-unsupported", detail, extension.offset)
            return known
    return None


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")


def _check_features(source: ImageSource, header: Header) -> None:
    incompatible = header.incompatible
    unknown = incompatible & ~layout.INCOMPATIBLE_KNOWN
    if unknown:
        bits = ", ".join(str(bit) for bit in range(64) if unknown >> bit & 1)
        raise source.unsupported("feature-unknown", f"incompatible feature bit {bits}", 72)
    if incompatible & layout.INCOMPATIBLE_CORRUPT:
        raise source.broken("marked-corrupt", "its last writer found its metadata damaged", 72)
    if header.refcount_order > layout.REFCOUNT_ORDER_MAX:
        raise source.broken(_CODE, f"refcounts of 2^{header.refcount_order} bits", 96)
    if bool(header.compression) != bool(incompatible & layout.INCOMPATIBLE_COMPRESSION):
        raise source.broken(_CODE, "compression type and its feature bit differ", 104)
    if header.compression >= len(layout.COMPRESSION_NAMES):
        detail = f"compression type {header.compression}"
        raise source.unsupported("compression-unknown", detail, 104)
    if header.extended_l2 and header.cluster_bits < layout.EXTENDED_L2_CLUSTER_BITS_MIN:
        raise source.broken(_CODE, "clusters too small for extended L2 entries", 20)


def _check_encryption(
    source: ImageSource, header: Header, extensions: tuple[Extension, ...]
) -> None:
    method = header.crypt_method
    if method in (layout.CRYPT_AES, layout.CRYPT_LUKS):
        raise source.unsupported("encryption", f"it is encrypted (method {method})", 32)
    if method != layout.CRYPT_NONE:
        raise source.unsupported("encryption-unknown", f"encryption method {method}", 32)
    for extension in extensions:
        if extension.kind == layout.EXTENSION_ENCRYPTION:
            raise source.broken(_CODE, "an encryption header without encryption", extension.offset)


def _check_size(source: ImageSource, header: Header) -> None:
    size = header.virtual_size
    check_virtual_size(source, size, 24)
    if header.l1_entries_needed * layout.ENTRY_BYTES > limits.QCOW2_L1_BYTES:
        detail = f"{format_size(size)} in clusters of {format_size(header.cluster_size)}"
        raise source.unsupported("size-too-large", detail, 24)
