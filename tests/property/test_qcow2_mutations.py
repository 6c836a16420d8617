"""Whatever is done to a qcow2 file's metadata, it is read or refused, with bounded work."""

from __future__ import annotations

import os
import struct
from functools import cache, partial
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from diskwright.errors import ImageRefused
from diskwright.formats import qcow2
from diskwright.formats.source import ImageSource
from diskwright.model.image import ImageFacts
from support.hostile import qcow2 as builder

BITS = 9
CLUSTER = 1 << BITS
COPIED = 1 << 63
COMPRESSED = 1 << 62
EXTENDED = 16


build = partial(builder.qcow2, cluster_bits=BITS, data=b"x" * CLUSTER)


@cache
def bases() -> tuple[bytes, ...]:
    """Small good files, whose metadata is most of their bytes."""
    entry = struct.pack(">QIHHIIQII", 7 * CLUSTER, 1, 1, 3, 0, 0, 0, 0, 16) + bytes(16) + b"1one"
    snapshots = entry.ljust(CLUSTER, b"\0") + bytes(CLUSTER)
    bitmaps = struct.pack(">IIQQ", 1, 0, 24, 5 * CLUSTER)
    mixed = [5 * CLUSTER | COPIED, COMPRESSED | 5 * CLUSTER + 3, 1, 0]
    return (
        build(),
        build(version=2),
        build(l2=mixed, exts=[(0x23852875, bitmaps, None)], autoclear=1),
        build(snapshots=1, snap_off=6 * CLUSTER, extra=snapshots),
        builder.qcow2(cluster_bits=14, incompat=EXTENDED, l2=[5 << 14, 3, 0, 1 << 63]),
    )


def read_or_refuse(content: bytes) -> ImageFacts | ImageRefused:
    """Nothing else may be raised, and no byte is read more than three times."""
    read = 0
    pread = os.pread

    def counting(fd: int, length: int, offset: int) -> bytes:
        nonlocal read
        data = pread(fd, length, offset)
        read += len(data)
        return data

    fd = os.memfd_create("disk")
    try:
        os.pwrite(fd, content, 0)
        with mock.patch("diskwright.formats.source.os.pread", counting):
            return qcow2.read_facts(ImageSource(fd, "disk", len(content)))
    except ImageRefused as refusal:
        return refusal
    finally:
        os.close(fd)
        assert read <= 3 * len(content) + CLUSTER


BYTES = st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 2, 0x40, 0x7F, 0x80, 0xFF]))
PLACES = st.one_of(st.integers(0, 127), st.integers(0, 8 * CLUSTER - 1))


@settings(max_examples=400, deadline=None)
@given(
    base=st.integers(0, 4),
    changes=st.lists(st.tuples(PLACES, BYTES), min_size=1, max_size=6),
    cut=st.one_of(st.none(), st.integers(0, 8 * CLUSTER)),
)
def test_changed_bytes_end_in_facts_or_in_a_refusal(
    base: int, changes: list[tuple[int, int]], cut: int | None
) -> None:
    content = bytearray(bases()[base])
    for place, value in changes:
        if place < len(content):
            content[place] = value
    end = read_or_refuse(bytes(content[:cut]))
    if isinstance(end, ImageFacts):
        assert 0 < end.virtual_size < 1 << 63
        assert end.virtual_size % 512 == 0


def test_each_used_byte_of_the_metadata_changed_ends_in_facts_or_in_a_refusal() -> None:
    good = bases()[2]
    accepted = 0
    places = [place for place in range(len(good)) if place < 160 or place % CLUSTER < 40]
    for place in places:
        for flip in (0x01, 0x80, 0xFF):
            content = bytearray(good)
            content[place] ^= flip
            accepted += isinstance(read_or_refuse(bytes(content)), ImageFacts)
    assert 0 < accepted < 3 * len(places)


# --- the tables are checked many entries at a time: as if they were checked one by one ------------

CLAIMED = {0, 1, 2, 3, 4}
FILE_BYTES = 6 * CLUSTER


def sound(entry: int, version: int) -> bool:
    """The specification of one entry, said the slow way."""
    if entry & COMPRESSED:
        bits = 62 - (BITS - 8)
        offset = entry & (1 << bits) - 1
        sectors = (entry & (1 << 62) - 1) >> bits
        last = offset // 512 * 512 + 512 * sectors
        clusters = {offset // CLUSTER, last // CLUSTER}
        return (
            not entry & COPIED
            and sectors <= CLUSTER // 512
            and not clusters & CLAIMED
            and offset < FILE_BYTES
            and last < FILE_BYTES
        )
    offset = entry & 0x00FF_FFFF_FFFF_FE00
    flags = COPIED | (1 if version == 3 else 0)
    if entry & ~flags != offset:
        return False
    if offset == 0:
        return not entry & COPIED or bool(entry & 1)
    return offset // CLUSTER not in CLAIMED and offset + CLUSTER <= FILE_BYTES


ENTRIES = st.one_of(
    st.sampled_from([0, 1, COPIED, COPIED | 1, 5 * CLUSTER, 5 * CLUSTER | COPIED]),
    st.builds(
        lambda flags, cluster, low: flags | cluster * CLUSTER + low,
        st.sampled_from([0, 1, COPIED, COMPRESSED, COMPRESSED | 1 << 61, COPIED | COMPRESSED]),
        st.integers(0, 7),
        st.sampled_from([0, 0, 0, 1, 2, 100, 511]),
    ),
    st.integers(0, (1 << 64) - 1),
)


@settings(max_examples=300, deadline=None)
@given(
    entries=st.lists(ENTRIES, min_size=1, max_size=5),
    at=st.integers(0, 59),
    version=st.sampled_from([2, 3]),
)
def test_a_table_is_sound_where_each_of_its_entries_is(
    entries: list[int], at: int, version: int
) -> None:
    table = [0] * at + entries
    end = read_or_refuse(build(l2=table, version=version))
    assert isinstance(end, ImageFacts) is all(sound(entry, version) for entry in entries)
