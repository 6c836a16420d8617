"""The tables, and the numbered steps to the newest of them.

    entries ── one narrow row an image: what is sorted and filtered by
       ├─ bodies    the whole entry as JSON. Beside the row, as a filter runs over all rows
       ├─ lines     of it what a long list tells
       ├─ commits   of large manifests what never changes
       ├─ tags
       └─ history   in its order, from 0
    notes           what a sync remembers

A released step is never changed: a new one is added behind it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from diskwright.adapters.catalog import rows
from diskwright.errors import CatalogDamaged, UsageError

APPLICATION = 0x64774341  # "dwCA" at byte 68 of the file: it is a catalog of ours

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE entries (
            n INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            gone INTEGER NOT NULL,  -- 1: in the trash, or deleted
            status TEXT NOT NULL,
            kind TEXT NOT NULL,
            visibility TEXT NOT NULL,
            name TEXT,
            name_key TEXT,  -- casefolded, as it is sorted
            created TEXT NOT NULL,
            updated TEXT NOT NULL,
            size INTEGER NOT NULL,  -- bytes as stored
            os_key TEXT NOT NULL,
            os_text TEXT NOT NULL,  -- what a query's `os` is looked for in
            min_memory INTEGER NOT NULL,  -- MiB
            max_memory INTEGER NOT NULL,
            channel TEXT NOT NULL,
            seq INTEGER NOT NULL,
            head TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX entries_by_exact_name ON entries (name)",
        # One for each way to sort: a first page is read off its end. They begin with `gone`, as
        # what is gone is left out unless it is asked for, and tell the status without a look.
        "CREATE INDEX entries_by_id ON entries (gone, id, status)",
        "CREATE INDEX entries_by_name ON entries (gone, name_key, id, status)",
        "CREATE INDEX entries_by_created ON entries (gone, created, id, status)",
        "CREATE INDEX entries_by_updated ON entries (gone, updated, id, status)",
        "CREATE INDEX entries_by_size ON entries (gone, size, id, status)",
        "CREATE INDEX entries_by_status ON entries (gone, status, id)",
        "CREATE INDEX entries_by_kind ON entries (gone, kind, id, status)",
        "CREATE INDEX entries_by_os ON entries (gone, os_key, id, status)",
        """CREATE TABLE bodies (
            n INTEGER PRIMARY KEY REFERENCES entries ON DELETE CASCADE,
            body TEXT NOT NULL
        ) STRICT""",
        """CREATE TABLE tags (
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            n INTEGER NOT NULL REFERENCES entries ON DELETE CASCADE,
            PRIMARY KEY (key, value, n)
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX tags_by_entry ON tags (n)",
        """CREATE TABLE history (
            n INTEGER NOT NULL REFERENCES entries ON DELETE CASCADE,
            place INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            time TEXT NOT NULL,
            kind TEXT NOT NULL,
            who TEXT NOT NULL,
            what TEXT NOT NULL,
            digest TEXT NOT NULL,
            PRIMARY KEY (n, place)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE notes (
            name TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE lines (
            n INTEGER PRIMARY KEY REFERENCES entries ON DELETE CASCADE,
            line TEXT NOT NULL
        ) STRICT""",
        "INSERT INTO lines SELECT n, line_of(body) FROM bodies",
    ),
    (
        """CREATE TABLE commits (
            n INTEGER PRIMARY KEY REFERENCES entries ON DELETE CASCADE,
            text TEXT NOT NULL
        ) STRICT""",
    ),
    (
        # As the guests see it; `size` is as stored
        "ALTER TABLE entries ADD COLUMN virtual_size INTEGER NOT NULL DEFAULT 0",
        """UPDATE entries SET virtual_size = (
            SELECT CAST(total(value) AS INTEGER) FROM lines, json_each(line, '$[6]')
            WHERE lines.n = entries.n
        )""",
        "DROP INDEX entries_by_size",
        "CREATE INDEX entries_by_size ON entries (gone, virtual_size, id, status)",
        "CREATE INDEX entries_by_stored ON entries (gone, size, id, status)",
    ),
)


def is_ready(connection: sqlite3.Connection, path: str, *, newest: int) -> bool:
    """False for a file that is empty or of an older version.

    Raises UsageError for one of a newer version, CatalogDamaged for another program's.
    """
    version = _number(connection, "user_version")
    if _number(connection, "application_id") != APPLICATION:
        if version or _number(connection, "schema_version"):
            raise CatalogDamaged(path, "it is another program's database")
        return False
    if version > newest:
        raise UsageError(
            f"{path} was made by a newer diskwright (version {version}; this one knows {newest})",
            "use that one; or remove the file, then: diskwright library rebuild",
        )
    return version == newest


def migrate(connection: sqlite3.Connection, steps: Sequence[Sequence[str]]) -> None:
    """Each step whole or not at all. `connection` is in autocommit mode."""
    connection.create_function("line_of", 1, rows.line_of, deterministic=True)
    for number, statements in enumerate(steps, 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _number(connection, "user_version") < number:
                for statement in statements:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    (value,) = connection.execute(f"PRAGMA {pragma}").fetchone()
    return int(value)
