"""Images of a library as CSV (RFC 4180): the columns of the console's own export, or any others.

A spreadsheet takes a cell for a formula that begins with `=`, `+`, `-`, `@`, a tab, a line break
or NUL, or with their full-width forms (OWASP, "CSV Injection"; ASVS 1.2.10). Spaces and quotes
before it are no help, as some skip them. Nor is quoting: where a system's list separator is `;`
(German, French) a comma separates nothing, and of the name `x;=1+1` a cell of its own would begin.
So an apostrophe is put before each formula, at a cell's begin and behind each `;`, tab or line
break in it; and one more where apostrophes are there already. `undefused` takes just those away. A
value that only begins with an apostrophe stays as it is. docs/library-csv.md tells this and the
columns.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from typing import Any

from diskwright._values import field_names
from diskwright.model.library import Entry, Listed
from diskwright.model.units import GIB
from diskwright.report.library import NESTED

BOM = "\ufeff"
ALL = "all"

_TOGETHER = 64  # records

_BEGIN = r"(?:\A|(?<=[;\t\r\n]))"
_FORMULA = "'*[ \"\u00a0\u3000]*[=+\\-@\t\r\n\0＝＋－＠]"
_SUSPECT = re.compile(f"[;\t\r\n]{_FORMULA}")  # the same behind a `;`, found in a third of the time
_LIVE = re.compile(f"{_BEGIN}(?={_FORMULA})")
_DEFUSED = re.compile(f"{_BEGIN}'(?={_FORMULA})")
_SURROGATE = re.compile("[\ud800-\udfff]")

_PLAIN = tuple(name for name in field_names(Entry) if name not in NESTED)

_encoded = json.JSONEncoder(ensure_ascii=False).encode  # made once: half of what it costs


def _json(told: Callable[[Entry], Any]) -> Callable[[Entry], str]:
    def cell(entry: Entry) -> str:
        value = told(entry)
        return _encoded(value) if value else ""

    return cell


def _disk_gib(entry: Entry | Listed) -> str:
    """Each disk's capacity in GiB, rounded up as a server's disk is."""
    return " ".join([str(-(-size // GIB)) for size in entry.virtual_sizes if size])


_CELLS: Mapping[str, Callable[[Any], Any]] = {
    **{name: attrgetter(name) for name in _PLAIN},
    **{name: _json(told) for name, told in NESTED.items()},
    "virtual_size": attrgetter("virtual_size"),
    "object_size": attrgetter("object_size"),
    "disk_gib": _disk_gib,
    "shared_disks": lambda _: False,
    "encryption": attrgetter("sealed"),
}
COLUMNS = tuple(_CELLS)  # by their names, which stay
LISTED_COLUMNS = frozenset(  # what can be told of `Listed` too
    {*_CELLS} & {*Listed._fields} | {"disk_gib", "shared_disks", "encryption"}
)
CONSOLE_COLUMNS = (  # in the order of the console's export list
    "name",
    "id",
    "status",
    "os",
    "kind",
    "created",
    "disk_gib",
    "shared_disks",
    "object_size",
    "encryption",
)


def csv_rows(
    entries: Iterable[Entry | Listed],
    *,
    columns: Sequence[str] = CONSOLE_COLUMNS,
    bom: bool = False,
) -> Iterator[str]:
    """The titles, then records, some at once, each with its `\\r\\n`; to be written as
    UTF-8 with no change of line ends. `columns`: names of `COLUMNS`, or `("all",)`; of `Listed` of
    `LISTED_COLUMNS`. `bom` is for Excel, which takes UTF-8 for something older without it. Raises
    ValueError for a column that there is none of.

    Sizes are bytes (but `disk_gib`), truths `yes` and `no`, what is not known is empty; several
    values are JSON. A lone surrogate, which UTF-8 can't hold, is spelled out.
    """
    names = COLUMNS if tuple(columns) == (ALL,) else tuple(columns)
    unknown = [name for name in names if name not in _CELLS]
    if unknown:
        raise ValueError(f"no column {unknown[0]!r}, there are: {', '.join(COLUMNS)}")
    return _rows(entries, names, BOM if bom else "")


def _rows(entries: Iterable[Entry | Listed], names: Sequence[str], begin: str) -> Iterator[str]:
    yield begin + _records([names])
    cells = [_CELLS[name] for name in names]
    left = iter(entries)
    while found := [[cell(one) for cell in cells] for one in islice(left, _TOGETHER)]:
        rows = [[it if isinstance(it, str) else _text(it) for it in row] for row in found]
        if _is_suspect(";".join(map(";".join, rows))):
            rows = [_safe(row) if _is_suspect(";".join(row)) else row for row in rows]
        yield _records(rows)


def _is_suspect(joined: str) -> bool:
    """Cells are looked at together: behind a `;` one begins anyway."""
    if _SUSPECT.search(f";{joined}"):
        return True
    return not joined.isascii() and _SURROGATE.search(joined) is not None


def _safe(row: Iterable[str]) -> list[str]:
    return [_SURROGATE.sub(_spelled, defused(text)) for text in row]


def _records(rows: Iterable[Sequence[str]]) -> str:
    made = io.StringIO(newline="")
    csv.writer(made, lineterminator="\r\n").writerows(rows)
    return made.getvalue()


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _spelled(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def defused(value: str) -> str:
    """The text of a cell that no spreadsheet takes for a formula; most values stay as they are."""
    return _LIVE.sub("'", value)


def undefused(cell: str) -> str:
    """The value that `defused` was given, whatever it was."""
    return _DEFUSED.sub("", cell)
