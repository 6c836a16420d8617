"""Every way in which a sealed disk is changed behind our back, for the suite and for soak runs.

Each mutation has to end in a SecretError (code 12), and what was released before it has to be
true plaintext that lies wholly before the change.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from diskwright.envelope import opener
from diskwright.envelope.header import HEADER_SIZE
from diskwright.envelope.stream import FIRST_PLAIN, OTHER_PLAIN, PAYLOAD_HEADER_SIZE, SEGMENT_SIZE
from diskwright.errors import SecretError
from diskwright.model.stored import Chunk
from support.sealing import KEY, open_bytes, seal_bytes

PLAIN_SIZE = FIRST_PLAIN + OTHER_PLAIN + 100_000
OTHER_SEAL = "0190b0f4-0000-7000-8000-00000000beef"
OTHER_DATA_KEY = bytes(range(32, 64))
_EDGE = 64


@dataclass(frozen=True)
class Sealed:
    """A disk of three segments and its plaintext."""

    plain: bytes
    data: bytes

    @property
    def borders(self) -> list[int]:
        """Where header, payload header and each segment begin, and the end."""
        starts = [HEADER_SIZE + PAYLOAD_HEADER_SIZE]
        starts += range(HEADER_SIZE + SEGMENT_SIZE, len(self.data), SEGMENT_SIZE)
        return [0, HEADER_SIZE, *starts, len(self.data)]

    @property
    def segments(self) -> list[bytes]:
        borders = self.borders[2:]
        return [self.data[a:b] for a, b in pairwise(borders)]


def make() -> Sealed:
    plain = random.Random(7).randbytes(PLAIN_SIZE)
    return Sealed(plain, seal_bytes(plain))


def refused(sealed: Sealed, changed: bytes | bytearray, label: str) -> None:
    """Asserts that `changed` is refused, and that what left before was plaintext of `sealed`."""
    released: list[Chunk] = []
    try:
        open_bytes(changed, released=released)
    except SecretError:
        pass
    else:
        raise AssertionError(f"{label}: it was opened")
    for chunk in released:
        end = chunk.offset + len(chunk.data)
        assert sealed.plain[chunk.offset : end] == chunk.data, f"{label}: false plaintext"


def header_flips_refused(sealed: Sealed, bit: int) -> int:
    """One bit of each byte of the header; how many were tried."""
    header = bytearray(sealed.data[:HEADER_SIZE])
    for place in range(HEADER_SIZE):
        header[place] ^= 1 << (place + bit) % 8
        try:
            opener.open_header(bytes(header), KEY.unwrap, what="disk-0.dws")
        except SecretError:
            pass
        else:
            raise AssertionError(f"byte {place} of the header was flipped and nobody saw it")
        header[place] ^= 1 << (place + bit) % 8
    return HEADER_SIZE


def payload_flips_refused(sealed: Sealed, *, random_places: int, seed: int) -> int:
    """The payload header, both edges of each segment, and random places; how many were tried."""
    draw = random.Random(seed)
    changed = bytearray(sealed.data)
    places = list(_edge_places(sealed))
    places += [draw.randrange(HEADER_SIZE, len(changed)) for _ in range(random_places)]
    for place in places:
        mask = 1 << draw.randrange(8)
        changed[place] ^= mask
        refused(sealed, changed, f"byte {place} flipped")
        changed[place] ^= mask
    assert open_bytes(changed) == sealed.plain
    return len(places)


def _edge_places(sealed: Sealed) -> Iterator[int]:
    yield from range(HEADER_SIZE, HEADER_SIZE + PAYLOAD_HEADER_SIZE)
    for start, end in pairwise(sealed.borders[2:]):
        yield from range(start, start + _EDGE)
        yield from range(end - _EDGE, end)


def rearranged(sealed: Sealed) -> Iterator[tuple[str, bytes]]:
    """Cut, longer, and with segments or headers that belong elsewhere."""
    data, borders = sealed.data, sealed.borders
    for border in borders:
        for cut in {max(0, border - 1), border, border + 1} - {len(data)}:
            if cut < len(data):
                yield f"cut at {cut}", data[:cut]
    yield "one byte longer", data + b"\0"
    yield "a segment longer", data + sealed.segments[1]
    yield "zeros behind it", data + bytes(SEGMENT_SIZE)
    head = data[: borders[2]]
    first, second, third = sealed.segments
    orders = {
        "second and third swapped": (first, third, second),
        "first and second swapped": (second, first, third),
        "second repeated": (first, second, second, third),
        "third repeated": (first, second, third, third),
        "second dropped": (first, third),
        "first dropped": (second, third),
        "third dropped": (first, second),
        "none left": (),
    }
    for label, segments in orders.items():
        yield label, head + b"".join(segments)
    others = {
        "another disk of the same image": seal_bytes(sealed.plain, disk=1),
        "another seal, same data key": seal_bytes(sealed.plain, seal=OTHER_SEAL),
        "another image": seal_bytes(sealed.plain, seal=OTHER_SEAL, data_key=OTHER_DATA_KEY),
        "same seal, another data key": seal_bytes(sealed.plain, data_key=OTHER_DATA_KEY),
    }
    for label, other in others.items():
        yield f"header of {label}", other[:HEADER_SIZE] + data[HEADER_SIZE:]
    salted = seal_bytes(sealed.plain, salt=bytes(32))
    at = HEADER_SIZE + SEGMENT_SIZE
    yield (
        "payload header of another payload",
        data[:HEADER_SIZE]
        + salted[HEADER_SIZE:][:PAYLOAD_HEADER_SIZE]
        + data[HEADER_SIZE + PAYLOAD_HEADER_SIZE :],
    )
    yield (
        "second segment of another payload",
        data[:at] + salted[at:][:SEGMENT_SIZE] + data[at + SEGMENT_SIZE :],
    )
