"""/etc/fstab: what is mounted at start, and by which name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from diskwright.model.finding import Result, Severity
from diskwright.model.guest import FstabEntry, NamedBy, Section
from diskwright.rules import sources
from diskwright.rules.rule import (
    Case,
    Outcome,
    Rule,
    breaks,
    holds,
    quoted,
    root_filesystem,
    unread,
    unread_section,
)

# A server that lacks one of these does not come up, or comes up without its data.
_SYSTEM = frozenset({"/", "/boot", "/boot/efi", "/efi", "/usr", "/var"})
_OPTIONAL = frozenset({"noauto", "nofail", "x-systemd.automount"})
_NOT_LOCAL = frozenset({NamedBy.PSEUDO, NamedBy.NETWORK})


def uuid_of_device(case: Case, device: str) -> str:
    """The UUID of the file system that `/dev/sda1` means, as far as the number tells, or "UUID"."""
    number = re.search(r"(\d+)$", device)
    for fs in case.guest.filesystems or ():
        same = number is not None and fs.partition == int(number[1])
        if same and fs.uuid and re.fullmatch(r"[0-9A-Za-z-]+", fs.uuid):
            return fs.uuid
    return "UUID-AS-BLKID-SAYS"


def _readable(case: Case) -> Outcome:
    if case.guest.fstab is not None:
        return holds(f"{len(case.guest.fstab)} line(s) in /etc/fstab")
    if case.guest.root is None:
        return unread_section(case, Section.FSTAB, "/etc/fstab")
    reason = case.guest.why_unread(Section.FSTAB)
    return breaks(
        "/etc/fstab can't be read as one" + (f": {reason}" if reason else ""),
        ("/etc/fstab",),
        _WRITE_ANEW,
    )


_WRITE_ANEW = ("mv /etc/fstab /etc/fstab.bad", "blkid   # and write /etc/fstab anew")
_BY_UUID = ("blkid", "sed -i 'LINEs|[^[:space:]]*|UUID=UUID-AS-BLKID-SAYS|' /etc/fstab")
_NO_WAIT = ("sed -i 'LINEs/^/# /' /etc/fstab   # or add nofail to its options",)

_Judge = Callable[[Case, tuple[FstabEntry, ...]], Outcome]


def _entries(judge: _Judge) -> Callable[[Case], Outcome]:
    """Judges what is mounted from disks at start; nothing, where fstab was not read."""

    def check(case: Case) -> Outcome:
        if case.guest.fstab is None:
            return unread_section(case, Section.FSTAB, "/etc/fstab")
        local = (e for e in case.guest.fstab if e.named_by not in _NOT_LOCAL)
        return judge(case, tuple(e for e in local if "noauto" not in e.options))

    return check


def _by_device(case: Case, entries: tuple[FstabEntry, ...]) -> Outcome:
    found = [e for e in entries if e.named_by is NamedBy.DEVICE]
    if not found:
        return holds("/etc/fstab names no device by its place (/dev/sda1)")
    return breaks(
        "/etc/fstab names a device by its place: it is another one on the server",
        _evidence(found),
        ["blkid", *(_by_uuid(case, e) for e in found)],
        result=None if any(not _OPTIONAL & set(e.options) for e in found) else Result.WARN,
    )


def _by_uuid(case: Case, entry: FstabEntry) -> str:
    uuid = uuid_of_device(case, entry.spec)
    line = entry.location.line or 0
    return f"sed -i '{line}s|[^[:space:]]*|UUID={uuid}|' {quoted(entry.location.file)}"


def _missing(entries: Iterable[FstabEntry]) -> list[FstabEntry]:
    return [e for e in entries if e.on_disk is False and e.named_by is not NamedBy.DEVICE]


def _other_disk(_: Case, entries: tuple[FstabEntry, ...]) -> Outcome:
    waited = [e for e in entries if not _OPTIONAL & set(e.options)]
    found = [e for e in _missing(waited) if e.mount_point not in _SYSTEM and e.type != "swap"]
    if found:
        return breaks(
            "/etc/fstab waits for a disk that the server will not have",
            _evidence(found),
            [
                f"sed -i '{e.location.line or 0}s/^/# /' {quoted(e.location.file)}"
                "   # or add nofail to its options"
                for e in found
            ],
        )
    return _told(entries, "all that /etc/fstab waits for is on this disk")


def _unknown(case: Case, entries: tuple[FstabEntry, ...]) -> Outcome:
    found = [e for e in _missing(entries) if e.mount_point in _SYSTEM or e.type == "swap"]
    if not found:
        return _told(entries, "what /etc/fstab names is on this disk")
    return breaks(
        "/etc/fstab names a file system that is not on this disk",
        _evidence(found),
        ["blkid", *(_right_uuid(case, e) for e in found)],
        result=Result.WARN if all(e.type == "swap" for e in found) else None,
    )


def _right_uuid(case: Case, entry: FstabEntry) -> str:
    uuid = "UUID-AS-BLKID-SAYS"
    root = root_filesystem(case.guest)
    if entry.mount_point == "/" and root is not None:
        known = root.uuid or ""
        uuid = known if re.fullmatch(r"[0-9A-Za-z-]+", known) else uuid
    line = entry.location.line or 0
    return f"sed -i '{line}s|[^[:space:]]*|UUID={uuid}|' {quoted(entry.location.file)}"


def _told(entries: tuple[FstabEntry, ...], good: str) -> Outcome:
    """Good, unless it could not be told whether something is on this disk."""
    open_ones = [e for e in entries if e.on_disk is None and e.named_by is not NamedBy.DEVICE]
    if open_ones:
        return unread("whether it is on this disk can't be told", _evidence(open_ones))
    return holds(good)


def _evidence(entries: Iterable[FstabEntry]) -> list[str]:
    return [f"{e.location}: {e.spec} on {e.mount_point}" for e in entries]


RULES = (
    Rule(
        "boot.fstab-unreadable",
        "/etc/fstab can be read",
        "A system whose fstab is damaged or absurd does not mount its disks.",
        sources.UUIDS,
        _readable,
        Result.WARN,
        Severity.MEDIUM,
        remedy=_WRITE_ANEW,
    ),
    Rule(
        "boot.fstab-device-name",
        "/etc/fstab names disks by UUID or label",
        "The server's disk is /dev/vda where it was /dev/sda; the start stops at the first mount.",
        sources.UUIDS,
        _entries(_by_device),
        remedy=_BY_UUID,
    ),
    Rule(
        "boot.fstab-other-disk",
        "/etc/fstab mounts nothing from other disks",
        "The start waits for a disk that is not there, and ends in the emergency shell.",
        sources.UUIDS,
        _entries(_other_disk),
        remedy=_NO_WAIT,
    ),
    Rule(
        "boot.fstab-unknown-uuid",
        "What /etc/fstab names for the system exists",
        "The system's own mounts fail, and the start with them.",
        sources.UUIDS,
        _entries(_unknown),
        remedy=_BY_UUID,
    ),
)
