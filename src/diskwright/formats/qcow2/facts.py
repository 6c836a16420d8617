"""qcow2: the header, every extension and every table, read whole, before any tool opens the file.

What only reading the data can show (a compressed cluster that is no deflate stream) is left to the
reader.
"""

from __future__ import annotations

from diskwright.formats.qcow2 import layout
from diskwright.formats.qcow2.clusters import check_clusters
from diskwright.formats.qcow2.header import read_header
from diskwright.formats.qcow2.layout import Extension, Header
from diskwright.formats.qcow2.snapshots import check_snapshots
from diskwright.formats.qcow2.tables import read_tables
from diskwright.formats.source import ImageSource
from diskwright.model.image import ImageFacts, ImageFormat, Problem


def read_facts(source: ImageSource) -> ImageFacts:
    """Facts of a qcow2 file. `compressed`: it has a compressed cluster."""
    header, extensions, references = read_header(source)
    tables, claims = read_tables(source, header)
    check_snapshots(source, header, claims)
    compressed = check_clusters(source, header, tables, claims)
    problems: tuple[Problem, ...] = ()
    if header.incompatible & layout.INCOMPATIBLE_DIRTY:
        problems = (Problem("dirty", "its last writer did not close it; refcounts may be stale"),)
    return ImageFacts(
        format=ImageFormat.QCOW2,
        virtual_size=header.virtual_size,
        file_size=source.size,
        exact_size=header.virtual_size,
        cluster_size=header.cluster_size,
        version=header.version,
        compressed=compressed,
        snapshots=header.snapshot_count,
        features=tuple(_features(header, extensions)),
        problems=problems,
        references=references,
    )


def _features(header: Header, extensions: tuple[Extension, ...]) -> list[str]:
    features: list[str] = []
    if header.compression:
        features.append(layout.COMPRESSION_NAMES[header.compression])
    if header.extended_l2:
        features.append("extended-l2")
    if header.compatible & layout.COMPATIBLE_LAZY_REFCOUNTS:
        features.append("lazy-refcounts")
    has_bitmaps = any(extension.kind == layout.EXTENSION_BITMAPS for extension in extensions)
    if has_bitmaps and header.autoclear & layout.AUTOCLEAR_BITMAPS:
        features.append("bitmaps")
    return features
