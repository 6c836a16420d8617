"""From a boot loader's idea of devices and paths to paths from the guest's root."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from diskwright._values import Struct, field
from diskwright.guest.devices import DiskNames
from diskwright.guest.grub import GrubPath
from diskwright.guest.reading import GuestReadError
from diskwright.guest.subvolumes import in_subvolumes
from diskwright.guest.tree import GuestTree

_MOUNT = "mount:"
_PARTITION = re.compile(r"hd\d+,(?:[a-z]+)?(\d{1,4})")


def below(mount_point: str, path: str) -> GrubPath:
    """A path on the file system that is mounted there; `..` does not leave it."""
    return GrubPath(_MOUNT + mount_point, posixpath.normpath("/" + path.lstrip("/")))


class BootPaths(Struct, frozen=True):
    """`mounts`: mount points by index of file system; `subvolumes`: of a btrfs, also by what is
    mounted; `xbootldr_mount`: where the extended boot loader partition is."""

    tree: GuestTree
    disk: DiskNames
    mounts: Mapping[int, str]
    xbootldr_mount: str | None = None
    subvolumes: Mapping[int, Mapping[str, str]] = field(default_factory=dict)

    def resolve(self, where: GrubPath) -> tuple[str, bool | None]:
        """The path from the guest's root, and whether that is a file (None: can't be told)."""
        if self._is_out_of_sight(where.device):
            return "/" + where.path.lstrip("/"), None
        candidates = self._candidates(where)
        for path in candidates:
            try:
                if self.tree.is_file(path):
                    return path, True
            except GuestReadError:
                return path, None
        return candidates[0], False

    def device_on_disk(self, device: str) -> bool | None:
        """Whether a searched device (`uuid:…`, `label:…`) is on this disk."""
        kind, _, value = device.partition(":")
        return self.disk.has(f"{kind.upper()}={value}") if kind in ("uuid", "label") else None

    def mount_above(self, path: str) -> str:
        """The mount point of the file system that a path of the guest is on."""
        above = [m for m in self.mounts.values() if path.startswith(m.rstrip("/") + "/")]
        return max(above, key=len, default="/")

    def _candidates(self, where: GrubPath) -> list[str]:
        """Where the device is known, the path on it alone: a file of that name elsewhere is
        another file. Else where such files usually lie."""
        path = "/" + where.path.lstrip("/")
        base = self._mount_of(where.device)
        usual = [path, f"/boot{path}"] if base is None else [base.rstrip("/") + path]
        if where.device.startswith(_MOUNT):
            return usual
        index = self._index_of(where.device)
        trees = self.subvolumes.values() if index is None else [self.subvolumes.get(index, {})]
        return [*(place for mounts in trees for place in in_subvolumes(path, mounts)), *usual]

    def _is_out_of_sight(self, device: str) -> bool:
        """Whether the device is on this disk, and mounted nowhere in the guest."""
        index = self._index_of(device)
        return index is not None and index not in self.mounts

    def _mount_of(self, device: str) -> str | None:
        if device.startswith(_MOUNT):
            return device.removeprefix(_MOUNT)
        index = self._index_of(device)
        return self.mounts.get(index) if index is not None else None

    def _index_of(self, device: str) -> int | None:
        """Which file system of this disk it is."""
        index: int | None = None
        kind, colon, value = device.partition(":")
        if colon and kind in ("uuid", "label"):
            index = self.disk.find(f"{kind.upper()}={value}")
        match = _PARTITION.fullmatch(device)
        if match:
            index = self._on_partition(int(match[1]))
        if device.startswith(("lvm/", "lvmid/")):
            index = self._on_volume(device)
        return index

    def _on_partition(self, number: int) -> int | None:
        filesystems = enumerate(self.disk.filesystems)
        return next((i for i, fs in filesystems if fs.partition == number), None)

    def _on_volume(self, device: str) -> int | None:
        """GRUB 2.06, grub-core/disk/diskfilter.c: `lvm/vg0-root`, `lvmid/` and both UUIDs."""
        kind, _, value = device.partition("/")
        if kind == "lvm":
            return self.disk.on_volume(f"/dev/mapper/{value}")
        names = (volume.name for volume in self.disk.volumes if volume.uuid == value)
        return self.disk.on_volume(next(names, ""))
