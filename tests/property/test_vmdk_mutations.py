"""Whatever is done to a VMDK file's metadata, it is read or refused, with bounded work."""

from __future__ import annotations

import os
from functools import cache
from itertools import pairwise
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from diskwright.errors import ImageRefused
from diskwright.formats import vmdk
from diskwright.formats.source import ImageSource
from diskwright.model.image import ImageFacts
from support.vmdk_maker import SECTOR, Stream, descriptor, sparse

GRAIN = 8
DISK = 512 * GRAIN
HINT = 'parentFileNameHint="base.vmdk"'


@cache
def bases() -> tuple[bytes, ...]:
    """Small good files, whose metadata is most of their bytes."""
    row = {n: 64 + n * GRAIN for n in range(20)}
    places = {0: 72, 1: 64, 600: 80}
    delta = descriptor(f'RW {DISK} SPARSE "x"', parent="deadbeef", more=HINT)
    return (
        sparse(2 * DISK, row, grain=GRAIN, copies=row),
        sparse(2 * DISK, places, grain=GRAIN, copies=places),
        sparse(DISK, {0: 69, 1: 1, 2: 77}, grain=GRAIN, flags=5, version=2, text=delta),
        Stream(512 * 128 * 2, {0: b"a" * 65536, 2: os.urandom(600) * 100, 600: b"b"}).build(),
        descriptor('RW 8 FLAT "a.vmdk" 0', 'RW 9 SPARSE "b"', create_type="monolithicFlat"),
    )


def read_or_refuse(content: bytes, *, follow: bool = True) -> ImageFacts | ImageRefused:
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
            return vmdk.read_facts(ImageSource(fd, "disk", len(content), follow=follow))
    except ImageRefused as refusal:
        return refusal
    finally:
        os.close(fd)
        assert read <= 3 * len(content) + SECTOR


BYTES = st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 2, 10, 32, 34, 35, 61, 0x7F, 0xFF]))
PLACES = st.one_of(st.integers(0, 79), st.integers(0, 63 * SECTOR), st.integers(-2048, -1))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    base=st.integers(0, 4),
    changes=st.lists(st.tuples(PLACES, BYTES), min_size=1, max_size=6),
    cut=st.one_of(st.none(), st.none(), st.integers(0, 60 * SECTOR)),
    follow=st.booleans(),
)
def test_changed_bytes_end_in_facts_or_in_a_refusal(
    base: int, changes: list[tuple[int, int]], cut: int | None, follow: bool
) -> None:
    content = bytearray(bases()[base])
    for place, value in changes:
        content[place % len(content)] = value
    end = read_or_refuse(bytes(content[:cut]), follow=follow)
    if isinstance(end, ImageRefused):
        assert end.detail.isprintable()
    else:
        assert 0 < end.virtual_size < 1 << 63
        assert end.virtual_size % SECTOR == 0
        assert follow or not end.references


def test_each_byte_of_headers_and_descriptors_changed_ends_in_facts_or_in_a_refusal() -> None:
    accepted = changed = 0
    for good in bases():
        assert isinstance(read_or_refuse(good), ImageFacts)
        text_end = good.index(b"sectors") + 20
        for place in [*range(80), *range(80, text_end, 9), *range(-1536, 0, 31)]:
            for flip in (0x01, 0x80):
                content = bytearray(good)
                content[place % len(good)] ^= flip
                accepted += isinstance(read_or_refuse(bytes(content)), ImageFacts)
                changed += 1
    assert 0 < accepted < changed


# --- tables are checked many entries at a time: as if they were checked one by one ----------------

END = 64 + 40 * GRAIN
METADATA = [(0, 21), (21, 22), (22, 30)]  # the descriptor's place is 20 sectors


def sound(places: dict[int, int], zeroed: bool) -> bool:
    """The rules said the slow way."""
    grains = [(p, p + GRAIN) for p in places.values() if p and not (zeroed and p == 1)]
    used = sorted(grains + METADATA)
    return (
        len({start % GRAIN for start, _ in grains}) <= 1
        and all(end <= END for _, end in grains)
        and all(one[1] <= two[0] for one, two in pairwise(used))
    )


SECTORS = st.one_of(
    st.sampled_from([0, 1, 2, 21, 29, 30, END - GRAIN, END - GRAIN + 1, END, (1 << 32) - 1]),
    st.integers(0, 40).map(lambda n: 64 + n * GRAIN),
    st.integers(0, 40).map(lambda n: 65 + n * GRAIN),
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    entries=st.lists(st.tuples(st.integers(0, 1023), SECTORS), min_size=1, max_size=5),
    row=st.integers(0, 30),
    zeroed=st.booleans(),
)
def test_tables_are_sound_where_each_of_their_entries_is(
    entries: list[tuple[int, int]], row: int, zeroed: bool
) -> None:
    places = {n: 64 + n * GRAIN for n in range(row)} | dict(entries)
    content = sparse(2 * DISK, places, grain=GRAIN, length=END, flags=5 if zeroed else 1)
    end = read_or_refuse(content)
    assert isinstance(end, ImageFacts) is sound(places, zeroed), end
