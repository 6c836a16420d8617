"""What a partition holds, by its superblock: for what is named and not read.

Name, UUID and label are those of blkid(8), so that fstab(5) can be resolved by them.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable

from diskwright._values import Struct
from diskwright.guest.source import ByteSource
from diskwright.model.units import KIB, SECTOR


class Signature(Struct, frozen=True):
    """`size` and `free` are bytes; None: not known from here. `encrypted`: what it is closed by."""

    type: str
    uuid: str | None = None
    label: str | None = None
    size: int | None = None
    free: int | None = None
    dirty: bool | None = None
    encrypted: str = ""


_Look = Callable[[ByteSource], Signature | None]


def identify_container(source: ByteSource) -> Signature | None:
    """What holds volumes inside. It comes before all file systems: it often leaves standing the
    superblock of what was there before. None where there is none."""
    return _first(_CONTAINERS, source)


def identify_filesystem(source: ByteSource) -> Signature | None:
    """What has no reader. It comes after those that have: mke2fs leaves the signatures of swap and
    btrfs standing, while they overwrite or wipe its own."""
    return _first(_FILE_SYSTEMS, source)


def is_swap(source: ByteSource) -> bool:
    return _swap(source) is not None


def _first(looks: tuple[_Look, ...], source: ByteSource) -> Signature | None:
    return next((found for look in looks if (found := look(source)) is not None), None)


def _luks(source: ByteSource) -> Signature | None:
    """cryptsetup's LUKS1 and LUKS2 on-disk formats, binary header."""
    head = _at(source, 0, SECTOR)
    if head[:6] != b"LUKS\xba\xbe":
        return None
    version = struct.unpack_from(">H", head, 6)[0]
    label = _text(head[24:72]) if version == 2 else None
    return Signature("crypto_LUKS", _text(head[168:208]), label, encrypted=f"LUKS{version}")


def _lvm(source: ByteSource) -> Signature | None:
    """lvm2, lib/format_text/layout.h: a label in one of the first four sectors."""
    head = _at(source, 0, 4 * SECTOR)
    for at in range(0, len(head), SECTOR):
        if head[at : at + 8] == b"LABELONE" and head[at + 24 : at + 32] == b"LVM2 001":
            place = at + struct.unpack_from("<I", head, at + 20)[0]
            return Signature("LVM2_member", _lvm_uuid(head[place : place + 32]))
    return None


def _lvm_uuid(raw: bytes) -> str | None:
    text = raw.decode("ascii", "replace")
    if len(text) != 32 or not text.isalnum():
        return None
    ends = (6, 10, 14, 18, 22, 26, 32)
    return "-".join(text[a:b] for a, b in zip((0, *ends), ends, strict=False))


def _bitlocker(source: ByteSource) -> Signature | None:
    """Of a disk that stays, by its name; one that is carried about looks like a FAT but for a GUID.

    libbde, "BitLocker Drive Encryption (BDE) format", section 2.
    """
    head = _at(source, 0, SECTOR)
    if head[3:11] == b"-FVE-FS-":
        return Signature("BitLocker", encrypted="BitLocker")
    if head[3:11] == b"MSWIN4.1" and head[424:440] == _BITLOCKER_TO_GO:
        return Signature("BitLocker", encrypted="BitLocker To Go")
    return None


_BITLOCKER_TO_GO = uuid.UUID("4967d63b-2e29-4ad8-8399-f6a339e3d001").bytes_le


def _storage_spaces(source: ByteSource) -> Signature | None:
    """A member of a pool of Windows' Storage Spaces. No specification is public; that the name is
    there, is what those tell who took real ones apart."""
    return Signature("storage_spaces") if _at(source, 0, 8) == b"SPACEDB " else None


def _raid(source: ByteSource) -> Signature | None:
    """md(4), superblock versions 1.1 and 1.2."""
    for place in (0, 4 * KIB):
        head = _at(source, place, 48)
        if head[:8] == b"\xfc\x4e\x2b\xa9\x01\0\0\0":
            return Signature("linux_raid_member", str(uuid.UUID(bytes=head[16:32])))
    return None


