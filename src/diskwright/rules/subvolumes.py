"""What is mounted of a btrfs: the subvolumes that fstab and the kernel's command line name."""

from __future__ import annotations

from collections.abc import Iterable

from diskwright.model.finding import Result
from diskwright.model.guest import SUBVOLUMES_UNLISTED, BootEntry, FileSystem, Section
from diskwright.model.volumes import (
    TOP_SUBVOLUME,
    root_flags,
    subvolume_number,
    subvolume_options,
)
from diskwright.rules import loaders, sources
from diskwright.rules.rule import (
    Case,
    Outcome,
    Rule,
    breaks,
    holds,
    root_filesystem,
    skip,
    unread,
    unread_section,
)

_REMEDY = (
    "btrfs subvolume list /",
    "# then put right subvol= in /etc/fstab, or in rootflags= of the kernel's command line",
)


_OPTIONAL = frozenset({"nofail", "x-systemd.automount"})


def _named(case: Case) -> Outcome:
    if case.guest.filesystems is None:
        return unread_section(case, Section.FILESYSTEMS, "the file systems")
    trees = [fs for fs in case.guest.filesystems if fs.type == "btrfs" and fs.read]
    if not trees:
        return skip("no btrfs was read")
    unlisted = any(p.code == SUBVOLUMES_UNLISTED for fs in trees for p in fs.problems)
    if unlisted:
        return unread("which subvolumes there are is not known")
    needed, optional = _of_fstab(case)
    needed += _of_kernel(case)
    if needed or optional:
        return breaks(
            "a subvolume that is to be mounted is not there, or is not the one that was meant",
            (*needed, *optional),
            _REMEDY,
            result=None if needed else Result.WARN,
        )
    if case.guest.fstab is None:
        return unread_section(case, Section.FSTAB, "/etc/fstab")
    if _entries_unread(case):
        return unread_section(case, Section.BOOT, "rootflags= of the boot entries")
    return holds("every subvolume that is to be mounted is there")


def _entries_unread(case: Case) -> bool:
    """Of a root that the kernel mounts as the boot loader tells it to."""
    root, loader = root_filesystem(case.guest), case.guest.bootloader
    known = loader is not None and bool(loader.entries) and loader.starts_other is None
    unread = not known or bool(case.guest.why_unread(Section.BOOT))
    return unread and root is not None and root.type == "btrfs"


def _of_fstab(case: Case) -> tuple[list[str], list[str]]:
    """What the start needs, and what it goes on without."""
    needed: list[str] = []
    optional: list[str] = []
    filesystems = case.guest.filesystems or ()
    for entry in case.guest.fstab or ():
        index = entry.filesystem
        known = index is not None and 0 <= index < len(filesystems)
        if not known or index is None or "noauto" in entry.options:
            continue
        wanted = subvolume_options(entry.options)
        if filesystems[index].type == "btrfs" and _found(filesystems[index], wanted) is None:
            said = f"{entry.location}: {','.join(wanted)} on {entry.mount_point}"
            (optional if _OPTIONAL & set(entry.options) else needed).append(said)
    return needed, optional


def _of_kernel(case: Case) -> list[str]:
    """Of the entry that is started: others harm only who chooses them."""
    root, loader = root_filesystem(case.guest), case.guest.bootloader
    if root is None or root.type != "btrfs" or loader is None or not loader.entries:
        return []
    return [said for entry in loaders.started(case) for said in _of_entry(case, entry, root)]


def _of_entry(case: Case, entry: BootEntry, root: FileSystem) -> list[str]:
    wanted = subvolume_options(root_flags(entry.command_line))
    number = _found(root, wanted)
    if number is None:
        return [f"{entry.location}: rootflags={','.join(wanted)}"]
    own = case.guest.root_subvolume
    if own is None or number == own:
        return []
    names = {one.number: one.path for one in root.subvolumes} | {TOP_SUBVOLUME: "the top"}
    mounted, system = (names.get(n, str(n)) for n in (number, own))
    said = f"the kernel mounts {mounted} as its root, and the system is in {system}"
    return [f"{entry.location}: {said}"]


def _found(fs: FileSystem, wanted: Iterable[str]) -> int | None:
    """The number of what these options mount: all have to mean the same. None: the mount fails."""
    numbers = {_number(fs, option) for option in wanted} or {fs.default_subvolume}
    return numbers.pop() if len(numbers) == 1 else None


def _number(fs: FileSystem, option: str) -> int | None:
    kind, _, value = option.partition("=")
    known = {one.path: one.number for one in fs.subvolumes} | {"": TOP_SUBVOLUME}
    if kind == "subvol":
        return known.get("/".join(part for part in value.split("/") if part))
    try:
        number = subvolume_number(value)
    except ValueError:
        return None
    return number if number in known.values() else None


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
