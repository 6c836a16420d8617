"""An ISO as text and as values for JSON: its facts, what lies in it, what was extracted."""

from __future__ import annotations

import csv
import io
import stat
from collections.abc import Iterable, Iterator
from typing import Any

from diskwright.model import codec
from diskwright.model.iso import (
    BootEntry,
    ExtractedIso,
    InspectedIso,
    IsoEntry,
    IsoFacts,
    IsoKind,
    IsoSystem,
    ListedIso,
)
from diskwright.model.text import printable
from diskwright.model.times import time_text
from diskwright.model.units import format_size

_KEY_WIDTH = 13
_SHOWN = 20  # entries left out that are told one by one; JSON has all

_Rows = list[tuple[str, str]]


def inspected_iso_text(found: InspectedIso, name: str) -> str:
    """One fact a line, `key value`; lines without a key go on with the one above."""
    facts = found.facts
    rows = [("image", name), ("format", _parts(facts)), *_identifiers(facts)]
    rows.append(("file", f"{format_size(facts.file_size)} ({facts.file_size} bytes)"))
    if facts.volume_size != facts.file_size:
        said = f"{format_size(facts.volume_size)} ({facts.volume_size} bytes)"
        rows.append(("volume", said))
    rows.append(("contents", _contents(facts)))
    rows += _under("boot", _boot(facts))
    rows += _under("installs", _installs(found))
    rows += _under("odd", (f"{p.code}: {p.detail}" for p in facts.problems))
    return "\n".join(f"{key:<{_KEY_WIDTH}}{printable(value)}" for key, value in rows)


def _under(key: str, values: Iterable[str]) -> _Rows:
    """The key beside the first value only."""
    return [(key if index == 0 else "", value) for index, value in enumerate(values)]


def _parts(facts: IsoFacts) -> str:
    parts = ["iso"]
    if facts.iso9660_level is not None:
        parts.append(f"ISO 9660 level {facts.iso9660_level}")
    if facts.joliet_level is not None:
        parts.append(f"Joliet level {facts.joliet_level}")
    if facts.rock_ridge is not None:
        parts.append(f"Rock Ridge {facts.rock_ridge}")
    if facts.udf_revision is not None:
        parts.append(f"UDF {facts.udf_revision}")
    return ", ".join(parts)


def _identifiers(facts: IsoFacts) -> Iterator[tuple[str, str]]:
    yield "volume id", facts.volume_id or "(empty)"
    if facts.udf_volume_id not in (None, facts.volume_id):
        yield "UDF volume", facts.udf_volume_id or "(empty)"
    for key, value in (
        ("volume set", facts.volume_set_id),
        ("system id", facts.system_id),
        ("publisher", facts.publisher_id),
        ("preparer", facts.preparer_id),
        ("application", facts.application_id),
        ("created", facts.created),
    ):
        if value:
            yield key, value


def _contents(facts: IsoFacts) -> str:
    directories = "1 directory" if facts.directories == 1 else f"{facts.directories} directories"
    said = [_count(facts.files, "file"), directories]
    if facts.links:
        said.append(_count(facts.links, "symbolic link"))
    said.append(f"{format_size(facts.data_size)} by the {facts.tree} tree")
    return ", ".join(said)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _boot(facts: IsoFacts) -> Iterator[str]:
    yield from map(_boot_entry, facts.boot)
    tables = [name for name, there in (("MBR", facts.mbr), ("GPT", facts.gpt)) if there]
    if tables:
        usb = "usb-bootable" if facts.usb_bootable else "not usb-bootable"
        yield f"{' and '.join(tables)}: {usb}"
    if not facts.boot and not tables:
        yield "not bootable"


def _boot_entry(entry: BootEntry) -> str:
    emulation = "no emulation" if entry.emulation == "none" else f"as {entry.emulation}"
    segment = f", segment {entry.load_segment:#x}" if entry.load_segment else ""
    bootable = "" if entry.bootable else ", marked not bootable"
    return (
        f"{entry.platform}: {format_size(entry.size)} at sector {entry.lba}, "
        f"{entry.sectors} sectors loaded, {emulation}{segment}{bootable}"
    )


