"""LVM2 physical volumes made byte by byte, for what lvm2 itself does not write."""

from __future__ import annotations

import struct
import zlib

SECTOR = 512
EXTENT = 64 << 10
AREA = 4096  # where the metadata area begins
FIRST_EXTENT = 128 << 10

GROUP_ID = "GROUP0-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa"
PV_IDS = ("PVzero-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa", "PVuno1-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa")


def volume_id(name: str) -> str:
    return f"{name.replace('-', '')[:6]:0<6}-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb"


def crc(data: bytes) -> int:
    return zlib.crc32(data, 0xF597A6CF ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def segment(start: int, count: int, *stripes: tuple[str, int], size: int = 0) -> str:
    """Extents; `size` of a stripe in sectors."""
    places = ", ".join(f'"{pv}", {at}' for pv, at in stripes)
    turn = f"stripe_size = {size}\n" if size else ""
    return (
        f"start_extent = {start}\nextent_count = {count}\n"
        f'type = "striped"\nstripe_count = {len(stripes)}\n{turn}stripes = [ {places} ]\n'
    )


def other(kind: str, count: int = 1, more: str = "") -> str:
    """A segment of another type."""
    return f'start_extent = 0\nextent_count = {count}\ntype = "{kind}"\n{more}'


def volume(name: str, *segments: str, status: str = '"READ", "WRITE", "VISIBLE"') -> str:
    parts = "".join(f"segment{i} {{\n{text}}}\n" for i, text in enumerate(segments, start=1))
    return (
        f'{name} {{\nid = "{volume_id(name)}"\nstatus = [{status}]\nflags = []\n'
        f"segment_count = {len(segments)}\n{parts}}}\n"
    )


def group(
    *volumes: str,
    name: str = "vg0",
    uuid: str = GROUP_ID,
    seqno: int = 7,
    pvs: tuple[str, ...] = PV_IDS[:1],
    extents: int = 16,
    extent_size: int = EXTENT // SECTOR,
    status: str = '"RESIZEABLE", "READ", "WRITE"',
) -> str:
    described = "".join(
        f'pv{i} {{\nid = "{pv}"\ndevice = "/dev/sda{i}" # a hint\nflags = []\n'
        f"pe_start = {FIRST_EXTENT // SECTOR}\npe_count = {extents}\n}}\n"
        for i, pv in enumerate(pvs)
    )
    return (
        f'{name} {{\nid = "{uuid}"\nseqno = {seqno}\nstatus = [{status}]\n'
        f"extent_size = {extent_size}\nphysical_volumes {{\n{described}}}\n"
        f"logical_volumes {{\n{''.join(volumes)}}}\n}}\n"
        '# made by a test\ncontents = "Text Format Volume Group"\nversion = 1\n'
        'description = "a \\"quoted\\" \\\\ word"\n'
    )


def pv(
    text: str | None,
    *,
    uuid: str = PV_IDS[0],
    extents: int = 16,
    area: int = 64 << 10,
    at: int = SECTOR,
    label_sector: int = 1,
    keeps_metadata: bool = True,
) -> bytearray:
    """A physical volume of so many extents. `text` stands `at` in its ring, NUL-ended."""
    disk = bytearray(FIRST_EXTENT + extents * EXTENT)
    raw = b"" if text is None else text.encode() + b"\0"
    header = uuid.replace("-", "").encode() + struct.pack("<Q", len(disk))
    header += struct.pack("<QQQQ", FIRST_EXTENT, 0, 0, 0)
    header += struct.pack("<QQ", AREA, area) * keeps_metadata + bytes(16)
    checked = (struct.pack("<I8s", 32, b"LVM2 001") + header).ljust(SECTOR - 20, b"\0")
    label = struct.pack("<8sQI", b"LABELONE", label_sector, crc(checked)) + checked
    disk[label_sector * SECTOR : (label_sector + 1) * SECTOR] = label
    if keeps_metadata:
        place = struct.pack("<QQII", at if raw else 0, len(raw), crc(raw), 0)
        rest = (struct.pack("<16sIQQ", b" LVM2 x[5A%r0N*>", 1, AREA, area) + place).ljust(
            508, b"\0"
        )
        disk[AREA : AREA + SECTOR] = struct.pack("<I", crc(rest)) + rest
        for i, byte in enumerate(raw):  # round the ring, which leads back behind its header
            where = at + i
            disk[AREA + (where if where < area else where - area + SECTOR)] = byte
    return disk


def fill(disk: bytearray, extent: int, data: bytes) -> None:
    """Put `data` into the physical volume's extents from `extent` on."""
    start = FIRST_EXTENT + extent * EXTENT
    disk[start : start + len(data)] = data
