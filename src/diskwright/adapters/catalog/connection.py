"""The catalog's file: made for its owner alone, opened by several processes at once."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from diskwright.adapters.catalog import schema
from diskwright.blockio.placing import locked_folder
from diskwright.errors import (
    CatalogDamaged,
    DiskFull,
    DiskwrightError,
    Locked,
    OutputNotWritable,
    ToolMissing,
    writing,
)

_OLDEST = (3, 37)  # the first SQLite with STRICT tables
_BESIDE = ("", "-wal", "-shm")  # what SQLite keeps beside the file itself

# Primary result codes (sqlite.org/rescode.html) that say what is wrong with the file, not with us
_FULL = {sqlite3.SQLITE_FULL}
_IN_USE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_ERROR,  # a table or a column of ours is not there
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_CONSTRAINT,  # ours are never broken by what an entry holds
    sqlite3.SQLITE_SCHEMA,
    sqlite3.SQLITE_FORMAT,
}


def translated(path: str, error: sqlite3.Error) -> DiskwrightError | ValueError:
    """What SQLite said of the catalog at `path`, in our words."""
    # Python's own complaints carry no code: of misuse, or of text that is not UTF-8
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        if isinstance(error, sqlite3.ProgrammingError):
            return ValueError(f"the catalog is closed, or misused: {error}")
        return CatalogDamaged(path, str(error))
    primary = code & 0xFF
    if primary in _FULL or code == sqlite3.SQLITE_IOERR_SHMSIZE:
        return DiskFull(path)
    if primary in _IN_USE:
        return Locked(path)
    if primary in _DAMAGED:
        return CatalogDamaged(path, str(error))
    return OutputNotWritable(path, str(error))


@contextmanager
def speaking(path: str) -> Iterator[None]:
    """Inside it a sqlite3.Error becomes DiskFull, Locked, CatalogDamaged or OutputNotWritable."""
    try:
        yield
    except sqlite3.Error as error:
        raise translated(path, error) from error


def connect(path: str, wait_s: float) -> sqlite3.Connection:
    """In autocommit mode, for any thread. `wait_s`: how long others' writing is waited for."""
    connection = sqlite3.connect(
        f"file:{_quoted(path)}?mode=rw",
        uri=True,
        timeout=wait_s,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        # In WAL a power cut may take the last commits back, and no more: the library has them
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def open_file(path: str, wait_s: float) -> sqlite3.Connection:
    """The catalog at `path`, made or brought to the newest version where that is needed."""
    if sqlite3.sqlite_version_info < _OLDEST:
        raise ToolMissing("SQLite 3.37 or newer", "libsqlite3-0")
    with writing(path):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    with speaking(path):
        connection = connect(path, wait_s)
        try:
            if not (_is_newest(connection, path) and _journal(connection) == "wal"):
                _make_ready(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _make_ready(connection: sqlite3.Connection, path: str) -> None:
    # The change to WAL fails at once where another process is about it, however long it may wait
    with writing(path), locked_folder(os.path.dirname(path)):
        if not _is_newest(connection, path):
            _journal(connection, " = WAL")
            schema.migrate(connection, schema.MIGRATIONS)
        if _journal(connection, " = WAL") != "wal":
            raise OutputNotWritable(path, "its file system can't share memory (SQLite's WAL)")


def _is_newest(connection: sqlite3.Connection, path: str) -> bool:
    return schema.is_ready(connection, path, newest=len(schema.MIGRATIONS))


def _journal(connection: sqlite3.Connection, change: str = "") -> str:
    (mode,) = connection.execute(f"PRAGMA journal_mode{change}").fetchone()
    return str(mode)


def discard(path: str) -> None:
    """Removes a catalog, damaged ones too. Who has it open works on in what nobody sees."""
    path = os.path.abspath(path)
    with writing(path):
        for suffix in _BESIDE:
            with suppress(FileNotFoundError):
                os.unlink(path + suffix)


def _quoted(path: str) -> str:
    """As sqlite.org/uri.html wants it; a file name of any bytes goes through."""
    return "".join(
        chr(byte) if (chr(byte).isalnum() and byte < 128) or byte in b"/._-~" else f"%{byte:02X}"
        for byte in os.fsencode(path)
    )
