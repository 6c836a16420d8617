"""A sparse extent's header judged, and its footer, which is what counts where there is one."""

from __future__ import annotations

from diskwright._values import replace
from diskwright.formats import limits
from diskwright.formats.source import ImageSource
from diskwright.formats.vmdk import layout
from diskwright.formats.vmdk.layout import Header
from diskwright.model.units import SECTOR, format_size

_CODE = "header-inconsistent"


def decode(source: ImageSource) -> Header:
    """The header, nothing judged but that it is one."""
    header = layout.decode_header(source.read_up_to(0, layout.HEADER_BYTES))
    if header is None:
        raise source.broken("truncated", f"{source.size} bytes, less than a VMDK header")
    if header.magic == layout.COW_MAGIC:
        detail = "an ESX sparse extent (COWD, vmfsSparse), which is not read"
        raise source.unsupported("subformat-unknown", detail, 0)
    if header.magic != layout.MAGIC:
        raise source.broken(_CODE, "it does not begin as a sparse extent does", 0)
    return header


def checked(source: ImageSource, header: Header) -> tuple[Header, int]:
    """The header whose directory counts, and where the part of the file before its footer ends.

    Capacity, grain and places are judged; what lies at those places is not.
    """
    _check_words(source, header)
    _check_sizes(source, header)
    end = source.size
    if header.directory == layout.DIRECTORY_AT_END:
        header = _footer(source, header)
        end -= layout.FOOTER_BYTES
    if header.overhead * SECTOR > source.size:
        raise source.past_end("its metadata ends past the end", layout.AT_OVERHEAD)
    return header, end


def _check_words(source: ImageSource, header: Header) -> None:
    if header.version not in layout.VERSIONS:
        detail = f"version {header.version} of a sparse extent"
        raise source.unsupported("version-unknown", detail, layout.AT_VERSION)
    if header.flags & layout.FLAG_NEWLINES and header.newlines != layout.NEWLINES:
        detail = "its line ends were changed, as a transfer as text does"
        raise source.broken("text-mode-transfer", detail, layout.AT_NEWLINES)
    unknown = header.flags & ~layout.FLAGS_KNOWN
    if unknown:
        detail = f"flags {unknown:#x}"
        raise source.unsupported("feature-unknown", detail, layout.AT_FLAGS)
    if header.compression > layout.DEFLATE:
        detail = f"compression {header.compression}"
        raise source.unsupported("compression-unknown", detail, layout.AT_COMPRESSION)
    # QEMU goes by the algorithm alone, others by the flag.
    if header.compressed != (header.compression == layout.DEFLATE):
        detail = f"flags {header.flags:#x} with compression {header.compression}"
        raise source.broken(_CODE, detail, layout.AT_COMPRESSION)
    if header.compressed and not header.flags & layout.FLAG_MARKERS:
        detail = "compressed grains without their lengths"
        raise source.unsupported("feature-unknown", detail, layout.AT_FLAGS)


def _check_sizes(source: ImageSource, header: Header) -> None:
    grain = header.grain
    if not grain or grain & (grain - 1):
        detail = f"a grain of {grain} sectors, no power of two"
        raise source.broken(_CODE, detail, layout.AT_GRAIN)
    most = limits.VMDK_PACKED_GRAIN_SECTORS if header.compressed else limits.VMDK_GRAIN_SECTORS
    if grain > most:
        detail = f"a grain of {grain} sectors"
        raise source.unsupported("cluster-size", detail, layout.AT_GRAIN)
    if header.table_entries != layout.TABLE_ENTRIES:
        detail = f"grain tables of {header.table_entries} entries, where there are 512 in any"
        raise source.unsupported("table-size", detail, layout.AT_TABLE_ENTRIES)
    if not header.capacity:
        raise source.broken("too-short", "a disk of 0 sectors", layout.AT_CAPACITY)
    if header.capacity > limits.VMDK_SECTORS:
        detail = f"a capacity of {header.capacity} sectors"
        raise source.broken("size-too-large", detail, layout.AT_CAPACITY)
    if header.directory_bytes > limits.VMDK_DIRECTORY_BYTES:
        detail = f"a grain directory of {format_size(header.directory_bytes)}"
        raise source.unsupported("table-too-large", detail, layout.AT_CAPACITY)


def _footer(source: ImageSource, header: Header) -> Header:
    """The footer, which repeats the header and has the directory's place."""
    if source.size % SECTOR or source.size < layout.HEADER_BYTES + layout.FOOTER_BYTES:
        raise source.broken("truncated", "the file does not end with a footer")
    start = source.size - layout.FOOTER_BYTES
    data = source.read(start, layout.FOOTER_BYTES)
    footer = layout.decode_header(data[SECTOR : 2 * SECTOR])
    first, last = (layout.MARKER.unpack_from(data, at) for at in (0, 2 * SECTOR))
    if (
        footer is None
        or footer.magic != layout.MAGIC
        or first[1:] != (0, layout.MARKER_FOOTER)
        or last != (0, 0, layout.MARKER_END)
    ):
        raise source.broken("truncated", "the file does not end with a footer", start)
    # Only in these it may differ: the header was written when they were not known.
    same = replace(
        footer,
        directory=header.directory,
        redundant=header.redundant,
        overhead=header.overhead,
        unclean=header.unclean,
    )
    if same != header or footer.directory == layout.DIRECTORY_AT_END:
        raise source.broken(_CODE, "the footer is not the header's", start + SECTOR)
    return footer
