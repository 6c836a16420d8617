"""What is mounted of a btrfs: the subvolumes that fstab and the kernel's command line name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from diskwright.model.guest import BootEntry, FileSystem, NamedBy, Section
from diskwright.rules import loaders, sources
from diskwright.rules.rule import (
    Case,
    Outcome,
    Rule,
    breaks,
    holds,
    root_filesystem,
    skip,
    unread_section,
)

_TOP = 5
_REMEDY = (
    "btrfs subvolume list /",
    "# then put right subvol= in /etc/fstab, or in rootflags= of the kernel's command line",
)


def _named(case: Case) -> Outcome:
    if case.guest.filesystems is None:
        return unread_section(case, Section.FILESYSTEMS, "the file systems")
    if not any(fs.type == "btrfs" and fs.read for fs in case.guest.filesystems):
        return skip("no btrfs was read")
    lost = [*_of_fstab(case), *_of_entries(case)]
    if lost:
        return breaks("a subvolume that is to be mounted is not there", lost, _REMEDY)
    if case.guest.fstab is None:
        return unread_section(case, Section.FSTAB, "/etc/fstab")
    if _entries_unread(case):
        return unread_section(case, Section.BOOT, "rootflags= of the boot entries")
    return holds("every subvolume that is to be mounted is there")


def _entries_unread(case: Case) -> bool:
    """Of a root that the kernel mounts as the boot loader tells it to."""
    root = root_filesystem(case.guest)
    loader = case.guest.bootloader
    known = loader is not None and loader.starts_other is None
    unread = not known or bool(case.guest.why_unread(Section.BOOT))
    return unread and root is not None and root.type == "btrfs"


def _of_fstab(case: Case) -> Iterator[str]:
    for entry in case.guest.fstab or ():
        fs = _filesystem(case, entry.spec, entry.named_by)
        wanted = _wanted(entry.options)
        if fs is not None and wanted and not _has(fs, wanted):
            yield f"{entry.location}: {wanted} on {entry.mount_point}"


def _of_entries(case: Case) -> Iterator[str]:
    """Of the entry that is started: others harm only who chooses them."""
    root = root_filesystem(case.guest)
    loader = case.guest.bootloader
    if root is None or root.type != "btrfs" or loader is None or not loader.entries:
        return
    for entry in loaders.started(case):
        wanted = _wanted(_root_flags(entry))
        if wanted and not _has(root, wanted):
            yield f"{entry.location}: rootflags={wanted}"


def _root_flags(entry: BootEntry) -> list[str]:
    words = entry.command_line.split()
    flags = [word.partition("=")[2] for word in words if word.startswith("rootflags=")]
    return flags[-1].split(",") if flags else []


def _filesystem(case: Case, spec: str, named_by: NamedBy) -> FileSystem | None:
    """The btrfs that `spec` names by UUID or label; any other name is another rule's affair."""
    value = spec.rpartition("/")[2] if named_by is NamedBy.BY_LINK else spec.partition("=")[2]
    for fs in case.guest.filesystems or ():
        own = {(fs.uuid or "").lower(), (fs.label or "").lower()} - {""}
        if fs.type == "btrfs" and fs.read and value.strip("\"'").lower() in own:
            return fs
    return None


def _wanted(options: Iterable[str]) -> str:
    """The option that names a subvolume, as mount(8) takes it: the last one."""
    named = [o for o in options if o.startswith(("subvol=", "subvolid="))]
    return named[-1] if named else ""


def _has(fs: FileSystem, wanted: str) -> bool:
    kind, _, value = wanted.partition("=")
    if kind == "subvol":
        path = "/".join(part for part in value.split("/") if part)
        return not path or any(one.path == path for one in fs.subvolumes)
    numbers = {str(one.number) for one in fs.subvolumes} | {str(_TOP), "0"}
    return value in numbers or not value.isdecimal()


RULES = (
    Rule(
        "boot.subvolume-missing",
        "Every btrfs subvolume that is mounted exists",
        "The mount fails, and the start with it: snapshots are rolled back, names stay behind.",
        sources.BTRFS,
        _named,
        remedy=_REMEDY,
    ),
)
