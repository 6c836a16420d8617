"""A sealed disk that was changed in any way is refused, and nothing false leaves before that.

`scripts/soak` runs the same loops with every bit and 2,000 random places.
"""

from __future__ import annotations

import pytest

from diskwright.errors import DataTampered
from diskwright.model.stored import Chunk
from support import tamper
from support.sealing import open_bytes


@pytest.fixture(scope="module")
def sealed() -> tamper.Sealed:
    return tamper.make()


def test_untouched_it_opens(sealed: tamper.Sealed) -> None:
    assert open_bytes(sealed.data) == sealed.plain


def test_one_bit_of_every_byte_of_the_header(sealed: tamper.Sealed) -> None:
    assert tamper.header_flips_refused(sealed, bit=0) == 16 << 10


def test_one_bit_of_the_edges_of_segments_and_of_random_places(sealed: tamper.Sealed) -> None:
    tried = tamper.payload_flips_refused(sealed, random_places=200, seed=1)
    assert tried == 40 + 3 * 128 + 200


def test_cut_rearranged_and_mixed(sealed: tamper.Sealed) -> None:
    labels = []
    for label, changed in tamper.rearranged(sealed):
        tamper.refused(sealed, changed, label)
        labels.append(label)
    assert len(labels) > 30


def test_no_byte_of_a_bad_segment_leaves(sealed: tamper.Sealed) -> None:
    """The last segment is looked at first, so here the second is the bad one."""
    changed = bytearray(sealed.data)
    changed[(16 << 10) + (1 << 20) + 5] ^= 1
    released: list[Chunk] = []
    with pytest.raises(DataTampered, match="segment 1"):
        open_bytes(changed, released=released)
    assert all(chunk.offset + len(chunk.data) <= tamper.FIRST_PLAIN for chunk in released)
