"""Which of a disk's file systems is the guest's root, and the guest's tree with all of them."""

from __future__ import annotations

from collections.abc import Sequence

from diskwright._values import Struct, field
from diskwright.guest import subvolumes
from diskwright.guest.devices import DiskNames
from diskwright.guest.filesystems.base import GuestFs
from diskwright.guest.probe import Probe
from diskwright.guest.reading import GuestReadError
from diskwright.guest.stand_in import EmptyFs, UnreadFs
from diskwright.guest.tree import GuestTree
from diskwright.model.guest import FileSystem, FstabEntry, NamedBy
from diskwright.model.partitions import PartitionRole, PartitionTable

MAX_MOUNTS = 64
NO_SYSTEM = "no file system of this disk holds an operating system"

# What makes a file system a guest's root, and how much it says
WINDOWS_SIGN = "/Windows/System32/config/SYSTEM"
_ROOT_SIGNS = {
    WINDOWS_SIGN: 4,
    "/etc/os-release": 4,
    "/usr/lib/os-release": 4,
    "/etc/fstab": 3,
    "/sbin/init": 2,
    "/usr/sbin/init": 2,
    "/bin/sh": 2,
    "/usr/bin/sh": 2,
    "/etc/passwd": 1,
}
_ENOUGH = 3
_BOOT_SIGNS = ("/grub", "/grub2", "/loader/entries", "/extlinux", "/extlinux.conf", "/syslinux")
_KERNEL_NAMES = ("vmlinuz-", "Image-", "vmlinux-")
_ESP_MOUNTS = ("/boot/efi", "/efi", "/boot")
# UAPI Discoverable Partitions Specification: Extended Boot Loader Partition
_XBOOTLDR = "bc13c2ff-59e6-4262-a352-b275fd6f7172"
_NO_TREE = frozenset({"swap"})
_NO_DEVICE = frozenset({NamedBy.PSEUDO, NamedBy.NETWORK, NamedBy.OTHER})


class Layout(Struct):
    """`mounts`: mount points by index in the list of file systems.

    `subvolumes`: of a btrfs, its mount points by what is mounted there. The ESP is at `esp_mount`
    in the tree, and also in a tree of its own: what hides /boot in the first does not hide it
    there. `xbootldr_mount` is where the extended boot loader partition is.
    """

    tree: GuestTree
    root: GuestFs
    mounts: dict[int, str] = field(default_factory=dict)
    subvolumes: dict[int, dict[str, str]] = field(default_factory=dict)
    esp_tree: GuestTree = field(default_factory=lambda: GuestTree(EmptyFs()))
    esp_mount: str | None = None
    xbootldr_mount: str | None = None


def find_root(probes: Sequence[Probe]) -> int | None:
    """The index of the file system that has most of what only a root has."""
    scores = [_best_score(probe.reader) if probe.reader else 0 for probe in probes]
    best = max(scores, default=0)
    return scores.index(best) if best >= _ENOUGH else None


def is_windows(root: GuestFs) -> bool:
    """A Linux that keeps a copy of such a file stays a Linux."""
    tree = GuestTree(root)
    others = sum(
        worth for path, worth in _ROOT_SIGNS.items() if path != WINDOWS_SIGN and _there(tree, path)
    )
    return others < _ENOUGH and _there(tree, WINDOWS_SIGN)


def why_no_root(filesystems: Sequence[FileSystem]) -> str:
    """Which file systems may be the root and are not read, or not to the end, by name."""
    unread = [
        f"{fs.place}: {fs.note if not fs.read else _not_replayed(fs)}"
        for fs in filesystems
        if (not fs.read and fs.type not in _NO_TREE) or fs.unreplayed
    ]
    if not unread:
        return NO_SYSTEM
    return "the root file system may be on " + "; or on ".join(unread)


def with_root(probes: Sequence[Probe], root: int, view: GuestFs | None = None) -> Layout:
    """Only the root, before its fstab is known: the likeliest subvolume, or `view`."""
    reader = probes[root].reader
    assert reader is not None
    reader = view or _root_view(reader)
    layout = Layout(GuestTree(reader), reader)
    _note(layout, root, "/", reader)
    return layout


def without_root(probes: Sequence[Probe], reason: str) -> Layout:
    """A guest of which at most /boot is known."""
    layout = Layout(GuestTree(EmptyFs()), EmptyFs())
    boot = next((i for i, p in enumerate(probes) if p.reader and _is_boot(p.reader)), None)
    if boot is None:
        layout.tree.mount("/boot", UnreadFs(reason))
    else:
        _mount(layout, probes, boot, "/boot")
    return layout


