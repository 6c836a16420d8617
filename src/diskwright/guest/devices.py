"""How a device is named in fstab, on a command line or in a boot loader, and whether it is here."""

from __future__ import annotations

import re

from diskwright._values import Struct
from diskwright.model.guest import FileSystem, NamedBy
from diskwright.model.partitions import PartitionRole, PartitionTable
from diskwright.model.volumes import Volume, mapper_name


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# fstab(5) types that stand on no device
PSEUDO_TYPES = _words("""
    autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs
    fusectl hugetlbfs mqueue none overlay proc pstore ramfs rpc_pipefs securityfs
    selinuxfs squashfs sysfs tmpfs tracefs
""")
NETWORK_TYPES = _words("""
    9p afs ceph cifs coda fuse.cephfs fuse.glusterfs fuse.s3fs fuse.sshfs glusterfs
    lustre ncpfs nfs nfs4 ocfs2 smb3 smbfs virtiofs
""")
# What holds volumes or file systems inside that can't be seen from its superblock
CONTAINERS = _words("""
    LVM2_member LVM1_member crypto_LUKS linux_raid_member bcache ddf_raid_member
    zfs_member BitLocker storage_spaces
""")
_OPAQUE = CONTAINERS | {"unknown"}

# Partitions of which somebody might expect that a file system is inside
_HOLDS_DATA = frozenset(
    {PartitionRole.LINUX, PartitionRole.LVM, PartitionRole.OTHER, PartitionRole.WINDOWS}
)

_TAGS = {
    "UUID": NamedBy.UUID,
    "LABEL": NamedBy.LABEL,
    "PARTUUID": NamedBy.PARTUUID,
    "PARTLABEL": NamedBy.PARTLABEL,
}
_LINK_FOLDERS = {
    "by-uuid": NamedBy.UUID,
    "by-label": NamedBy.LABEL,
    "by-partuuid": NamedBy.PARTUUID,
    "by-partlabel": NamedBy.PARTLABEL,
}
# folders of /dev whose names are no volume groups
_DEV_FOLDERS = _words("""
    block bus char cciss cpu disk fd ida input mapper md net shm snd
""")
_LETTER_DISK = re.compile(r"/dev/(?:[hsv]d|xvd)([a-z]{1,3})(\d{0,3})")
_NUMBER_DISK = re.compile(r"/dev/(?:nvme(\d+)n\d+|mmcblk(\d+)|nbd(\d+))(?:p(\d{1,3}))?")
_UDEV_ESCAPE = re.compile(r"\\x([0-9a-fA-F]{2})")


class DiskNames(Struct, frozen=True):
    """Everything on this disk that a name can mean."""

    filesystems: tuple[FileSystem, ...]
    table: PartitionTable | None
    volumes: tuple[Volume, ...] = ()

    def find(self, spec: str) -> int | None:
        """The index of the file system that `spec` names; None where none does."""
        kind, value = _split(spec)
        if kind in (NamedBy.UUID, NamedBy.LABEL):
            for index, fs in enumerate(self.filesystems):
                own = fs.uuid if kind is NamedBy.UUID else fs.label
                if own and (own == value or (kind is NamedBy.UUID and _same_id(own, value))):
                    return index
            return None
        if kind is NamedBy.MAPPER:
            return self.on_volume(value)
        number = self._partition(kind, value)
        for index, fs in enumerate(self.filesystems):
            if number is not None and fs.partition == number:
                return index
        return None

    def on_volume(self, name: str) -> int | None:
        """The index of the file system on the volume of that name (`/dev/mapper/…`)."""
        filesystems = enumerate(self.filesystems)
        return next((i for i, fs in filesystems if name and fs.volume == name), None)

    def has(self, spec: str, fs_type: str = "") -> bool | None:
        """Whether `spec` names something on this disk; None where that can't be told."""
        named_by = name_device(spec, fs_type)
        if named_by in (NamedBy.PSEUDO, NamedBy.NETWORK, NamedBy.OTHER):
            return None
        kind, value = _split(spec)
        if kind is NamedBy.MAPPER:
            return self._has_volume(value)
        if kind is NamedBy.DEVICE:
            return self._has_device(value)
        if kind in (NamedBy.PARTUUID, NamedBy.PARTLABEL):
            if self.table is None:
                return None
            return self._partition(kind, value) is not None
        if self.find(spec) is not None:
            return True
        return None if self._may_hide_more() else False

    def _has_volume(self, name: str) -> bool | None:
        """A volume of which a part is elsewhere does not come up, as if all of it were."""
        for volume in self.volumes:
            if volume.name == name:
                return volume.complete
        return None if self._may_hide_more() else False

    def _may_hide_more(self) -> bool:
        """File systems or volumes: in what was not read, or where nothing known was seen."""
        known = {fs.volume or fs.partition for fs in self.filesystems}
        partitions = self.table.partitions if self.table else ()
        unknown = any(p.number not in known and p.role in _HOLDS_DATA for p in partitions)
        unknown |= any(volume.name not in known for volume in self.volumes)
        return unknown or any(not fs.read and fs.type in _OPAQUE for fs in self.filesystems)

    def _partition(self, kind: NamedBy, value: str) -> int | None:
        partitions = self.table.partitions if self.table else ()
        for part in partitions:
            if kind is NamedBy.PARTUUID and part.partuuid and _same_id(part.partuuid, value):
                return part.number
            if kind is NamedBy.PARTLABEL and part.label == value:
                return part.number
        if kind is NamedBy.DEVICE:
            first, number = _device_number(value)
            if first and any(part.number == number for part in partitions):
                return number
        return None

    def _has_device(self, path: str) -> bool | None:
        """As far as names like sda1 can mean anything: the first disk is this one."""
        first, number = _device_number(path)
        if first is None:
            return None
        if not first:
            return False
        if self.table is None:
            return None
        if number is None:
            return any(fs.partition is None and fs.volume is None for fs in self.filesystems)
        return any(part.number == number for part in self.table.partitions)


