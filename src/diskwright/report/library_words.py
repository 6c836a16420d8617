"""What text, CSV and HTML call an entry of a library and what is to be known of it."""

from __future__ import annotations

from collections.abc import Iterator

from diskwright.model.finding import Result
from diskwright.model.library import Entry, EntryDisk, ImageKind, MemberState, Status, Visibility
from diskwright.model.units import format_size

NOT_OPENED = "(sealed, not opened)"
UNNAMED = "(no name)"
KINDS = {  # the console's words
    None: f"unknown {NOT_OPENED}",
    ImageKind.SYSTEM: "system disk image",
    ImageKind.DATA: "data disk image",
    ImageKind.FULL: "full-server image",
}
LOOKS = {  # of a status, as a finding of that result looks
    Status.QUEUED: Result.UNKNOWN,
    Status.SAVING: Result.UNKNOWN,
    Status.ACTIVE: Result.PASS,
    Status.PENDING_DELETE: Result.WARN,
    Status.DELETED: Result.WARN,
    Status.ERROR: Result.FAIL,
}
CLASSES = {  # of the style sheet, the worst first; what has none is plain
    Result.FAIL: "bad",
    Result.WARN: "warn",
    Result.UNKNOWN: "open",
    Result.PASS: "good",
}
Rows = list[tuple[str, str]]  # not printable yet; without a key: goes on with the one above


def called(entry: Entry) -> str:
    """Its name, or why there is none to tell."""
    if entry.name is None:
        return NOT_OPENED
    return entry.name or UNNAMED


def system_of(entry: Entry) -> str:
    return entry.os_version or entry.os or entry.os_type


def size_of(size: int) -> str:
    """Empty for 0: while an image is saved, or sealed and not opened, its size is not known."""
    return format_size(size) if size else ""


def marks(entry: Entry) -> Iterator[tuple[str, Result]]:
    """Words for what sets an image apart, each with how it looks; what is wrong comes first."""
    if entry.warnings:
        yield "inconsistent", Result.FAIL
    if entry.failed:
        yield counted(len(entry.failed), "finding"), Result.WARN
    if entry.received is MemberState.PENDING:
        yield "not accepted yet", Result.UNKNOWN
    if entry.received is MemberState.REJECTED:
        yield "rejected", Result.WARN
    if entry.sealed:
        yield ("sealed" if entry.opened else "not opened"), Result.SKIP
    if entry.visibility is not Visibility.PRIVATE:
        yield entry.visibility.value, Result.SKIP
    if entry.members:
        yield f"shared with {len(entry.members)}", Result.SKIP
    if entry.quick:
        yield "quick", Result.SKIP


def counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def entry_rows(entry: Entry, *, base_name: str | None = None) -> Rows:
    """Every attribute that is known, in the order of their weight. `base_name` of its base."""
    rows = [("id", entry.id)]
    rows += _under("description", entry.description.split("\n") if entry.description else ())
    rows.append(("status", entry.status.value))
    rows.append(("kind", KINDS[entry.kind]))
    rows += _under("inconsistent", entry.warnings)
    rows += _under("findings", entry.failed)
    rows += _system_rows(entry)
    rows += _under("disks", (disk_said(disk) for disk in entry.disks))
    rows += _under("tags", (f"{key}={value}" for key, value in sorted(entry.tags.items())))
    rows += _access_rows(entry)
    rows += _origin_rows(entry, base_name)
    rows.append(("created", entry.created))
    rows.append(("updated", f"{entry.updated}, record {entry.seq}"))
    rows.append(("head", entry.head))
    return rows


def _under(key: str, values: Iterator[str] | tuple[str, ...] | list[str]) -> Rows:
    """The key beside the first value only."""
    return [(key if index == 0 else "", value) for index, value in enumerate(values)]


def _system_rows(entry: Entry) -> Rows:
    if entry.kind is ImageKind.DATA:
        return []
    system = ", ".join(filter(None, (entry.os_version, entry.os, entry.os_type)))
    rows = [("system", system), ("architecture", entry.architecture), ("boots by", entry.boot_mode)]
    if entry.opened:
        least = f"at least {entry.min_memory_mib} MiB"
        most = f"at most {entry.max_memory_mib} MiB" if entry.max_memory_mib else "no limit"
        rows.append(("memory", f"{least}, {most}"))
        if entry.needs_memory_mib:
            rows.append(("", f"the guest was judged to need {entry.needs_memory_mib} MiB"))
        rows.append(("system disk", f"at least {entry.min_disk_gib} GiB"))
        for key, on, can in (
            ("multi-queue", entry.nic_multiqueue, entry.can_multiqueue),
            ("SR-IOV", entry.sriov, entry.can_sriov),
        ):
            rows.append((key, f"{'on' if on else 'off'}, {_DRIVER[can]}"))
    return [(key, value) for key, value in rows if value]


_DRIVER = {
    True: "the guest has the driver",
    False: "the guest has no driver for it",
    None: "not known whether the guest has the driver",
}


def disk_said(disk: EntryDisk) -> str:
    size = disk.virtual_size
    parts = [
        f"{format_size(size)} ({size} bytes)" if size else "",
        f"stored {format_size(disk.object_size)} ({disk.object_size} bytes)",
        disk.format + (", compressed" if disk.compressed else ""),
        *(["data"] if disk.data else []),
        *([disk.name] if disk.name else []),
        f"dw1 {disk.digest}" if disk.digest else "",
        f"key {disk.key}, SHA-256 {disk.object_digest}",
    ]
    return "; ".join(filter(None, parts))


def _access_rows(entry: Entry) -> Rows:
    rows = [("visibility", entry.visibility.value)]
    if entry.received is not None:
        rows.append(("offered", f"to us, {entry.received.value}"))
    if entry.origin:
        rows.append(("lies in", entry.origin))
    members = (
        f"{one.name + ', ' if one.name else ''}account {one.account}: {one.state.value}"
        for one in entry.members
    )
    rows += _under("shared with", members)
    if entry.sealed:
        rows.append(("sealed", "opened" if entry.opened else "not opened: no key here opens it"))
        rows += _under("recipients", (f"{one.provider} {one.key_id}" for one in entry.recipients))
    else:
        rows.append(("sealed", "no"))
    rows.append(("quick", "yes, a server starts from it at once" if entry.quick else "no"))
    return rows


def _origin_rows(entry: Entry, base_name: str | None) -> Rows:
    form = f"({entry.source_format})" if entry.source_format else ""
    rows = [
        ("made by", entry.owner),
        ("made of", " ".join(filter(None, (entry.source_name, form)))),
        ("", f"its disk: dw1 {entry.source_digest}" if entry.source_digest else ""),
        ("made with", ", ".join(f"{tool} {its}" for tool, its in sorted(entry.tools.items()))),
        ("base", f"{base_name} ({entry.base})" if base_name else entry.base),
        ("replicated from", entry.from_image),
        ("channel", entry.channel),
        ("judged for", entry.profile),
        ("proven", entry.proven),
    ]
    return [(key, value) for key, value in rows if value]
