"""The disk as a whole: its table, its file systems, the one system on it."""

from __future__ import annotations

from collections.abc import Callable

from diskwright.model.finding import Result, Severity
from diskwright.model.guest import GuestFacts, Section
from diskwright.model.partitions import TableKind
from diskwright.model.units import GIB, exact_size, format_size, round_up
from diskwright.rules import sources
from diskwright.rules.remedies import check_filesystems, make_room, shut_down
from diskwright.rules.rule import (
    Case,
    Outcome,
    Rule,
    breaks,
    holds,
    quoted,
    root_filesystem,
    skip,
    unread,
    unread_minimum,
    unread_section,
)

_LIES = {
    "table-too-large": "The partition table has a believable number of entries",
    "header-inconsistent": "The partition table's header agrees with itself",
    "partition-overlap": "No two partitions overlap",
    "partition-loop": "The chain of logical partitions ends",
}
_BACKUP = "gpt-backup-missing"

_DATA_ONLY = ("# for a disk that holds data only: add --data, as diskwright image create --data",)
_VERIFY = ("sgdisk --verify /dev/vda",)
_ANEW = ("sgdisk --verify /dev/vda   # then partition the disk anew",)
_MOVE_BACKUP = (
    "sgdisk --move-second-header /dev/vda   # writes it anew; sgdisk is in package gdisk",
)
_DECRYPT = ("# decrypt it, or install the system on a plain disk and encrypt the image's object",)


def _one_system(case: Case) -> Outcome:
    guest = case.guest
    if guest.root is not None:
        return holds("one system disk: the root file system is on it")
    behind = any(fs.unreplayed for fs in guest.filesystems or ())
    if _no_filesystems(case) or _closed(guest) or behind:
        return unread_section(case, Section.ROOT, "the root file system")
    return breaks(
        "no operating system was found on this disk",
        (f"{fs.type} on {fs.place}" for fs in guest.filesystems or ()),
        _DATA_ONLY,
    )


def _table(case: Case) -> Outcome:
    table = case.guest.table
    if table is None:
        return unread_section(case, Section.TABLE, "the partition table")
    other = [p for p in table.problems if p.code not in _LIES and p.code != _BACKUP]
    if other:
        return breaks(
            "the partition table is damaged",
            (f"{p.code}: {p.detail}" for p in other),
            _VERIFY,
        )
    if table.problems and not table.partitions:
        return skip("its damage is told by another rule")
    if table.kind is TableKind.NONE or not table.partitions:
        return breaks(
            "no partition table with partitions on it: a system disk is started from one",
            remedy=_DATA_ONLY,
        )
    return holds(f"{table.kind} with {len(table.partitions)} partition(s)")


def _problem(code: str, good: str, remedy: tuple[str, ...]) -> Callable[[Case], Outcome]:
    def check(case: Case) -> Outcome:
        table = case.guest.table
        if table is None:
            return unread_section(case, Section.TABLE, "the partition table")
        found = [p for p in table.problems if p.code == code]
        if found:
            return breaks(found[0].detail, (p.detail for p in found[1:]), remedy)
        return holds(good)

    return check


def _backup(case: Case) -> Outcome:
    table = case.guest.table
    if table is not None and table.kind is not TableKind.GPT:
        return skip("only a GPT has a backup")
    check = _problem(
        _BACKUP,
        "the backup table is whole, and where the first one says",
        _MOVE_BACKUP,
    )
    return check(case)


def _closed(guest: GuestFacts) -> bool:
    """There is a file system that was not read."""
    return any(not fs.read and fs.type not in _NO_TREE for fs in guest.filesystems or ())


def _no_filesystems(case: Case) -> bool:
    """They were not looked for; an empty disk is another thing."""
    return case.guest.filesystems is None or bool(case.guest.why_unread(Section.FILESYSTEMS))


def _encrypted(case: Case) -> Outcome:
    if _no_filesystems(case):
        return unread_section(case, Section.FILESYSTEMS, "the file systems")
    filesystems = case.guest.filesystems or ()
    found = [fs for fs in filesystems if fs.type.lower() in _ENCRYPTED]
    if found:
        return breaks(
            "the disk is encrypted inside",
            (f"{fs.type} on {fs.place}" for fs in found),
            _DECRYPT,
        )
    opaque = [fs for fs in filesystems if not fs.read and fs.type.lower() in _OPAQUE]
    if opaque:
        return unread(
            "what a partition holds is not known",
            (f"{fs.type} on {fs.place}: {fs.note}" for fs in opaque),
        )
    return holds("no encrypted volume was found")


_ENCRYPTED = frozenset({"luks", "luks1", "luks2", "crypto_luks", "bitlocker"})
_OPAQUE = frozenset({"", "unknown", "lvm", "lvm2_member", "lvm2"})  # may hide a volume of it
_NO_TREE = frozenset({"swap"})


