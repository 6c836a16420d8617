"""The catalog: entries, their histories, and what a sync remembers."""

from __future__ import annotations

import os
import sqlite3
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, TypeAlias, TypeVar

from diskwright.adapters.catalog import filters, rows
from diskwright.adapters.catalog.connection import connect, open_file, speaking
from diskwright.errors import IllegalState
from diskwright.model.library import Change, Entry, Listed, Query, Status, may_become

_Made = TypeVar("_Made")
_Decoder: TypeAlias = Callable[[Sequence[str], str], list[_Made]]

_MATCHES = 21
_PREFIX = 4  # characters of an id, at least

# What is written into SQL here are texts of this folder's alone (S608); values are bound
_WHOLE = "SELECT body FROM entries JOIN bodies USING (n)"
# Another's is, once it was accepted: whoever offers it chooses its name, and its id
_ACCEPTED = "coalesce(json_extract(body, '$.received'), 'accepted') = 'accepted'"
_OURS = f"(visibility <> 'shared' OR {_ACCEPTED})"
_BATCH = 100  # bodies or lines that are read at once
_THESE = f"WHERE n IN ({', '.join('?' * _BATCH)})"
_BODIES = f"SELECT n, body FROM bodies {_THESE}"  # noqa: S608
_LINES = f"SELECT n, line FROM lines {_THESE}"  # noqa: S608
_READING = "PRAGMA cache_size = -24576"  # KiB: in an order of theirs pages are come back to
# What refers to others first
_TABLES = ("bodies", "lines", "commits", "tags", "history", "entries", "notes")


