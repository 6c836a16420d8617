"""rpm's database in SQLite: a table of headers.

SQLite reads it from memory, in the confined child, and the headers are read by us.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from diskwright.guest.reading import Unreadable, damaged
from diskwright.guest.software.entries import check_count, text_of
from diskwright.guest.software.rpm_layout import (
    ARCH,
    ENTRY,
    EPOCH,
    HEADER,
    INT32,
    MAX_ENTRIES,
    NAME,
    NO_SOFTWARE,
    RELEASE,
    STRING,
    VERSION,
)
from diskwright.model.examined import InstalledPackage, PackageKind
from diskwright.model.units import MIB

MAX_HEADER = 32 * MIB  # the largest of Fedora, texlive's, have some MiB
MAX_HEADERS = 512 * MIB  # of all headers: in a damaged file they can share their bytes
MAX_STEPS = 20_000_000  # of SQLite's machine; it takes some 10 for a row
_STEPS_AT_ONCE = 100_000

# "Database File Format" of sqlite.org, 1.3: the magic, and the versions for writing and reading, of
# which 2 means a write-ahead log beside the file. Of a database in memory there is none.
_MAGIC = b"SQLite format 3\0"
_VERSIONS = slice(18, 20)
_NO_LOG = b"\1\1"


def preload() -> None:
    """Have SQLite set itself up while files can be opened."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE any (one)")  # an empty database has no bytes
        database.deserialize(database.serialize())
        database.execute("SELECT count(*) FROM any").fetchall()


def parse_rpmdb(data: bytes) -> tuple[list[InstalledPackage], int]:
    """The packages, and how many headers were left out, as they are not to be understood.

    Raises Unreadable.
    """
    packages: list[InstalledPackage] = []
    left_out = 0
    for header in _headers(data):
        try:
            found = parse_header(header)
        except Unreadable:
            left_out += 1
            continue
        if found.name != NO_SOFTWARE:
            packages.append(found)
            check_count(packages)
    return packages, left_out


def parse_header(header: bytes) -> InstalledPackage:
    """Raises Unreadable."""
    if len(header) < HEADER.size:
        raise damaged("a header is cut off")
    count, length = HEADER.unpack_from(header)
    start = HEADER.size + count * ENTRY.size
    if count > MAX_ENTRIES or start + length > len(header):
        raise damaged(f"a header of {len(header)} bytes claims {count} entries, {length} of data")
    end = start + length
    texts: dict[int, str] = {}
    epoch = None
    for at in range(HEADER.size, start, ENTRY.size):
        tag, kind, offset, values = ENTRY.unpack_from(header, at)
        if kind == STRING and tag in (NAME, VERSION, RELEASE, ARCH):
            texts[tag] = _string(header, start + offset, end)
        elif tag == EPOCH and kind == INT32 and values == 1 and offset + 4 <= length:
            epoch = int.from_bytes(header[start + offset : start + offset + 4], "big")
    name, version, release = (texts.get(tag, "") for tag in (NAME, VERSION, RELEASE))
    if not name or not version or not release:
        raise damaged("a header without a name, a version or a release")
    whole = f"{version}-{release}"
    return InstalledPackage(PackageKind.RPM, name, whole, texts.get(ARCH, ""), epoch)


def _string(header: bytes, start: int, end: int) -> str:
    stop = header.find(b"\0", start, end)
    return text_of(header[start:stop]) if stop >= 0 else ""


def _headers(data: bytes) -> Iterator[bytes]:
    if not data.startswith(_MAGIC) or len(data) < 100:
        raise damaged("is no SQLite database")
    plain = bytearray(data)
    plain[_VERSIONS] = _NO_LOG
    try:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
            _restrict(database)
            database.deserialize(bytes(plain))
            yield from _rows(database)
    except sqlite3.Error as error:
        raise damaged(f"SQLite can't read it: {error}") from error
    except UnicodeDecodeError as error:  # of what SQLite quotes when it says what is wrong
        raise damaged("SQLite can't read it, for bytes that are no text") from error


def _restrict(database: sqlite3.Connection) -> None:
    """Time and memory have a limit, and nothing that the schema says is run."""
    left = MAX_STEPS // _STEPS_AT_ONCE

    def is_enough() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_HEADER)
    database.set_progress_handler(is_enough, _STEPS_AT_ONCE)
    database.text_factory = bytes
    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA cell_size_check = ON")


def _rows(database: sqlite3.Connection) -> Iterator[bytes]:
    total = 0
    _check_plain(database)
    for (header,) in database.execute("SELECT blob FROM Packages"):
        if not isinstance(header, bytes):
            raise damaged("a header is no blob")
        total += len(header)
        if total > MAX_HEADERS:
            raise Unreadable("too-large", f"its headers have more than {MAX_HEADERS} bytes")
        yield header


def _check_plain(database: sqlite3.Connection) -> None:
    """A view, a table of a module's or a column that is computed would be a program."""
    made = database.execute(
        "SELECT type, sql FROM sqlite_master WHERE name = 'Packages'"
    ).fetchone()
    plain = made is not None and made[0] == b"table" and (made[1] or b"")[:13] == b"CREATE TABLE "
    columns = database.execute("PRAGMA table_xinfo('Packages')").fetchall() if plain else []
    if (b"blob", 0) not in [(column[1], column[6]) for column in columns]:
        raise damaged("has no table of packages' headers")
