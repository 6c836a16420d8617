"""A catalog's long list as CSV: the same bytes, whether whole entries are read for it or not."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diskwright._values import replace
from diskwright.adapters.catalog import SqliteCatalog
from diskwright.errors import CatalogDamaged
from diskwright.model.library import SORTS, ImageKind, Listed, MemberState, Query, Status
from diskwright.report.library_csv import CONSOLE_COLUMNS, LISTED_COLUMNS, csv_rows
from support.entries import full
from support.library_entries import disk, entry, hostile_entry, many, team

EVERY = tuple(Status)
TEXT = st.text(max_size=6) | st.text("=+-@\t\r\n\0;,'\" ＝a\u00a0\ud800\U0001f600", max_size=6)
DISKS = st.lists(st.builds(disk, *[st.sampled_from([0, 1, 1 << 30, 1 << 65])] * 2), max_size=3)
DRAWN = st.fixed_dictionaries(
    {
        "name": st.none() | TEXT,
        "status": st.sampled_from(Status),
        "kind": st.sampled_from(ImageKind),
        "created": TEXT,
        "os": TEXT,
        "sealed": st.booleans(),
        "disks": DISKS.map(tuple),
    }
)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "catalog.db")


@pytest.fixture
def catalog(path):
    with closing(SqliteCatalog.open(path)) as opened:
        yield opened


def of_all_kinds():
    received = [
        entry(40 + number, name=f"@theirs-{state}", received=state, origin="s3://theirs/images")
        for number, state in enumerate(MemberState)
    ]
    shown = [
        entry(50 + 3 * number + place, name=f"{status}-{kind}", status=status, kind=kind)
        for number, status in enumerate(Status)
        for place, kind in enumerate(ImageKind)
    ]
    cells = ["=1+1", "x;=1", "'=1", "a,b", 'a"b', "two\nlines", "\r", "", "名前", "\udc80", "\0"]
    odd = [
        replace(entry(100 + number, name=cell, os=cell, created=cell), id=f"{number}{cell}")
        for number, cell in enumerate(cells)
    ]
    sizes = entry(200, disks=(disk(0, 0), disk(1, 1), disk(1 << 70, 1 << 70)))
    return [*team(), *received, *shown, *odd, sizes, full(300), hostile_entry(), *many(450)]


def told(entries, columns):
    return "".join(csv_rows(entries, columns=columns))


@pytest.mark.parametrize("sort", SORTS)
def test_it_is_the_same_of_entries_of_all_kinds(catalog, sort):
    for one in of_all_kinds():
        catalog.save(one, ())
    for query in (Query(sort=sort, statuses=EVERY), Query(sort=sort, limit=230, offset=7)):
        for columns in (CONSOLE_COLUMNS, sorted(LISTED_COLUMNS), ["name"]):
            whole = told(catalog.query(query), columns)
            assert told(catalog.listed(query), columns) == whole
            assert whole.count("\r\n") > 200


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(DRAWN, max_size=4))
def test_it_is_the_same_whatever_they_say(catalog, drawn):
    catalog.clear()
    for number, fields in enumerate(drawn):
        catalog.save(entry(number, **fields), ())
    query = Query(statuses=EVERY)
    assert told(catalog.listed(query), CONSOLE_COLUMNS) == told(
        catalog.query(query), CONSOLE_COLUMNS
    )


def test_a_save_changes_what_is_listed_and_what_is_forgotten_is_gone(catalog):
    catalog.save(entry(1, name="a"), ())
    catalog.save(entry(1, name="b"), ())
    assert [one.name for one in catalog.listed(Query())] == ["b"]
    catalog.forget(entry(1).id)
    assert list(catalog.listed(Query())) == []


def _undo_later_steps(database: sqlite3.Connection) -> None:
    """All but the first."""
    for statement in (
        "DROP TABLE lines",
        "DROP TABLE commits",
        "DROP INDEX entries_by_stored",
        "DROP INDEX entries_by_size",
        "ALTER TABLE entries DROP COLUMN virtual_size",
        "CREATE INDEX entries_by_size ON entries (gone, size, id, status)",
    ):
        database.execute(statement)


def test_a_catalog_of_an_older_version_lists_the_same(path):
    with closing(SqliteCatalog.open(path)) as catalog:
        for one in of_all_kinds():
            catalog.save(one, ())
        before = told(catalog.query(Query(statuses=EVERY)), CONSOLE_COLUMNS)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        _undo_later_steps(database)
        database.execute("PRAGMA user_version = 1")
    with closing(SqliteCatalog.open(path)) as catalog:
        assert told(catalog.listed(Query(statuses=EVERY)), CONSOLE_COLUMNS) == before


@pytest.mark.parametrize("line", ["{", "[]", "null", "[1,2]", None])
def test_a_line_that_is_none_is_damage(path, line):
    with closing(SqliteCatalog.open(path)) as catalog:
        catalog.save(entry(1), ())
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("DELETE FROM lines")
            if line is not None:
                database.execute("INSERT INTO lines VALUES (1, ?)", (line,))
        with pytest.raises(CatalogDamaged):
            list(catalog.listed(Query()))


def test_a_damaged_body_of_an_older_version_is_told_when_it_is_listed(path):
    with closing(SqliteCatalog.open(path)) as catalog:
        catalog.save(entry(1), ())
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        _undo_later_steps(database)
        database.execute("UPDATE bodies SET body = '{'")
        database.execute("PRAGMA user_version = 1")
    with closing(SqliteCatalog.open(path)) as catalog, pytest.raises(CatalogDamaged):
        list(catalog.listed(Query()))


def test_every_field_is_one_of_an_entry():
    assert all(hasattr(full(), name) for name in Listed._fields)
