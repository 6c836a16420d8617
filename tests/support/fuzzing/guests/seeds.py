"""Good disks with guests, by what of them is changed; the same bytes in every run."""

from __future__ import annotations

import lzma
import os
import pickle
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

from support.fuzzing.guests import makers, sums
from support.fuzzing.guests.disk import Disk, gpt, linear, logical, mbr, striped
from support.fuzzing.guests.seed import GuestSeed, asked, seed
from support.fuzzing.guests.slots import slots
from support.fuzzing.guests.tree import (
    ESP_ID,
    PACKERS,
    ROOT_ID,
    VERSION,
    Files,
    boot_files,
    debian,
    rhel,
    root_fstab,
)
from support.guest_disks import FIXTURES
from support.lvm_maker import FIRST_EXTENT

K = 1024
KEPT = "FUZZ_SEEDS"  # in the environment: a folder where a run keeps what it has made once
_SUBVOLUMES = FIXTURES / "btrfs-subvolumes.raw.xz"
_SMALL = ("-t", "ext2", "-b", "1024")
_STUB = (
    f"search.fs_uuid {ROOT_ID} root\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n"
)
_EFI: Files = {
    "/EFI/BOOT/BOOTX64.EFI": b"MZ" + bytes(200),
    "/EFI/debian/grubx64.efi": b"MZ" + bytes(200),
    "/EFI/debian/grub.cfg": _STUB.encode(),
}
_MANY: Files = {
    f"/usr/lib/systemd/system/unit-{i:02d}-with-a-longer-name.service": b"" for i in range(60)
}


def _esp() -> bytes:
    return bytes(makers.fat(_EFI, "-F", "12", size=128 * K))


def _tables() -> list[GuestSeed]:
    esp = _esp()
    fstab = root_fstab(f"UUID={ROOT_ID}", "ext2", f"UUID={ESP_ID} /boot/efi vfat umask=0077 0 1")
    root = bytes(makers.ext(debian(fstab), *_SMALL, size=512 * K))
    parts = (("esp", esp), ("linux", root))
    found = []
    for disk, sector in (
        (logical(*parts), 0),
        (gpt(*parts), 512),
        (gpt(*parts, sector=4096), 4096),
    ):
        outside = _between(disk)
        checked = sums.gpt_headers(disk.data, sector) if sector else ()
        found.append(seed(disk, within=outside, sums=checked))
    return found


def _between(disk: Disk) -> list[tuple[int, int]]:
    """What belongs to no partition."""
    ends = [0, *(place for part in disk.parts for place in part), len(disk.data)]
    return list(zip(ends[::2], ends[1::2], strict=True))


def _ext() -> list[GuestSeed]:
    shadow = b"root:$6$salt$hash:19000:0:99999:7:::\nme::19000::::::\n"
    replayed = [("/etc/shadow", shadow.ljust(K, b"\n"))]
    files = {**debian(), **_MANY}
    four = ("-t", "ext4", "-b", "1024", "-O")
    systems = [
        makers.ext(files, *_SMALL),
        makers.ext(files, "-t", "ext3", "-b", "1024", "-J", "size=1", size=3 << 20),
        makers.ext(files, *four, "extent,^has_journal,metadata_csum,64bit,inline_data"),
        makers.ext(
            files, *four, "extent,metadata_csum,64bit", "-J", "size=1", size=3 << 20, after=replayed
        ),
        makers.ext(
            files, *four, "extent,^metadata_csum", "-J", "size=1", size=3 << 20, after=replayed
        ),
        makers.ext(files, "-t", "ext4", "-b", "4096", "-O", "extent,^has_journal", size=2 << 20),
    ]
    found = []
    for content in systems:
        disk = mbr(("linux", bytes(content)))
        found.append(
            seed(disk, within=disk.parts, sums=sums.ext_blocks(disk.data, disk.parts[0][0]))
        )
    return found


def _xfs() -> list[GuestSeed]:
    known = f"uuid={ROOT_ID}"
    files = {**debian(root_fstab(kind="xfs")), **_MANY}
    systems = [
        makers.xfs(files, "-m", known),
        makers.xfs(files, "-m", known, "-b", "size=1024"),
        makers.xfs({**rhel(), **_MANY}, "-m", f"crc=0,{known}"),
    ]
    found = []
    for content in systems:
        disk = mbr(("linux", bytes(content)))
        (start, _), within = disk.parts[0], disk.parts
        touched = sorted({at - at % 512 for at, _ in asked(disk.data, within)})
        found.append(seed(disk, within=within, sums=sums.xfs_blocks(disk.data, start, touched)))
    return found


def _btrfs() -> list[GuestSeed]:
    """One whose sums are put right, one whose sums are of a kind that is not looked at, and one
    with subvolumes, which Linux wrote."""
    files = {**debian(root_fstab(kind="btrfs")), **_MANY}
    systems = [makers.btrfs(files, *options) for options in ((), ("--csum", "xxhash"))]
    systems.append(bytearray(lzma.decompress(_SUBVOLUMES.read_bytes())))
    found = []
    for content in systems:
        disk = mbr(("linux", bytes(content)))
        ((start, _),) = within = disk.parts
        touched = sorted({at - (at - start) % 4096 for at, _ in asked(disk.data, within)})
        found.append(seed(disk, within=within, sums=sums.btrfs_blocks(disk.data, touched)))
    return found


