"""Seals and opens bytes in memory through the project's own code, and holds chunks to contract."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from diskwright.adapters.kms_local import LocalKey
from diskwright.envelope import header, opener, recipients
from diskwright.envelope.sealer import seal_chunks
from diskwright.envelope.stream import SegmentSealer
from diskwright.model.stored import LATE_LIMIT, Chunk

SEAL = "0190b0f4-6a3e-7c51-9d2b-3f8e5a6b7c8d"
DATA_KEY = bytes(range(32))
SALT = bytes(range(100, 132))
PREFIX = bytes(range(200, 207))
KEY = LocalKey("local:test.json", "6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b", bytes(range(64, 96)))


def make_header(
    plain_size: int, *, data_key: bytes = DATA_KEY, seal: str = SEAL, disk: int = 0
) -> tuple[bytes, bytes]:
    """The encoded header and its J1."""
    j1 = header.DiskSeal(seal=seal, disk=disk, format="raw", virtual_size=plain_size).encode()
    wrapped = KEY.wrap(data_key, header.context_bytes(seal))
    return header.encode(j1, [recipients.recipient_of(wrapped)], data_key), j1


def seal_bytes(
    plain: bytes,
    *,
    chunks: Iterable[Chunk] | None = None,
    data_key: bytes = DATA_KEY,
    seal: str = SEAL,
    disk: int = 0,
    salt: bytes = SALT,
    prefix: bytes = PREFIX,
) -> bytes:
    """A sealed disk of `plain`, which comes as `chunks` or else as one."""
    head, j1 = make_header(len(plain), data_key=data_key, seal=seal, disk=disk)
    sealer = SegmentSealer(data_key, j1, salt=salt, prefix=prefix)
    source = iter([Chunk(0, plain)] if chunks is None else chunks)
    return assemble(seal_chunks(source, header=head, sealer=sealer))


def open_bytes(sealed: bytes | bytearray, *, released: list[Chunk] | None = None) -> bytes:
    """The plaintext. What left before an error is kept in `released`."""
    view = bytes(sealed[: header.HEADER_SIZE])
    opened = opener.open_header(view, KEY.unwrap, what="disk-0.dws")

    def read(offset: int, length: int) -> bytes:
        return bytes(sealed[offset : offset + length])

    disk = opener.SealedDisk(read, len(sealed), opened, what="disk-0.dws")
    got = [] if released is None else released
    for chunk in disk.chunks():
        got.append(chunk)
    return b"".join(chunk.data for chunk in got)


def assemble(chunks: Iterator[Chunk]) -> bytes:
    """What a sink makes of `chunks`; asserts the order that `Chunk` promises."""
    output = bytearray()
    position, late = 0, 0
    for chunk in chunks:
        end = chunk.offset + len(chunk.data)
        if chunk.offset < position:
            assert late <= chunk.offset, "late chunks come forward too"
            assert end <= LATE_LIMIT, "only the beginning may come late"
            late = end
        else:
            assert not late, "nothing comes after the late chunks"
            position = end
        output.extend(bytes(max(0, end - len(output))))
        output[chunk.offset : end] = chunk.data
    return bytes(output)