def _installs(found: InspectedIso) -> Iterator[str]:
    if found.system is None:
        date = found.database_date
        yield (
            f"not known to the database of {date}" if date else "not known: no database (osinfo-db)"
        )
        return
    system = found.system
    known = f", or {' or '.join(system.also)}" if system.also else ""
    kind = ", live" if system.live else ""
    yield f"{system.name}{known} ({system.id}, {system.architecture}{kind})"
    yield f"least memory {_size(system.minimum_memory)}, storage {_size(system.minimum_storage)}"
    if system.recommended_memory or system.recommended_storage:
        yield (
            f"recommended memory {_size(system.recommended_memory)}, "
            f"storage {_size(system.recommended_storage)}"
        )


def _size(size: int | None) -> str:
    return format_size(size) if size is not None else "not said"


_KINDS = {IsoKind.FILE: "-", IsoKind.DIRECTORY: "d", IsoKind.LINK: "l", IsoKind.OTHER: "?"}


def listed_text(listed: ListedIso) -> str:
    """A line an entry: mode, size, time, path."""
    lines = [_line(entry) for entry in listed.entries]
    return "\n".join(lines) if lines else f"the {listed.tree} tree is empty"


def _line(entry: IsoEntry) -> str:
    mode = stat.filemode(entry.mode)[1:] if entry.mode is not None else " " * 9
    time = time_text(entry.mtime) if entry.mtime is not None else "-"
    shown = printable(entry.path)
    if entry.target is not None:
        shown += f" -> {printable(entry.target)}"
    if entry.note:
        shown += f" ({printable(entry.note)})"
    return f"{_KINDS[entry.kind]}{mode} {entry.size:>12} {time:<20} {shown}"


def listed_csv(listed: ListedIso) -> str:
    """With a header; a line an entry."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(("path", "type", "size", "mode", "mtime", "target"))
    for entry in listed.entries:
        mode = f"{entry.mode:04o}" if entry.mode is not None else ""
        time = time_text(entry.mtime) if entry.mtime is not None else ""
        path, target = printable(entry.path), printable(entry.target or "")
        rows.writerow((path, entry.kind.value, entry.size, mode, time, target))
    return out.getvalue().removesuffix("\n")


def extracted_text(made: ExtractedIso, name: str, target: str) -> str:
    folders = _count(made.directories, "folder")
    said = f"{_count(made.files, 'file')}, {folders} and {_count(made.links, 'link')}"
    lines = [f"{name}: {said} ({format_size(made.size)}) of the {made.tree} tree are in {target}"]
    lines += [f"left out: {entry.path}: {entry.reason}" for entry in made.left_out[:_SHOWN]]
    if len(made.left_out) > _SHOWN:
        more = len(made.left_out) - _SHOWN
        lines.append(f"left out: {more} more; --output json has them all")
    return "\n".join(map(printable, lines))


def iso_facts_value(facts: IsoFacts, system: IsoSystem | None, database: str) -> dict[str, Any]:
    """`{"iso": {…, "firmware", "installs", "os_database"}}`: what JSON holds beside the facts of
    an image."""
    value = codec.encode(facts)
    value["firmware"] = codec.encode(facts.firmware)
    value["installs"] = codec.encode(system)
    value["os_database"] = database
    return {"iso": value}


def inspected_iso_result(image: str, found: InspectedIso) -> dict[str, Any]:
    facts = iso_facts_value(found.facts, found.system, found.database_date)
    return _result(image, facts=facts)


def listed_result(image: str, listed: ListedIso) -> dict[str, Any]:
    """Where its bytes lie is left out: `iso extract` has them."""
    entries = []
    for entry in listed.entries:
        value = codec.encode(entry)
        del value["extents"]
        entries.append(value)
    return _result(image) | {"tree": listed.tree.value, "entries": entries}


def extracted_result(image: str, made: ExtractedIso) -> dict[str, Any]:
    return _result(image) | {"made": codec.encode(made)}


def _result(image: str, *, facts: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"image": image, "facts": facts, "findings": [], "error": None}
