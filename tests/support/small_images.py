"""Small QED, qcow version 1 and Parallels files, and LUKS headers: good, but for what is asked."""

from __future__ import annotations

import hashlib
import json
import struct


def placed(size: int, *parts: tuple[int, bytes]) -> bytes:
    content = bytearray(size)
    for at, data in parts:
        content[at : at + len(data)] = data
    return bytes(content[:size])


def table(order: str, code: str, entries: list[int]) -> bytes:
    return struct.pack(f"{order}{len(entries)}{code}", *entries)


def qed(
    *,
    cluster=4096,
    table_clusters=2,
    header_clusters=1,
    features=0,
    l1_offset=None,
    size=1 << 20,
    backing=b"",
    backing_at=100,
    backing_length=None,
    l1=None,
    l2=None,
    clusters=8,
) -> bytes:
    """In clusters: header, L1 table (2), L2 table (2), data at 5, 6 and 7."""
    header = struct.pack(
        "<4sIIIQQQQQII",
        b"QED\0",
        cluster,
        table_clusters,
        header_clusters,
        features,
        0,
        0,
        cluster if l1_offset is None else l1_offset,
        size,
        backing_at if backing else 0,
        len(backing) if backing_length is None else backing_length,
    )
    return placed(
        clusters * cluster,
        (0, header),
        (backing_at, backing),
        (cluster, table("<", "Q", [3 * cluster] if l1 is None else l1)),
        (3 * cluster, table("<", "Q", [5 * cluster, 1, 0, 6 * cluster] if l2 is None else l2)),
        (5 * cluster, b"x" * 3 * cluster),
    )


def qcow1(
    *,
    version=1,
    cluster_bits=9,
    l2_bits=6,
    crypt=0,
    size=32768,
    l1_offset=48,
    backing=b"",
    backing_at=200,
    backing_length=None,
    l1=None,
    l2=None,
    clusters=6,
) -> bytes:
    """In clusters: header and L1 table, L2 table, data at 2 to 5."""
    cluster = 1 << cluster_bits
    header = b"QFI\xfb" + struct.pack(
        ">IQIIQBBHIQ",
        version,
        backing_at if backing else 0,
        len(backing) if backing_length is None else backing_length,
        0,
        size,
        cluster_bits,
        l2_bits,
        0,
        crypt,
        l1_offset,
    )
    return placed(
        clusters * cluster,
        (0, header),
        (backing_at, backing),
        (48, table(">", "Q", [cluster] if l1 is None else l1)),
        (cluster, table(">", "Q", [3 * cluster, 0, 2 * cluster] if l2 is None else l2)),
        (2 * cluster, b"x" * 4 * cluster),
    )


def packed(cluster_bits: int, offset: int, length: int) -> int:
    """The L2 entry of a compressed cluster of qcow version 1."""
    return 1 << 63 | length << (63 - cluster_bits) | offset


def parallels(
    *,
    magic=b"WithouFreSpacExt",
    version=2,
    tracks=2,
    entries=8,
    sectors=16,
    in_use=0,
    data_offset=2,
    flags=0,
    extension=0,
    bat=None,
    clusters=5,
) -> bytes:
    """In clusters of 1 KiB: header and table, data at 1 to 4."""
    header = struct.pack(
        "<16sIIIIIQIIIQ",
        magic,
        version,
        16,
        4,
        tracks,
        entries,
        sectors,
        in_use,
        data_offset,
        flags,
        extension,
    )
    return placed(
        clusters * 1024,
        (0, header),
        (64, table("<", "I", [3, 0, 1] if bat is None else bat)),
        (1024, b"x" * 4 * 1024),
    )


def luks1(
    *,
    version=1,
    cipher=b"aes",
    mode=b"xts-plain64",
    payload=4,
    key_bytes=32,
    slots=((0x00AC71F3, 2, 10),),
    size=4096,
) -> bytes:
    """`slots`: (active, offset in sectors, stripes); the others are free."""
    header = struct.pack(
        ">6sH32s32s32sII20s32sI40s",
        b"LUKS\xba\xbe",
        version,
        cipher,
        mode,
        b"sha256",
        payload,
        key_bytes,
        b"",
        b"",
        1000,
        b"3773cd91-09ce-46cb-9e78-1843c1805c13",
    )
    free = [(0x0000DEAD, 2, 10)] * (8 - len(slots))
    for active, offset, stripes in [*slots, *free]:
        header += struct.pack(">II32sII", active, 1000, b"", offset, stripes)
    return placed(size, (0, header))


LUKS2_JSON = {
    "keyslots": {"0": {"type": "luks2"}, "3": {"type": "luks2"}},
    "segments": {"0": {"type": "crypt", "offset": "32768", "encryption": "aes-xts-plain64"}},
}


def luks2(
    *,
    header_bytes=16384,
    metadata=LUKS2_JSON,
    area=None,
    name=b"sha256",
    offset=0,
    size=32768,
    wrong=0,
) -> bytes:
    """A header with the checksum that belongs to it, or one that is `wrong` in its first byte."""
    fields = struct.pack(
        ">6sHQQ48s32s64s40s48sQ",
        b"LUKS\xba\xbe",
        2,
        header_bytes,
        7,
        b"a label",
        name,
        b"",
        b"202265fe-9842-4c2d-ac9b-aba1b05deb63",
        b"",
        offset,
    )
    text = json.dumps(metadata).encode() if area is None else area
    whole = placed(min(header_bytes, 1 << 22), (0, fields), (4096, text))
    digest = bytearray(hashlib.new(name.decode("ascii", "replace") or "sha256", whole).digest())
    digest[0] ^= wrong
    return placed(size, (0, whole), (448, bytes(digest)))
