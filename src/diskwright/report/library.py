"""Images of a library as text and as JSON: a table of them, all of one, its history.

Whatever a manifest or a record says goes through `printable`, so that it can't move the cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from diskwright._values import Struct, field_names
from diskwright.model import codec
from diskwright.model.finding import Result
from diskwright.model.library import Change, Entry, EntryDisk
from diskwright.model.text import printable
from diskwright.report.columns import cells, cut, filled
from diskwright.report.library_words import LOOKS, called, entry_rows, marks, size_of, system_of
from diskwright.report.style import painted

_TOGETHER = 500  # rows that the columns are fitted to; the next ones may only widen them
_GAP = "  "
_LEAST_NAME = 20  # cells; columns go before a name gets narrower
_MOST_OS = 20  # cells, on a terminal
_SHORT_ID = len("019a3c2f-7b10")  # of UUID version 7 the milliseconds
_KEY_WIDTH = 17
_FIRST_TO_GO = ("stored", "kind", "created", "os")
_FIELDS = field_names(Entry)
_DISK_FIELDS = field_names(EntryDisk)


class _Column(Struct, frozen=True):
    """A title, and its cells of some rows. `look` paints one cell."""

    title: str
    shown: tuple[str, ...]
    looks: tuple[Result, ...] = ()
    right: bool = False


def entries_table(
    entries: Iterable[Entry],
    *,
    wide: bool = False,
    colour: bool = False,
    columns: int | None = None,
) -> Iterator[str]:
    """Lines, the titles first; none where there are no entries. Columns are as wide as what is in
    them, by 500 entries at a time, so that nothing waits for the last entry.

    `columns` is the width of the terminal, None where it is none: then nothing is cut. On one a
    long name ends in an ellipsis, an id is told to its milliseconds (enough to name the image by),
    and columns that find no room are left out; with `wide` everything is told whole.
    """
    room = None if wide else columns
    left = iter(entries)
    widths: dict[str, int] = {}
    while chunk := list(islice(left, _TOGETHER)):
        found = _columns(chunk, wide=wide, short=room is not None)
        first = not widths
        widths = _fitted(found, room) if first else _widened(widths, found, room)
        kept = [one for one in found if one.title in widths]
        if first:
            yield _line([_title(one, widths[one.title]) for one in kept])
        for row in range(len(chunk)):
            yield _line([_cell(one, row, widths[one.title], room, colour) for one in kept])


def _columns(chunk: Sequence[Entry], *, wide: bool, short: bool) -> list[_Column]:
    ids = [printable(entry.id) for entry in chunk]
    systems = [printable(one.os or system_of(one)) for one in chunk]
    found = [
        _column("name", map(called, chunk)),
        _column("id", (one[:_SHORT_ID] if short else one for one in ids)),
        _column("status", (one.status.value for one in chunk), [LOOKS[e.status] for e in chunk]),
        _column("kind", ("unknown" if one.kind is None else one.kind.value for one in chunk)),
        _column("os", (cut(os, _MOST_OS) for os in systems) if short else systems),
        _column("size", (size_of(one.virtual_size) for one in chunk), right=True),
        _column("stored", (size_of(one.object_size) for one in chunk), right=True),
        _column("created", (one.created if wide else one.created[:10] for one in chunk)),
    ]
    if wide:
        found += [
            _column("updated", (one.updated for one in chunk)),
            _column("arch", (one.architecture for one in chunk)),
            _column("boot", (one.boot_mode for one in chunk)),
            _column("memory", (f"{e.min_memory_mib} MiB" for e in chunk), right=True),
            _column("disks", (str(len(one.disks)) for one in chunk), right=True),
            _column("channel", (one.channel for one in chunk)),
            _column("from", (one.from_image for one in chunk)),
            _column("owner", (one.owner for one in chunk)),
            _column("proven", (one.proven[:10] for one in chunk)),
            _column("tags", (_tags(one) for one in chunk)),
        ]
    found.append(_column("notes", (", ".join(word for word, _ in marks(e)) for e in chunk)))
    return found


def _column(
    title: str, shown: Iterable[str], looks: Iterable[Result] = (), *, right: bool = False
) -> _Column:
    return _Column(title, tuple(map(printable, shown)), tuple(looks), right)


def _tags(entry: Entry) -> str:
    return ",".join(f"{key}={value}" if value else key for key, value in sorted(entry.tags.items()))


def _wanted(column: _Column) -> int:
    return max(map(cells, (column.title, *column.shown)))


def _fitted(found: Sequence[_Column], room: int | None) -> dict[str, int]:
    """The widths of those columns that stay."""
    widths = {one.title: _wanted(one) for one in found}
    if room is None:
        return widths
    name = widths["name"]
    for title in _FIRST_TO_GO:
        if _others(widths) + min(name, _LEAST_NAME) <= room:
            break
        del widths[title]
    widths["name"] = _name_width(widths, name, room)
    return widths


def _widened(widths: dict[str, int], found: Sequence[_Column], room: int | None) -> dict[str, int]:
    """The same columns, none narrower than it was; but for the name where there is no room."""
    wider = {
        one.title: max(widths[one.title], _wanted(one)) for one in found if one.title in widths
    }
    if room is not None:
        wider["name"] = _name_width(wider, wider["name"], room)
    return wider


def _others(widths: dict[str, int]) -> int:
    return sum(width + len(_GAP) for title, width in widths.items() if title != "name")


def _name_width(widths: dict[str, int], wanted: int, room: int) -> int:
    return min(wanted, max(_LEAST_NAME, room - _others(widths)))


def _title(column: _Column, width: int) -> str:
    title = column.title.upper()
    return title.rjust(width) if column.right else title.ljust(width)


def _cell(column: _Column, row: int, width: int, room: int | None, colour: bool) -> str:
    text = column.shown[row] if room is None else cut(column.shown[row], width)
    if column.right:
        text = " " * (width - cells(text)) + text
    padded = filled(text, width)
    if column.looks and colour:
        return painted(text, column.looks[row], colour=True) + padded[len(text) :]
    return padded


def _line(shown: Sequence[str]) -> str:
    return _GAP.join(shown).rstrip()


def entry_text(entry: Entry, *, base_name: str | None = None) -> str:
    """One attribute a line, `key value`; lines without a key go on with the one above. `base_name`:
    of the image that it rests on, where that is known."""
    rows = [("name", called(entry)), *entry_rows(entry, base_name=base_name)]
    return "\n".join(f"{key:<{_KEY_WIDTH}}{printable(value)}".rstrip() for key, value in rows)


def history_text(changes: Iterable[Change]) -> str:
    """A record a line, in the order they are given in."""
    rows = [
        [str(one.seq), *map(printable, (one.time, one.kind, one.who, one.what))] for one in changes
    ]
    titles = ["RECORD", "TIME", "KIND", "WHO", "WHAT"]
    widths = [max(map(cells, column)) for column in zip(titles, *rows, strict=True)]
    lines = (map(filled, row, widths) for row in (titles, *rows))
    return "\n".join(_line(list(line)) for line in lines) if rows else "no records"


def entry_value(entry: Entry) -> dict[str, Any]:
    """The fields of `Entry` by their names, `virtual_size` and `object_size` of all disks; of a
    recipient who it is, as wrapped keys are of the manifest. docs/library-json.md tells each.
    """
    value: dict[str, Any] = {name: getattr(entry, name) for name in _FIELDS}
    for name in ("status", "kind", "visibility", "received"):
        value[name] = codec.encode(value[name])
    value |= {name: told(entry) for name, told in NESTED.items()}
    value["virtual_size"] = entry.virtual_size
    value["object_size"] = entry.object_size
    return value


def _disks_value(entry: Entry) -> list[dict[str, Any]]:
    """As `codec.encode` tells them, in a third of the time: libraries are large."""
    return [{name: getattr(disk, name) for name in _DISK_FIELDS} for disk in entry.disks]


NESTED: dict[str, Callable[[Entry], Any]] = {  # fields of several values, as JSON has them
    "recipients": lambda entry: [
        {"provider": one.provider, "key_id": one.key_id} for one in entry.recipients
    ],
    "disks": _disks_value,
    "tags": lambda entry: dict(entry.tags),
    "tools": lambda entry: dict(entry.tools),
    "members": lambda entry: codec.encode(entry.members),
    "failed": lambda entry: list(entry.failed),
    "warnings": lambda entry: list(entry.warnings),
}


def change_value(change: Change) -> dict[str, Any]:
    """The fields of `Change` by their names."""
    value: dict[str, Any] = codec.encode(change)
    return value