class SqliteCatalog:
    """`ports_library.Catalog` over one file. Threads may share one; a closed one is a ValueError.

    Whatever SQLite complains of is DiskFull, Locked (another process writes for longer than
    `wait_s`), OutputNotWritable, or CatalogDamaged, after which `discard` and a rebuild help.
    """

    def __init__(self, path: str, connection: sqlite3.Connection, *, wait_s: float) -> None:
        self._path = path
        self._connection = connection
        self._wait_s = wait_s
        self._lock = threading.RLock()

    @classmethod
    def open(cls, path: str, *, wait_s: float = 10.0) -> SqliteCatalog:
        """Makes it where there is none. Raises UsageError for one of a newer version too."""
        path = os.path.abspath(path)
        return cls(path, open_file(path, wait_s), wait_s=wait_s)

    def close(self) -> None:
        with self._lock, speaking(self._path):
            self._connection.close()

    # --- reading ------------------------------------------------------------------------------

    def entry(self, image_id: str) -> Entry | None:
        found = self._entries("id = ?", rows.text(image_id))
        return found[0] if found else None

    def matching(self, wanted: str) -> tuple[Entry, ...]:
        name = rows.text(wanted)
        with self._transaction("BEGIN"):
            found = self._entries("id = ?", name)
            for whose in (_OURS, f"NOT {_OURS}"):
                named = f"name = ? AND +gone = 0 AND {whose}"
                found = found or self._entries(named, name, order="visibility = 'shared', id")
                if not found and len(wanted) >= _PREFIX:
                    begun = f"id >= ? AND id < ? AND {whose}"
                    found = self._entries(begun, name, name + "\U0010ffff")
        return tuple(found)

    def _entries(self, term: str, *values: str, order: str = "id") -> list[Entry]:
        sql = f"{_WHOLE} WHERE {term} ORDER BY {order} LIMIT {_MATCHES}"
        return rows.entries_of([body for (body,) in self._all(sql, *values)], self._path)

    def query(self, query: Query) -> Iterator[Entry]:
        """The moment is that at which the first is taken."""
        return self._read(query, _BODIES, rows.entries_of)

    def listed(self, query: Query) -> Iterator[Listed]:
        """The same moment."""
        return self._read(query, _LINES, rows.listed_of)

    def _read(self, query: Query, texts: str, made: _Decoder[_Made]) -> Iterator[_Made]:
        where = filters.where(query)
        order = filters.order(query, where)
        limit = min(query.limit, rows.INT_LIMIT) or -1
        offset = min(query.offset, rows.INT_LIMIT)
        sql = f"SELECT n FROM entries WHERE {where.sql} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608
        return self._batches(where, sql, (*where.values, limit, offset), texts, made)

    def _batches(
        self,
        where: filters.Where,
        sql: str,
        values: tuple[str | int, ...],
        texts: str,
        made: _Decoder[_Made],
    ) -> Iterator[_Made]:
        # A connection of its own: its snapshot lasts for as long as its reader takes
        with speaking(self._path), closing(connect(self._path, self._wait_s)) as connection:
            connection.execute(_READING)
            where.prepare(connection)
            connection.execute("BEGIN")
            # Numbers first: sorted with their texts, these would be written to a temporary file
            numbers = array("q", (n for (n,) in connection.execute(sql, values)))
            for start in range(0, len(numbers), _BATCH):
                batch = numbers[start : start + _BATCH]
                filled = (*batch, *[-1] * (_BATCH - len(batch)))  # one statement for all
                found = dict(connection.execute(texts, filled))
                yield from made([found.get(n, "null") for n in batch], self._path)

    def count(self, query: Query) -> int:
        where = filters.where(query, counting=True)
        sql = f"SELECT count(*) FROM entries WHERE {where.sql}"  # noqa: S608
        with self._lock:
            where.prepare(self._connection)
            ((number,),) = self._all(sql, *where.values)
        return int(number)

    def history(self, image_id: str) -> tuple[Change, ...]:
        found = self._all(
            "SELECT history.seq, time, history.kind, who, what, digest FROM history"
            " JOIN entries USING (n) WHERE id = ? ORDER BY place",
            rows.text(image_id),
        )
        return tuple(Change(*row) for row in found)

    def heads(self) -> dict[str, tuple[int, str]]:
        return {
            image_id: (seq, head)
            for image_id, seq, head in self._all("SELECT id, seq, head FROM entries")
        }

    def tag_values(self) -> dict[str, tuple[str, ...]]:
        """Sorted; of the images in the trash too, as these are looked for as well."""
        made: dict[str, list[str]] = {}
        for key, value in self._all("SELECT DISTINCT key, value FROM tags ORDER BY key, value"):
            made.setdefault(key, []).append(value)
        return {key: tuple(values) for key, values in made.items()}

    def note(self, name: str) -> str | None:
        found = self._all("SELECT value FROM notes WHERE name = ?", name)
        return str(found[0][0]) if found else None

    def commit(self, image_id: str) -> str | None:
        sql = "SELECT text FROM commits JOIN entries USING (n) WHERE id = ?"
        found = self._all(sql, rows.text(image_id))
        return str(found[0][0]) if found else None

    # --- writing ------------------------------------------------------------------------------

    def save(self, entry: Entry, history: Sequence[Change]) -> None:
        columns, body, line = rows.columns(entry), rows.body(entry), rows.line(entry)
        with self._transaction("BEGIN IMMEDIATE") as connection:
            n = self._row_of(entry)
            if n is None:
                names, places = ", ".join(columns), ", ".join(f":{name}" for name in columns)
                sql = f"INSERT INTO entries ({names}) VALUES ({places})"  # noqa: S608
                n = connection.execute(sql, columns).lastrowid
            else:
                changes = ", ".join(f"{name} = :{name}" for name in columns)
                sql = f"UPDATE entries SET {changes} WHERE n = {n:d}"  # noqa: S608
                connection.execute(sql, columns)
                connection.execute("DELETE FROM tags WHERE n = ?", (n,))
                connection.execute("DELETE FROM history WHERE n = ?", (n,))
            connection.execute("INSERT OR REPLACE INTO bodies VALUES (?, ?)", (n, body))
            connection.execute("INSERT OR REPLACE INTO lines VALUES (?, ?)", (n, line))
            connection.executemany(
                "INSERT OR IGNORE INTO tags VALUES (?, ?, ?)",
                [(rows.text(key), rows.text(value), n) for key, value in entry.tags.items()],
            )
            connection.executemany(
                "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(n, place, *rows.change(it)) for place, it in enumerate(history)],
            )

    def _row_of(self, entry: Entry) -> int | None:
        """The number of its row. Raises IllegalState for a step that there is none of: with each
        record that came since one may have been taken."""
        found = self._all("SELECT n, status, seq FROM entries WHERE id = ?", rows.text(entry.id))
        if not found:
            return None
        n, before, seq = found[0]
        if not may_become(Status(before), entry.status, several=entry.seq > seq):
            raise IllegalState(f"image {entry.id}", before, entry.status.value)
        return int(n)

    def forget(self, image_id: str) -> None:
        with self._transaction("BEGIN IMMEDIATE") as connection:
            connection.execute("DELETE FROM entries WHERE id = ?", (rows.text(image_id),))

    def keep_commit(self, image_id: str, text: str) -> None:
        sql = "INSERT OR REPLACE INTO commits SELECT n, ? FROM entries WHERE id = ?"
        with self._transaction("BEGIN IMMEDIATE") as connection:
            connection.execute(sql, (text, rows.text(image_id)))

    def set_note(self, name: str, value: str) -> None:
        with self._transaction("BEGIN IMMEDIATE") as connection:
            connection.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, value))

    def clear(self) -> None:
        """The notes too: a sync begins anew."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            for table in _TABLES:
                connection.execute(f"DELETE FROM {table}")  # noqa: S608

    # --- SQLite -------------------------------------------------------------------------------

    def _all(self, sql: str, *values: str | int) -> list[tuple[Any, ...]]:
        with self._lock, speaking(self._path):
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock, speaking(self._path):
            self._connection.execute(begin)
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite itself has rolled back after some errors, a full disk for one
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
