"""A query as SQL over the narrow rows. Values are bound, never written into it."""

from __future__ import annotations

import fnmatch
import re
import sqlite3
from collections.abc import Sequence

from diskwright._values import Struct, field
from diskwright.adapters.catalog.rows import GONE, INT_LIMIT, folded, one_line, text
from diskwright.model.library import SORTS, ImageKind, Query, Status

_SORT_COLUMNS = {"name": "name_key", "os": "os_key", "size": "virtual_size", "stored": "size"}

# GLOB tries every way to place its stars; beyond these the pattern is left to `fnmatch` alone
_GLOB_STARS = 8
_GLOB_LENGTH = 1000

_LIVE = frozenset(Status) - GONE


class Where(Struct):
    terms: list[str] = field(default_factory=list)
    values: list[str | int] = field(default_factory=list)
    pattern: re.Pattern[str] | None = None  # what the function `fits` asks, where GLOB can't tell
    scanned: bool = False  # rows are looked at: a sort's index, which lacks them, is no help

    def add(self, term: str, *values: str | int) -> None:
        self.terms.append(term)
        self.values += values

    @property
    def sql(self) -> str:
        return " AND ".join(self.terms) or "1"

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Gives `connection` the function that `sql` may name."""
        if self.pattern is not None:
            match = self.pattern.match
            connection.create_function(
                "fits", 1, lambda name: match(name) is not None, deterministic=True
            )


def where(query: Query, *, counting: bool = False) -> Where:
    """SQLite has no figures of ours to plan with, so the way is told by a `+`, which hides a column
    from its indexes. A page without filters, or of a tag, is read off the index of its sort; else
    all rows are looked at in their own order, ten times as fast as each by way of an index.
    """
    made = Where()
    _of_columns(made, query)
    if query.name:
        _of_name(made, text(query.name))
    made.scanned = counting or bool(made.terms)
    for key, value in query.tags.items():
        chosen, bound = "SELECT n FROM tags WHERE key = ?", [text(key)]
        if value is not None:
            chosen, bound = f"{chosen} AND value = ?", [text(key), text(value)]
        made.add(f"{'' if made.scanned else '+'}n IN ({chosen})", *bound)
    _of_statuses(made, query.statuses, "+" if made.scanned and made.terms else "")
    return made


def order(query: Query, where: Where) -> str:
    """Raises ValueError for a `sort` that is none of `SORTS`. None comes last, always."""
    if query.sort not in SORTS:
        raise ValueError(f"not sorted by {query.sort!r}")
    way = "DESC" if query.descending else "ASC"
    hidden = "+" if where.scanned else ""
    if query.sort == "id":
        return f"{hidden}id {way}"
    column = _SORT_COLUMNS.get(query.sort, query.sort)
    last = " NULLS LAST" if query.sort == "name" else ""
    return f"{hidden}{column} {way}{last}, id {way}"


def _of_columns(made: Where, query: Query) -> None:
    _one_of(made, "kind", [kind.value for kind in query.kinds])
    _one_of(made, "visibility", [visibility.value for visibility in query.visibilities])
    if query.os:
        made.add("instr(os_text, ?)", one_line(folded(query.os)))
    if query.memory_mib is not None:
        memory = max(min(query.memory_mib, INT_LIMIT), -INT_LIMIT)
        made.add("min_memory <= ? AND (max_memory = 0 OR max_memory >= ?)", memory, memory)
        made.add("kind <> ?", ImageKind.DATA.value)
    if query.created_since:
        made.add("created >= ?", text(query.created_since))
    if query.created_until:
        made.add("created <= ?", text(query.created_until))
    if query.channel:
        made.add("channel = ?", text(query.channel))


def _of_statuses(made: Where, statuses: Sequence[Status], hidden: str) -> None:
    """`gone` is told where it can be: the indexes of all sorts begin with it, and end with the
    status."""
    wanted = frozenset(statuses) or _LIVE
    if wanted <= _LIVE:
        made.add(f"{hidden}gone = 0")
    elif wanted <= GONE:
        made.add(f"{hidden}gone = 1")
    if wanted not in (_LIVE, GONE):
        _one_of(made, "+status", sorted(status.value for status in wanted))


def _one_of(made: Where, column: str, values: Sequence[str]) -> None:
    if values:
        made.add(f"{column} IN ({', '.join('?' * len(values))})", *values)


def _of_name(made: Where, pattern: str) -> None:
    """SQLite's GLOB goes over 100,000 names in some ms; a function of ours takes ten times that
    and is asked only of what has passed GLOB, where a set makes a difference."""
    glob, exact = _glob(pattern)
    if glob.count("*") > _GLOB_STARS or len(glob) > _GLOB_LENGTH:
        made.add("name IS NOT NULL")
        exact = False
    else:
        made.add("name GLOB ?", glob)
    if not exact:
        made.add("fits(name)")
        made.pattern = re.compile(fnmatch.translate(pattern))


def _glob(pattern: str) -> tuple[str, bool]:
    """A GLOB that takes all that `pattern` takes, and whether it takes nothing else.

    A set is written as `?`: a negated one and empty ranges are told otherwise in GLOB.
    """
    made, exact, place = [], True, 0
    while place < len(pattern):
        char = pattern[place]
        place += 1
        if char == "[":
            end = _end_of_set(pattern, place)
            if end is None:
                made.append("[[]")  # never closed: itself
                continue
            made.append("?")
            exact = False
            place = end + 1
        elif char != "*" or made[-1:] != ["*"]:
            made.append(char)
    return "".join(made), exact


def _end_of_set(pattern: str, start: int) -> int | None:
    """Where `fnmatch` sees the closing bracket of a set whose first character is at `start`."""
    first = start + 1 if pattern[start : start + 1] == "!" else start
    if pattern[first : first + 1] == "]":
        first += 1
    end = pattern.find("]", first)
    return None if end < 0 else end
