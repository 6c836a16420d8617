"""Where sfdisk and blkid see another thing than we do in images that others made, and why both may.

`-` what only they see, `+` what only we see; 0 is the whole disk.
"""

from __future__ import annotations

# Types that blkid knows and we have no name for: no guest of a cloud has its root on one, and a
# place without a known file system is told as that.
UNTOLD = frozenset(
    {
        "VMFS",
        "adaptec_raid_member",
        "bcache",
        "bfs",
        "cramfs",
        "drbdmanage_control_volume",
        "gfs2",
        "hfs",
        "hpt45x_raid_member",
        "jmicron_raid_member",
        "linux_raid_member",
        "lsi_mega_raid_member",
        "minix",
        "nilfs2",
        "nss",
        "nvidia_raid_member",
        "promise_fasttrack_raid_member",
        "reiserfs",
        "romfs",
        "silicon_medley_raid_member",
        "ubi",
        "ubifs",
        "udf",
        "ufs",
        "via_raid_member",
        "vxfs",
        "xfs_external_log",
        "zfs_member",
    }
)

_CODE = (
    "sfdisk takes the code of a file system's boot sector for a table; its end is far past the disk"
)
_DATE = "blkid makes a UUID of an ISO's date of creation; fstab can't name it by one"
_NAME = "blkid prefers Joliet's name of the volume; we tell the one of ISO 9660"

PUBLIC: dict[str, tuple[list[str], str]] = {
    "dfvfs-iso9660.raw": (
        ["- 0: iso9660 2022-09-17-06-11-15-00 CDROM", "+ 0: iso9660 - CDROM"],
        _DATE,
    ),
    "dfvfs-windows_volume.qcow2": (
        [
            "- 1: 3368740352+981938215424 70 2052474d-01",
            "- 2: 1000064833024+931110868480 43 2052474d-02",
            "- 3: 115576455680+5120 72 2052474d-03",
            "- 4: 1352914698240+26567680 00 2052474d-04",
            "+ 0: ntfs 1066467111C40DAF",
        ],
        _CODE,
    ),
    "plaso-vsstest.qcow2": (
        [
            "- 1: 991369929728+940040404992 4f 6e697373-01",
            "- 2: 981938215424+278751791616 73 6e697373-02",
            "- 3: 931110868480+278617669632 2b 6e697373-03",
            "- 4: 1456396571648+28146688 61 6e697373-04",
            "+ 0: ntfs C45E30FD5E30EA36 vsstest",
        ],
        _CODE,
    ),
    "util-linux-bitlocker-win7.img.xz": (
        [
            "- 1: 1034834472960+1034834472960 78 78787878-01",
            "- 2: 1034834472960+1034834472960 78 78787878-02",
            "- 3: 2199005491200+2199023255040 78 78787878-03",
            "- 4: 2199023255040+378997440000 ff 78787878-04",
            "+ 0: BitLocker",
        ],
        _CODE,
    ),
    "util-linux-erofs-minix-magic.img.xz": (
        ["- 0: ambivalent"],
        "EROFS and minix: blkid chooses none, and we know neither",
    ),
    "util-linux-exfat.img.xz": (
        [
            "- 1: 2199023255040+2199023255040 ff 00000000-01",
            "- 2: 2199023255040+2199023255040 ff 00000000-02",
            "- 3: 2199023255040+2199023255040 ff 00000000-03",
            "- 4: 2199023255040+378997440000 ff 00000000-04",
            "+ 0: exfat 9C23-8877",
        ],
        _CODE,
    ),
    "util-linux-fat.img.xz": (
        [
            "- 1: 0+1474560 01 00000000-01 active",
            "- 1: vfat DEAD-BEEF TEST-FAT",
            "+ 0: vfat DEAD-BEEF TEST-FAT",
        ],
        "a floppy whose boot sector names itself as a partition: the kernel sees a file system",
    ),
    "util-linux-hpfs.img.xz": (
        [
            "- 1: 60130859520+645933735424 72 726f7272-01",
            "- 2: 678850496512+680826021376 4f 726f7272-02",
            "- 3: 0+0 00 726f7272-03",
            "- 3: hpfs 3BC2-32D5 P01 S16A",
        ],
        _CODE,
    ),
    "util-linux-iso-different-iso-joliet-label.img.xz": (
        ["- 0: iso9660 - Joliet Label", "+ 0: iso9660 - ISO_LABEL"],
        _NAME,
    ),
    "util-linux-iso-multi-0-174-348-genisoimage.img.xz": (
        ["- 0: iso9660 2020-11-07-23-16-51-00 first session", "+ 0: iso9660 - first session"],
        _DATE,
    ),
    "util-linux-iso-unicode-long-label.img.xz": (
        [
            "- 0: iso9660 - NaM-CM-/ve and very lOOOOOOOONG_LABEL",
            "+ 0: iso9660 - NA_VE_AND_VERY_LOOOOOOOONG_LABEL",
        ],
        _NAME,
    ),
    "util-linux-iso.img.xz": (
        ["- 0: iso9660 2009-09-24-10-34-40-00 IsoVolumeName", "+ 0: iso9660 - IsoVolumeName"],
        _DATE,
    ),
    "util-linux-jbd.img.xz": (
        [
            "- 0: jbd 0d7a07df-7b06-4829-bce7-3b9c3ece570c",
            "+ 0: ext 0d7a07df-7b06-4829-bce7-3b9c3ece570c",
        ],
        "the journal of an ext file system on a device of its own: it has that one's superblock",
    ),
    "util-linux-squashfs3.img.xz": (
        ["- 0: squashfs3", "+ 0: squashfs"],
        "its version is no type of its own to us",
    ),
    "util-linux-swap-luks.img.xz": (
        [
            "- 0: crypto_LUKS 50ffda46-521f-4463-a4a8-3c85bd250a25",
            "+ 0: swap 0eb5f96f-188d-4d61-9e9c-d89ce8206846",
        ],
        "a swap area where LUKS2 was: of that only the second header is left",
    ),
    "util-linux-sun.img.xz": (
        ["- 1: 0+44738560 83", "- 2: 44738560+22369280 82", "- 3: 0+67107840 5"],
        "a table of SPARC machines, which we do not read: no cloud has them",
    ),
    "util-linux-udf-multi-0-417-834-genisoimage.img.xz": (
        ["- 0: udf 5fa71e760000246c first session", "+ 0: iso9660 - first session"],
        "a bridge disc is both; we name the one that a server reads without a driver for UDF",
    ),
}
