"""Whatever LVM2's structures say, checksums right or wrong: facts that a manifest can hold, and
volumes whose bytes are either read or `Unreadable`."""

from __future__ import annotations

import re
import struct
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from diskwright.blockio.memory import MemoryReader
from diskwright.guest.inspect import inspect_guest
from diskwright.guest.lvm_map import open_volume
from diskwright.guest.lvm_metadata import parse_group
from diskwright.guest.reading import Unreadable
from diskwright.guest.source import Source
from diskwright.model import canonical
from diskwright.model.codec import decode, encode
from diskwright.model.guest import GuestFacts
from diskwright.model.units import SECTOR
from support import lvm_maker as make

TEXT = make.group(
    make.volume("a", make.segment(0, 2, ("pv0", 0)), make.segment(2, 2, ("pv0", 5))),
    make.volume("b", make.segment(0, 4, ("pv0", 8), ("pv0", 12), size=16)),
    make.volume("c", make.other("thin", 3)),
    make.volume("d", make.other("snapshot", 3, 'origin = "a"\ncow_store = "e"\n')),
    make.volume("e", make.segment(0, 1, ("pv0", 14))),
)
TOKENS = re.findall(r'"(?:[^"\\]|\\.)*"|\w+|[^\w\s]|\s+', TEXT)
WORDS = st.sampled_from(
    [
        "0",
        "-1",
        "1",
        "2",
        "16",
        "255",
        "9223372036854775807",
        "999999999999999999",
        "8192",
        '"pv0"',
        '"pv1"',
        '"striped"',
        '"VISIBLE"',
        "{",
        "}",
        "[",
        "]",
        "=",
        ",",
        '"',
        "#",
        "a",
        "segment9",
    ]
)
EDITS = st.lists(
    st.tuples(
        st.integers(0, len(TOKENS) - 1),
        st.sampled_from(["drop", "twice", "put", "cut"]),
        WORDS,
    ),
    min_size=1,
    max_size=4,
)


def edited(edits: list[tuple[int, str, str]]) -> str:
    tokens = list(TOKENS)
    for at, what, word in edits:
        if what == "cut":
            tokens[at:] = []
        elif at < len(tokens):
            put = {"drop": "", "twice": tokens[at] + " " + tokens[at], "put": word}
            tokens[at] = put[what]
    return "".join(tokens)


def assert_facts(disk: bytes | bytearray) -> None:
    facts = inspect_guest(MemoryReader(len(disk), {0: bytes(disk)}))
    value: Any = encode(facts)
    assert decode(GuestFacts, value) == facts
    canonical.encode(value)
    for fs in facts.filesystems or ():
        assert fs.read or fs.note


@given(EDITS)
@settings(max_examples=300, deadline=2000)
def test_any_text_with_a_right_checksum(edits: list[tuple[int, str, str]]) -> None:
    assert_facts(make.pv(edited(edits)))


@given(EDITS, st.integers(0, 1 << 21), st.integers(0, 1 << 18))
@settings(max_examples=300, deadline=2000)
def test_a_volume_that_opens_is_read_to_its_end(
    edits: list[tuple[int, str, str]], offset: int, length: int
) -> None:
    try:
        group = parse_group(edited(edits).encode())
    except Unreadable:
        return
    disk = make.pv(None)
    pvs = {uuid: Source(MemoryReader(len(disk), {})) for uuid in group.pvs}
    for volume in group.volumes:
        if volume.refused:
            assert volume.segments == ()
            continue
        try:
            source = open_volume(volume, group, pvs)
        except Unreadable:
            continue
        assert source.size == volume.extents * group.extent_size
        start = min(offset, source.size)
        count = min(length, source.size - start)
        assert source.read(start, count) == bytes(count)
        source.read(source.size - 1, 1)


PLACES = [*range(SECTOR, SECTOR + 160), *range(make.AREA, make.AREA + 80)]
FLIPS = st.lists(st.tuples(st.sampled_from(PLACES), st.integers(1, 255)), min_size=1, max_size=4)


@given(FLIPS, st.booleans())
@settings(max_examples=300, deadline=2000)
def test_any_header(flips: list[tuple[int, int]], summed: bool) -> None:
    disk = make.pv(TEXT)
    for at, bits in flips:
        disk[at] ^= bits
    if summed:
        label = make.crc(bytes(disk[SECTOR + 20 : 2 * SECTOR]))
        disk[SECTOR + 16 : SECTOR + 20] = struct.pack("<I", label)
        area = make.crc(bytes(disk[make.AREA + 4 : make.AREA + SECTOR]))
        disk[make.AREA : make.AREA + 4] = struct.pack("<I", area)
    assert_facts(disk)