def _swap(source: ByteSource) -> Signature | None:
    """mkswap(8): the signature ends the first page, whose size is the machine's."""
    for page in (4 * KIB, 8 * KIB, 16 * KIB, 64 * KIB):
        mark = _at(source, page - 10, 10)
        if mark == b"SWAP-SPACE":  # before Linux 2.1.117
            return Signature("swap")
        if mark == b"SWAPSPACE2":
            _, last, _, own_id, label = struct.unpack("<III16s16s", _at(source, 1024, 44))
            size = (last + 1) * page
            return Signature("swap", str(uuid.UUID(bytes=own_id)), _text(label), size)
        if mark[:9] in (b"S1SUSPEND", b"S2SUSPEND", b"ULSUSPEND"):
            return Signature("swsuspend")
    return None


def _xfs(source: ByteSource) -> Signature | None:
    """XFS Algorithms and Data Structures, "Superblocks": of one that its reader refused."""
    head = _at(source, 0, SECTOR)
    if head[:4] != b"XFSB":
        return None
    return Signature("xfs", str(uuid.UUID(bytes=head[32:48])), _text(head[108:120]))


def _btrfs(source: ByteSource) -> Signature | None:
    """The superblock at 64 KiB; a log tree is what a pulled plug leaves."""
    head = _at(source, 64 * KIB, 4 * KIB)
    if head[64:72] != b"_BHRfS_M":
        return None
    log_root, total, used = (struct.unpack_from("<Q", head, at)[0] for at in (96, 112, 120))
    own_id = str(uuid.UUID(bytes=head[32:48]))
    free = max(0, total - used)
    return Signature("btrfs", own_id, _text(head[299:555]), total, free, log_root != 0)


def _ntfs(source: ByteSource) -> Signature | None:
    head = _at(source, 0, SECTOR)
    if head[3:11] != b"NTFS    ":
        return None
    sector, sectors, serial = (
        struct.unpack_from(form, head, at)[0] for form, at in (("<H", 11), ("<Q", 40), ("<Q", 72))
    )
    return Signature("ntfs", f"{serial:016X}", size=sector * sectors)


def _exfat(source: ByteSource) -> Signature | None:
    """exFAT file system specification, section 3.1."""
    head = _at(source, 0, SECTOR)
    if head[3:11] != b"EXFAT   ":
        return None
    sectors, serial, flags = (
        struct.unpack_from(form, head, at)[0] for form, at in (("<Q", 72), ("<I", 100), ("<H", 106))
    )
    size = sectors << min(head[108], 12)
    own_id = f"{serial >> 16:04X}-{serial & 0xFFFF:04X}"
    return Signature("exfat", own_id, size=size, dirty=bool(flags & 2))


def _squashfs(source: ByteSource) -> Signature | None:
    return Signature("squashfs") if _at(source, 0, 4) == b"hsqs" else None


def _iso9660(source: ByteSource) -> Signature | None:
    """ECMA-119, section 8.4: the primary volume descriptor in sector 16."""
    head = _at(source, 32 * KIB, 72)
    return Signature("iso9660", label=_text(head[40:72])) if head[1:6] == b"CD001" else None


_CONTAINERS: tuple[_Look, ...] = (_luks, _lvm, _bitlocker, _storage_spaces, _raid)
_FILE_SYSTEMS: tuple[_Look, ...] = (_swap, _xfs, _btrfs, _ntfs, _exfat, _squashfs, _iso9660)


def _at(source: ByteSource, offset: int, length: int) -> bytes:
    """`length` bytes; zeros where the source is too short to hold them."""
    if offset + length > source.size:
        return bytes(length)
    return source.read(offset, length)


def _text(raw: bytes) -> str | None:
    """Up to the first NUL, without the padding."""
    return raw.split(b"\0", 1)[0].decode("utf-8", "backslashreplace").strip() or None