def _fat() -> list[GuestSeed]:
    """What is started lies on FAT: by GRUB in a folder, or by systemd-boot with its entries."""
    entry = (
        f"title Debian\nversion {VERSION}\nlinux /vmlinuz-{VERSION}\n"
        f"initrd /initrd.img-{VERSION}\noptions root=UUID={ROOT_ID} ro\n"
    )
    boot = {**boot_files(prefix=""), **_EFI, "/loader/loader.conf": b"default debian*\n"}
    boot["/loader/entries/debian-with-a-longer-name.conf"] = entry.encode()
    menu = {"/grub/grub.cfg": debian(device=ESP_ID, boot="")["/boot/grub/grub.cfg"]}
    fstab = root_fstab(f"UUID={ROOT_ID}", "ext2", f"UUID={ESP_ID} /boot vfat umask=0077 0 1")
    root = bytes(makers.ext(debian(fstab), *_SMALL, size=512 * K))
    systems = [
        makers.fat({**boot, **menu}, "-F", "12", size=256 * K),
        makers.fat(boot, "-F", "16", "-s", "1", size=2300 * K),
        makers.fat32(boot),
    ]
    disks = [mbr(("esp", bytes(content)), ("linux", root)) for content in systems]
    return [seed(disk, within=disk.parts[:1]) for disk in disks]


def _ntfs() -> list[GuestSeed]:
    """As /boot of a Linux, without folders; and a whole guest, where FUSE can be had."""
    serial = makers.NTFS_ID
    fstab = root_fstab(
        f"UUID={ROOT_ID}",
        "ext2",
        f"UUID={serial} /boot ntfs ro 0 0",
        f"UUID={ESP_ID} /boot/grub vfat ro 0 0",
    )
    files = debian(fstab, device=serial, boot="")
    menu = makers.fat({"/grub.cfg": files["/boot/grub/grub.cfg"]}, "-F", "12", size=64 * K)
    root = bytes(makers.ext(files, *_SMALL, size=512 * K))
    boot = bytes(makers.ntfs(boot_files(prefix="")))
    disks = [mbr(("ntfs", boot), ("linux", root), ("esp", bytes(menu)))]
    fstab = root_fstab(f"UUID={serial}", "ntfs")
    whole = makers.ntfs_mounted({**debian(fstab, device=serial), **_MANY})
    if whole is not None:
        disks.append(mbr(("ntfs", bytes(whole))))
    return [seed(disk, within=disk.parts[:1]) for disk in disks]


def _lvm() -> list[GuestSeed]:
    fstab = root_fstab("/dev/mapper/vg0-root", "ext2")
    root = bytes(makers.ext(debian(fstab), *_SMALL))
    plain, (one, two) = linear(root), striped(root)
    disks = [gpt(("lvm", plain)), mbr(("lvm", plain)), mbr(("lvm", one), ("lvm", two))]
    found = []
    for disk in disks:
        heads = [(start, start + FIRST_EXTENT) for start, _ in disk.parts]
        checked = [one for start, _ in heads for one in sums.lvm_blocks(disk.data, start)]
        found.append(seed(disk, within=heads, sums=checked))
    return found


def _files() -> list[GuestSeed]:
    """An initramfs in each compression, and guests of two styles, on ext2."""
    found = []
    for number, packing in enumerate(PACKERS):
        style = rhel(packing=packing) if number % 2 else debian(packing=packing)
        content, places = slots(style)
        disk = mbr(("linux", bytes(content)))
        at = disk.parts[0][0]
        found.append(seed(disk, slots=[place.moved(at) for place in places], packing=packing))
    return found


GUESTS: dict[str, Callable[[], list[GuestSeed]]] = {
    "guest-tables": _tables,
    "guest-ext": _ext,
    "guest-xfs": _xfs,
    "guest-btrfs": _btrfs,
    "guest-fat": _fat,
    "guest-ntfs": _ntfs,
    "guest-lvm": _lvm,
    "guest-files": _files,
}


@cache
def seeds(name: str) -> Sequence[GuestSeed]:
    """Made once; where a run says so, once for all of its processes."""
    folder = os.environ.get(KEPT)
    kept = Path(folder, name) if folder else None
    if kept is not None and kept.exists():
        found: Sequence[GuestSeed] = pickle.loads(kept.read_bytes())
        return found
    made = tuple(GUESTS[name]())
    if kept is not None:
        with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as file:
            file.write(pickle.dumps(made))
        os.rename(file.name, kept)
    return made


def prepare(names: Iterable[str]) -> None:
    """Make those of `names` that are guests, before anybody is in a hurry."""
    for name in names:
        if name in GUESTS:
            seeds(name)