def _dirty(case: Case) -> Outcome:
    guest = case.guest
    filesystems = guest.filesystems or ()
    if _no_filesystems(case):
        return unread_section(case, Section.FILESYSTEMS, "the file systems")
    found = [fs for fs in filesystems if fs.dirty]
    if found:
        return breaks(
            "a file system was not unmounted cleanly",
            (f"{fs.type} on {fs.place}: {fs.note or 'marked dirty'}" for fs in found),
            shut_down(case),
        )
    root = root_filesystem(guest)
    what = "whether the root file system was unmounted cleanly"
    if root is None:
        return unread_section(case, Section.ROOT, what)
    if root.dirty is None:
        return unread(f"{what} is not known{root.note and f': {root.note}'}")
    return holds("the file systems were unmounted cleanly")


def _damaged(case: Case) -> Outcome:
    if _no_filesystems(case):
        return unread_section(case, Section.FILESYSTEMS, "the file systems")
    filesystems = case.guest.filesystems or ()
    found = [(fs, p) for fs in filesystems for p in fs.problems]
    if found:
        return breaks(
            "a file system is damaged, or was read with a reservation",
            (f"{fs.type} on {fs.place}: {p.code}: {p.detail}" for fs, p in found),
            check_filesystems(case),
            result=None if any(p.code in _UNMOUNTABLE for _, p in found) else Result.WARN,
        )
    if not filesystems or _closed(case.guest):
        return unread_section(case, Section.FILESYSTEMS, "the file systems")
    return holds("the file systems that were read are whole")


_UNMOUNTABLE = frozenset({"filesystem-past-end"})


def _full(case: Case) -> Outcome:
    root = root_filesystem(case.guest)
    what = "how much of the root file system is free"
    if root is None or not root.read:
        return unread_section(case, Section.ROOT, what)
    if root.size is None or root.free is None:
        return unread(f"{what} is not known")
    said = f"{format_size(root.free)} of {format_size(root.size)} are free on the root file system"
    if root.free * 100 < root.size * _FREE_PERCENT:
        return breaks(said, (f"{root.type} on {root.place}",), make_room(case))
    return holds(said)


_FREE_PERCENT = 5


def _minimum(case: Case) -> Outcome:
    given = max(round_up(case.image.virtual_size, GIB), case.profile.disk_minimum)
    if case.minimum is None:
        return unread_minimum(case, "the system's least disk")
    need, os = case.minimum.disk_bytes, quoted(case.minimum.os)
    said = f"{os} asks for {format_size(need)}; the server's system disk has {format_size(given)}"
    if need <= given:
        return holds(said, (case.minimum.source,))
    return breaks(
        said,
        (case.minimum.source,),
        (f"diskwright convert IMAGE larger.qcow2 --size-multiple {exact_size(need)}",),
    )


RULES = (
    Rule(
        "disk.one-system-disk",
        "One disk holds the whole system",
        "The service takes exactly one system disk, with the boot and the system partition on it.",
        sources.PREPARE_LINUX,
        _one_system,
        remedy=_DATA_ONLY,
    ),
    Rule(
        "disk.partition-table",
        "The disk has a partition table that can be read",
        "Firmware and boot loader start from partitions.",
        sources.PREPARE_LINUX,
        _table,
        remedy=(*_VERIFY, *_DATA_ONLY),
    ),
    *(
        Rule(
            f"disk.{code}",
            title,
            "A table that lies is read differently by every system, and can hang or crash one.",
            sources.MBR if code == "partition-loop" else sources.GPT,
            _problem(code, title, _ANEW),
            remedy=_ANEW,
        )
        for code, title in _LIES.items()
    ),
    Rule(
        "disk.gpt-backup-missing",
        "The backup of the GPT is in place",
        "The disk starts without it, and is lost with the first table. Growing the disk on the "
        "server moves the backup first: tools refuse where there is none.",
        sources.GPT,
        _backup,
        Result.WARN,
        Severity.MEDIUM,
        remedy=_MOVE_BACKUP,
    ),
    Rule(
        "disk.encrypted",
        "The disk is not encrypted inside",
        "The service can't read nor adapt an encrypted system, and nobody types its passphrase.",
        sources.PREPARE_LINUX,
        _encrypted,
        remedy=_DECRYPT,
    ),
    Rule(
        "disk.filesystem-dirty",
        "File systems were unmounted cleanly",
        "A disk copied from a running machine, or after a crash, lacks what was not written yet.",
        sources.EXT4,
        _dirty,
        Result.WARN,
        Severity.MEDIUM,
        remedy=shut_down,
    ),
    Rule(
        "disk.filesystem-damaged",
        "File systems are whole",
        "One that is larger than its partition is not mounted; a journal that can't be replayed "
        "may hold newer contents than were judged.",
        sources.EXT4,
        _damaged,
        remedy=check_filesystems,
    ),
    Rule(
        "disk.disk-nearly-full",
        "The root file system has room left",
        "A system that can't write its logs and keys hangs or fails at its first start.",
        sources.DF,
        _full,
        Result.WARN,
        Severity.MEDIUM,
        remedy=make_room,
    ),
    Rule(
        "disk.minimum",
        "The server's disk is large enough for this system",
        "The figure is the installer's: an installed system may run with less.",
        sources.OSINFO,
        _minimum,
        Result.WARN,
        Severity.LOW,
        remedy=("diskwright convert IMAGE larger.qcow2 --size-multiple SIZE",),
    ),
)