def name_device(spec: str, fs_type: str = "") -> NamedBy:
    """By what `spec` names a device. A file (a swap file, a bind mount) is OTHER."""
    if fs_type in NETWORK_TYPES or spec.startswith("//"):
        return NamedBy.NETWORK
    if fs_type in PSEUDO_TYPES and not spec.startswith("/"):
        return NamedBy.PSEUDO
    kind, _ = _split(spec)
    if spec.startswith("/dev/disk/") and kind is not NamedBy.DEVICE:
        return NamedBy.BY_LINK
    if kind is NamedBy.OTHER and not spec.startswith("/"):
        return NamedBy.NETWORK if re.match(r"[^/]+:/", spec) else NamedBy.PSEUDO
    return kind


def _split(spec: str) -> tuple[NamedBy, str]:
    """What kind of name, and the value that it names by."""
    tag, equals, value = spec.partition("=")
    if equals and tag.upper() in _TAGS:
        return _TAGS[tag.upper()], value.strip("\"'")
    parts = spec.split("/")
    if parts[:3] == ["", "dev", "disk"] and len(parts) == 5:
        name = _UDEV_ESCAPE.sub(lambda m: chr(int(m[1], 16)), parts[4])
        if parts[3] == "by-id" and name.startswith("dm-name-"):
            return NamedBy.MAPPER, f"/dev/mapper/{name.removeprefix('dm-name-')}"
        # the others of by-id, and by-path, follow the hardware, like sda1
        return _LINK_FOLDERS.get(parts[3], NamedBy.DEVICE), name
    if parts[:2] == ["", "dev"]:
        if len(parts) == 4 and parts[2] == "mapper":
            return NamedBy.MAPPER, spec
        if len(parts) == 4 and parts[2] not in _DEV_FOLDERS:
            return NamedBy.MAPPER, mapper_name(parts[2], parts[3])
        if spec.startswith("/dev/md"):
            return NamedBy.OTHER, spec
        return NamedBy.DEVICE, spec
    return NamedBy.OTHER, spec


def _device_number(path: str) -> tuple[bool | None, int | None]:
    """Whether `path` is on the first disk (None: no disk's name), and its partition's number."""
    match = _LETTER_DISK.fullmatch(path)
    if match:
        return match[1] == "a", int(match[2]) if match[2] else None
    match = _NUMBER_DISK.fullmatch(path)
    if match:
        disk = next(group for group in match.groups()[:3] if group is not None)
        return int(disk) == 0, int(match[4]) if match[4] else None
    return None, None


def _same_id(one: str, other: str) -> bool:
    return one.lower() == other.lower()