def mount_all(
    layout: Layout,
    probes: Sequence[Probe],
    fstab: Sequence[FstabEntry],
    names: DiskNames,
) -> None:
    """What fstab mounts, outer places first. What is not read, or not here, hides what is below."""
    places = [e for e in fstab if e.mount_point.startswith("/") and e.mount_point.strip("/")]
    for entry in sorted(places, key=lambda e: e.mount_point.count("/"))[:MAX_MOUNTS]:
        index = names.find(entry.spec)
        if index is not None:
            _mount(layout, probes, index, entry.mount_point, entry.options)
        elif entry.named_by not in _NO_DEVICE:
            layout.tree.mount(entry.mount_point, UnreadFs(f"{entry.spec} is not read"))


def mount_boot(layout: Layout, probes: Sequence[Probe]) -> None:
    """Where no fstab says so: a file system that looks like /boot, if none is there."""
    if "/boot" in layout.mounts.values():
        return
    for index, probe in enumerate(probes):
        if index not in layout.mounts and probe.reader and _is_boot(probe.reader):
            _mount(layout, probes, index, "/boot")
            return


def mount_esp(layout: Layout, probes: Sequence[Probe], table: PartitionTable | None) -> None:
    """The EFI system partition, where fstab puts it, else at the usual place."""
    partitions = table.partitions if table else ()
    esps = {p.number for p in partitions if p.role is PartitionRole.ESP}
    for index, probe in enumerate(probes):
        mounted = layout.mounts.get(index)
        by_place = probe.facts.type == "vfat" and mounted in _ESP_MOUNTS
        if probe.facts.partition in esps or by_place:
            if mounted is None:
                _mount(layout, probes, index, _ESP_MOUNTS[0])
            layout.esp_mount = layout.mounts[index]
            layout.esp_tree = _alone(layout.esp_mount, _reader(probe))
            return


def _alone(mount_point: str, reader: GuestFs) -> GuestTree:
    """A tree with nothing but this file system, which may be the root itself."""
    names = [name for name in mount_point.split("/") if name]
    if not names:
        return GuestTree(reader)
    tree = GuestTree(EmptyFs())
    for depth in range(1, len(names)):
        tree.mount("/" + "/".join(names[:depth]), EmptyFs())
    tree.mount(mount_point, reader)
    return tree


def mount_xbootldr(layout: Layout, probes: Sequence[Probe], table: PartitionTable | None) -> None:
    """Where fstab puts it, else at /boot, as systemd does."""
    numbers = {p.number for p in (table.partitions if table else ()) if p.type_id == _XBOOTLDR}
    for index, probe in enumerate(probes):
        if probe.facts.partition in numbers:
            if index not in layout.mounts and "/boot" not in layout.mounts.values():
                _mount(layout, probes, index, "/boot")
            layout.xbootldr_mount = layout.mounts.get(index)
            return


def _mount(
    layout: Layout,
    probes: Sequence[Probe],
    index: int,
    mount_point: str,
    options: Sequence[str] = (),
) -> None:
    reader = subvolumes.mounted(_reader(probes[index]), options)
    layout.tree.mount(mount_point, reader)
    _note(layout, index, mount_point, reader)


def _note(layout: Layout, index: int, mount_point: str, reader: GuestFs) -> None:
    layout.mounts.setdefault(index, mount_point)
    inside = subvolumes.path_of(reader)
    if inside is not None:
        layout.subvolumes.setdefault(index, {}).setdefault(inside, mount_point)


def _reader(probe: Probe) -> GuestFs:
    facts = probe.facts
    if probe.reader is None:
        return UnreadFs(f"{facts.place}: {facts.note}")
    if facts.unreplayed and _is_empty(probe.reader):
        return UnreadFs(f"{facts.place}: {_not_replayed(facts)}")
    return probe.reader


def _not_replayed(facts: FileSystem) -> str:
    return f"{facts.type} log not replayed"


def _is_empty(reader: GuestFs) -> bool:
    try:
        return not GuestTree(reader).names("/")
    except GuestReadError:
        return False


def can_be_root(view: GuestFs) -> bool:
    return _score(view) >= _ENOUGH


def _best_score(reader: GuestFs) -> int:
    return _score(_root_view(reader))


def _root_view(reader: GuestFs) -> GuestFs:
    """The likeliest subvolume that can be a root, where the file system has such."""
    return next(filter(can_be_root, subvolumes.views(reader)), reader)


def _score(reader: GuestFs) -> int:
    tree = GuestTree(reader)
    return sum(worth for path, worth in _ROOT_SIGNS.items() if _there(tree, path))


def _is_boot(reader: GuestFs) -> bool:
    tree = GuestTree(reader)
    if any(_there(tree, sign) for sign in _BOOT_SIGNS):
        return True
    try:
        return any(name.startswith(_KERNEL_NAMES) for name in tree.names("/"))
    except GuestReadError:
        return False


def _there(tree: GuestTree, path: str) -> bool:
    try:
        return tree.exists(path)
    except GuestReadError:
        return True  # a name that leads nowhere in time is a name
