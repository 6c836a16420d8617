"""What lies on a disk as an HTML table: the words to its map."""

from __future__ import annotations

from collections.abc import Iterator

from diskwright.model.guest import FileSystem, GuestFacts
from diskwright.model.units import format_size
from diskwright.report.disk_map import MOST_DRAWN
from diskwright.report.markup import escaped, table

_HEAD = ("part", "for", "holds", "size", "in use", "from byte")


def contents_table(guest: GuestFacts) -> str:
    """A row for each partition with the file system on it, for each volume, for a whole disk."""
    rows = list(_rows(guest))
    text = table(_HEAD, rows[:MOST_DRAWN], kind="disk")
    more = len(rows) - MOST_DRAWN
    return text + (f'<p class="sub">and {more} more</p>' if more > 0 else "")


def _rows(guest: GuestFacts) -> Iterator[list[str]]:
    filesystems = guest.filesystems or ()
    by_partition = {fs.partition: fs for fs in filesystems if fs.volume is None}
    for part in guest.table.partitions if guest.table is not None else ():
        fs = by_partition.pop(part.number, None)
        yield [
            _key(part.role.value) + f"{part.number}",
            escaped(f"{part.role} {part.label or ''}".rstrip()),
            _held(fs, guest),
            format_size(part.length),
            _used(fs),
            str(part.start),
        ]
    for volume in guest.volumes:
        fs = next((one for one in filesystems if one.volume == volume.name), None)
        yield [
            _key("fs") + escaped(volume.name),
            "volume",
            _held(fs, guest),
            format_size(volume.size),
            _used(fs),
            "",
        ]
    for fs in by_partition.values():
        size = format_size(fs.size) if fs.size is not None else ""
        yield [_key("fs") + escaped(fs.place), "", _held(fs, guest), size, _used(fs), ""]


def _key(kind: str) -> str:
    shape = f'<rect class="{kind}" width="100%" height="100%"/>'
    return f'<svg class="key" aria-hidden="true">{shape}</svg>'


def _held(fs: FileSystem | None, guest: GuestFacts) -> str:
    if fs is None:
        return ""
    said = [fs.type]
    if guest.root is not None and fs is _root(guest):
        said.append("(root)")
    if fs.label:
        said.append(repr(fs.label))
    return escaped(" ".join(said)) + (f"<br>{escaped(fs.note)}" if fs.note else "")


def _root(guest: GuestFacts) -> FileSystem | None:
    filesystems = guest.filesystems or ()
    index = guest.root
    return filesystems[index] if index is not None and 0 <= index < len(filesystems) else None


def _used(fs: FileSystem | None) -> str:
    if fs is None or fs.size is None or fs.free is None or not 0 <= fs.free <= fs.size:
        return ""
    return format_size(fs.size - fs.free)
