"""All the facts of what is installed on a virtual disk.

Each section is read for itself: one that can't be read is named in `unread`, and the others stay.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from diskwright._values import Struct
from diskwright.guest import layout, subvolumes
from diskwright.guest.answer import nothing_read
from diskwright.guest.boot_paths import BootPaths
from diskwright.guest.bootloader import read_bootloader
from diskwright.guest.devices import DiskNames
from diskwright.guest.esp import EspFacts, read_esp
from diskwright.guest.filesystems.btrfs import BtrfsFs
from diskwright.guest.fstab import read_fstab
from diskwright.guest.kernels import begin_kernels
from diskwright.guest.meter import Meter
from diskwright.guest.notes import Notes
from diskwright.guest.os_release import read_architecture
from diskwright.guest.partitions import read_table
from diskwright.guest.probe import Probe
from diskwright.guest.reading import GuestReadError, NotThere
from diskwright.guest.source import BUDGET_BYTES, BUDGET_CALLS, Disk, Source
from diskwright.guest.tree import GuestTree
from diskwright.guest.volumes import places_of, read_volumes
from diskwright.model.guest import (
    Bootloader,
    FstabEntry,
    GuestFacts,
    InitramfsState,
    Kernel,
    Section,
    Unread,
    default_entry,
)
from diskwright.model.image import Problem
from diskwright.model.partitions import PartitionTable
from diskwright.model.volumes import Volume

# What is read from the root file system alone
_OF_ROOT = (
    *(Section.ROOT, Section.OS, Section.FSTAB, Section.CRYPTTAB, Section.NETWORK),
    *(Section.CLOUD_INIT, Section.ACCOUNTS, Section.SSH, Section.LEFT, Section.SERVICES),
)


def inspect_guest(reader: Disk, meter: Meter | None = None) -> GuestFacts:
    """Bounded in time and memory whatever the disk holds; raises nothing of a guest's making.

    What goes wrong below the disk's bytes (a lost connection) is `Unreadable` too, and so is
    named in `unread`.
    """
    return open_guest(reader, meter=meter)[0]


def open_guest(
    reader: Disk,
    *,
    budget_bytes: int = BUDGET_BYTES,
    budget_calls: int = BUDGET_CALLS,
    meter: Meter | None = None,
) -> tuple[GuestFacts, GuestTree | None]:
    """The facts, and the guest's files for whoever reads on; None where there is no root.

    The budgets are those of both together.
    """
    source = Source(reader, budget_bytes=budget_bytes, budget_calls=budget_calls)
    notes = Notes(meter or Meter())
    notes.meter.watch(source)
    table = notes.read(Section.TABLE, lambda: read_table(source))
    if table is None:
        return nothing_read(notes.unread[0].reason), None  # not even the first sector
    with notes.meter.stage(Section.FILESYSTEMS):
        reading = read_volumes(places_of(source, table))
    return _gather(notes, table, reading.probes, reading.volumes)


def facts_of(
    table: PartitionTable | None, probes: list[Probe], volumes: tuple[Volume, ...] = ()
) -> GuestFacts:
    """What `inspect_guest` tells of a disk whose file systems were opened already."""
    return _gather(Notes(Meter()), table, probes, volumes)[0]


def _gather(
    notes: Notes, table: PartitionTable | None, probes: list[Probe], volumes: tuple[Volume, ...]
) -> tuple[GuestFacts, GuestTree | None]:
    names = DiskNames(tuple(p.facts for p in probes), table, volumes)
    root = layout.find_root(probes)
    guest = _Guest(notes, probes, names, table)
    if root is None:
        return guest.without_root(), None
    reader = probes[root].reader
    windows = reader is not None and layout.is_windows(reader)
    return guest.with_windows(root) if windows else guest.with_root(root)


Listed: TypeAlias = Callable[[], tuple[Kernel, ...] | None]
Started: TypeAlias = tuple[tuple[FstabEntry, ...] | None, str | None, Bootloader]


class _Guest(Struct):
    """Gathers the sections that stand on file systems."""

    notes: Notes
    probes: list[Probe]
    names: DiskNames
    table: PartitionTable | None

    def with_root(self, root: int) -> tuple[GuestFacts, GuestTree]:
        """Where the kernel mounts another subvolume than the likely one, that one is read."""
        before = self.notes.mark()
        place = layout.with_root(self.probes, root)
        fstab, architecture, loader = self._started(place)
        other = subvolumes.of_kernel(place.root, _default_line(loader))
        if loader.entries and other is not None and layout.can_be_root(other):
            self.notes.back_to(before)
            place = layout.with_root(self.probes, root, other)
            fstab, architecture, loader = self._started(place)
        tree, line = place.tree, _default_line(loader)
        listed = self._begun(place, loader)
        from diskwright.guest.sections import read_sections  # late, as the initramfs is begun

        read = read_sections(
            tree, self.notes, names=self.names, architecture=architecture, line=line
        )
        kernels = self._kernels(listed)
        self.notes.problems += [Problem("guest-link-escapes", link) for link in tree.escapes]
        facts = GuestFacts(
            table=self.table,
            filesystems=self.names.filesystems,
            volumes=self.names.volumes,
            root=root,
            root_subvolume=place.root.subvolume if isinstance(place.root, BtrfsFs) else None,
            os=read.os,
            fstab=fstab,
            crypttab=read.crypttab,
            bootloader=loader,
            kernels=kernels,
            network=read.network,
            cloud_init=read.cloud_init,
            accounts=read.accounts,
            ssh=read.ssh,
            left=read.left,
            services=read.services,
            architecture=architecture,
            libc=read.libc,
            unread=tuple(self.notes.unread),
            problems=tuple(self.notes.problems),
        )
        return facts, tree

    def _started(self, place: layout.Layout) -> Started:
        """What fstab mounts, what programs are for, and what starts it."""
        fstab = self._fstab(place.tree)
        if fstab:
            layout.mount_all(place, self.probes, fstab, self.names)
        else:
            layout.mount_xbootldr(place, self.probes, self.table)
            layout.mount_boot(place, self.probes)
        layout.mount_xbootldr(place, self.probes, self.table)
        layout.mount_esp(place, self.probes, self.table)
        architecture = read_architecture(place.tree)
        return fstab, architecture, self._boot(place, architecture)

    def with_windows(self, root: int) -> tuple[GuestFacts, GuestTree]:
        """What only a Linux has stays None, and is not named as unread."""
        from diskwright.guest.windows.boot import read_boot  # most guests have none
        from diskwright.guest.windows.read import read_windows

        place = layout.with_root(self.probes, root)
        layout.mount_esp(place, self.probes, self.table)
        read = read_windows(place.tree, self.notes)
        with self.notes.meter.stage(Section.BOOT):
            esp = self._esp(place, read.architecture)
            loader, reason = read_boot(self.probes, self.table, esp)
        self._note_boot(reason, esp.reason)
        self.notes.problems += [Problem("guest-link-escapes", link) for link in place.tree.escapes]
        facts = GuestFacts(
            table=self.table,
            filesystems=self.names.filesystems,
            volumes=self.names.volumes,
            root=root,
            os=read.os,
            bootloader=loader,
            network=read.network,
            cloud_init=read.cloud_init,
            windows=read.facts,
            architecture=read.architecture,
            unread=tuple(self.notes.unread),
            problems=tuple(self.notes.problems),
        )
        return facts, place.tree

    def without_root(self) -> GuestFacts:
        reason = layout.why_no_root(self.names.filesystems)
        self.notes.unread += [Unread(section, reason) for section in _OF_ROOT]
        place = layout.without_root(self.probes, reason)
        layout.mount_xbootldr(place, self.probes, self.table)
        layout.mount_esp(place, self.probes, self.table)
        loader = self._boot(place, None)
        kernels = self._kernels(self._begun(place, loader))
        return GuestFacts(
            table=self.table,
            filesystems=self.names.filesystems,
            volumes=self.names.volumes,
            bootloader=loader,
            kernels=kernels,
            unread=tuple(self.notes.unread),
            problems=tuple(self.notes.problems),
        )

    def _fstab(self, tree: GuestTree) -> tuple[FstabEntry, ...] | None:
        try:
            return read_fstab(tree, self.names)
        except NotThere:
            return ()
        except GuestReadError as error:
            self.notes.failed(Section.FSTAB, error)
            self.notes.problems.append(Problem("fstab-unreadable", str(error)))
            return None

    def _boot(self, place: layout.Layout, architecture: str | None) -> Bootloader:
        paths = BootPaths(
            place.tree, self.names, place.mounts, place.xbootldr_mount, place.subvolumes
        )
        with self.notes.meter.stage(Section.BOOT):
            esp = self._esp(place, architecture)
            loader, reason = read_bootloader(place.tree, paths, self.table, esp)
        self._note_boot(reason, esp.reason)
        return loader

    def _begun(self, place: layout.Layout, loader: Bootloader) -> Listed:
        """An initramfs is unpacked from now on; until `_kernels` the other sections are read."""
        begin = partial(begin_kernels, place.tree, loader.entries)
        return self.notes.read(Section.KERNELS, begin) or (lambda: None)

    def _kernels(self, listed: Listed) -> tuple[Kernel, ...] | None:
        kernels = self.notes.read(Section.KERNELS, listed)
        self._note_initramfs(kernels)
        return kernels

    def _esp(self, place: layout.Layout, architecture: str | None) -> EspFacts:
        if self.table is None:
            return EspFacts(starts=None)
        if place.esp_mount:
            return read_esp(place.esp_tree, place.esp_mount, architecture)
        return EspFacts()

    def _note_boot(self, *reasons: str) -> None:
        self.notes.unread += [Unread(Section.BOOT, why) for why in reasons if why]

    def _note_initramfs(self, kernels: tuple[Kernel, ...] | None) -> None:
        if kernels is None:
            reason = next(u.reason for u in self.notes.unread if u.section is Section.KERNELS)
            self.notes.unread.append(Unread(Section.INITRAMFS, reason))
            return
        default = next((k.initramfs for k in kernels if k.default), None)
        if default and default.state is InitramfsState.UNREAD:
            self.notes.unread.append(Unread(Section.INITRAMFS, f"{default.path}: {default.detail}"))


def _default_line(loader: Bootloader) -> str:
    chosen = default_entry(loader.entries)
    return chosen.command_line if chosen else ""
