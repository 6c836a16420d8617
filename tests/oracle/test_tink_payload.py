"""Tink decides: given the data key, it opens what we seal, and we open what it seals."""

from __future__ import annotations

import random

import pytest

from diskwright.envelope.header import HEADER_SIZE
from diskwright.envelope.stream import FIRST_PLAIN, OTHER_PLAIN
from support import tink_payload
from support.sealing import DATA_KEY, make_header, open_bytes, seal_bytes

BORDERS = [
    0,
    1,
    FIRST_PLAIN - 1,
    FIRST_PLAIN,
    FIRST_PLAIN + 1,
    FIRST_PLAIN + OTHER_PLAIN,
    FIRST_PLAIN + OTHER_PLAIN + 1,
    FIRST_PLAIN + 2 * OTHER_PLAIN + 777,
]


@pytest.mark.parametrize("size", BORDERS)
def test_tink_opens_a_payload_of_ours(size: int) -> None:
    plain = random.Random(size).randbytes(size)
    _, j1 = make_header(size)
    payload = seal_bytes(plain)[HEADER_SIZE:]
    assert tink_payload.open_(DATA_KEY, j1, payload) == plain


@pytest.mark.parametrize("size", BORDERS)
def test_we_open_a_payload_of_tinks(size: int) -> None:
    plain = random.Random(size).randbytes(size)
    header, j1 = make_header(size)
    assert open_bytes(header + tink_payload.seal(DATA_KEY, j1, plain)) == plain


def test_tink_refuses_our_payload_under_another_header() -> None:
    _, other_j1 = make_header(5, disk=1)
    with pytest.raises(Exception, match=r"."):
        tink_payload.open_(DATA_KEY, other_j1, seal_bytes(b"hello")[HEADER_SIZE:])
