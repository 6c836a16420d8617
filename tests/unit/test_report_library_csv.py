"""A library's images as CSV: every value comes back, and none is a formula."""

from __future__ import annotations

import csv
import io
import json
import re
import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diskwright.model.library import Entry, ImageKind, Status
from diskwright.report.library import NESTED, entry_value
from diskwright.report.library_csv import (
    COLUMNS,
    CONSOLE_COLUMNS,
    csv_rows,
    defused,
    undefused,
)
from support.judgements import EVIL
from support.library_entries import entry, hostile_entry, many, team

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ARMED = st.text(st.sampled_from("=+-@\t\r\n\0;,'\"  ＝a1\u00a0|"))
ENTRIES = st.builds(
    Entry,
    id=TEXT | ARMED,
    name=st.none() | TEXT | ARMED,
    status=st.sampled_from(Status),
    kind=st.sampled_from(ImageKind),
    created=TEXT,
    updated=ARMED,
    seq=st.integers(-5, 1 << 70),
    head=TEXT,
    description=TEXT | ARMED,
    os=TEXT,
    tags=st.dictionaries(TEXT | ARMED, TEXT | ARMED, max_size=3),
    failed=st.lists(ARMED, max_size=3).map(tuple),
)


def read(lines: Iterable[str]) -> list[dict[str, str]]:
    """As bytes on a disk, as Python's own reader has them."""
    stored = "".join(lines).encode()
    text = io.StringIO(stored.decode("utf-8-sig"), newline="")
    return [
        {key: undefused(cell) for key, cell in row.items()}
        for row in csv.DictReader(text, strict=True)
    ]


def test_the_columns_are_the_console_s():
    (title, line) = csv_rows([team()[12]])
    assert title == ",".join(CONSOLE_COLUMNS) + "\r\n"
    assert line == (
        "billing-full,019a0012-7b10-7def-8123-000000000012,active,debian 12,full-server,"
        "2026-10-19T08:15:00Z,40 200,no,34691088384,no\r\n"
    )


def test_all_columns_are_every_field():
    (row,) = read(csv_rows([team()[12]], columns=["all"]))
    assert tuple(row) == COLUMNS
    assert set(entry_value(team()[12])) <= set(row)
    assert row["needs_memory_mib"] == "512"
    assert json.loads(row["disks"])[1]["name"] == "data-1.vmdk"


def test_chosen_columns_come_in_their_order():
    assert next(csv_rows([], columns=["tags", "id"])) == "tags,id\r\n"


def test_a_column_that_is_not_there_is_refused_before_anything_is_written():
    with pytest.raises(ValueError, match="no column 'nmae'"):
        csv_rows([], columns=["nmae"])


def test_the_mark_of_utf_8_is_there_on_request_only():
    assert next(csv_rows([], bom=True)).startswith("\ufeffname,")
    assert next(csv_rows([])).startswith("name,")


def test_what_is_not_known_is_empty():
    row = read(csv_rows([team()[14]], columns=["all"]))[0]
    assert row["name"] == row["can_sriov"] == row["tags"] == row["disk_gib"] == ""


@settings(deadline=None)
@given(st.lists(ENTRIES, max_size=4), st.booleans())
def test_every_value_comes_back(entries, bom):
    rows = read(csv_rows(entries, columns=("all",), bom=bom))
    for one, row in zip(entries, rows, strict=True):
        for name in ("id", "created", "updated", "head", "description", "os"):
            assert row[name] == getattr(one, name)
        assert row["name"] == (one.name or "")
        assert row["seq"] == str(one.seq)
        for name, told in NESTED.items():
            assert (json.loads(row[name]) if row[name] else None) == (told(one) or None)


@given(TEXT | ARMED)
def test_a_cell_comes_back(value):
    assert undefused(defused(value)) == value


@given(TEXT | ARMED)
def test_no_cell_begins_as_a_formula_wherever_it_is_cut(value):
    for part in re.split(r"[;\t\r\n]", defused(value)):
        assert not re.match(r'[ "\u00a0]*[=+\-@\0＝＋－＠]', part)
    assert not re.match(r"[ \"]*[\t\r\n]", defused(value))


@settings(deadline=None)
@given(st.lists(ENTRIES, max_size=2))
def test_no_cell_of_a_file_does(entries):
    for row in csv.reader(io.StringIO("".join(csv_rows(entries, columns=["all"])), newline="")):
        for cell in row:
            assert not re.match(r'[ "\u00a0]*[=+\-@\t\r\n\0＝＋－＠]', cell)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("  @SUM(A1)", "'  @SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("'=1", "''=1"),
        ("'quoted'", "'quoted'"),
        ("x;=1", "x;'=1"),
        ("- a\n- b", "'- a\n'- b"),
        ("a-b", "a-b"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_the_rule(value, cell):
    assert defused(value) == cell
    assert undefused(cell) == value


def test_a_hostile_entry_is_a_record_in_utf_8():
    lines = list(csv_rows([hostile_entry(), entry(1)], columns=["all"]))
    rows = read(lines)
    assert len(rows) == 2
    assert rows[0]["description"] == EVIL.replace("\udc80", "\\udc80")
    assert rows[1]["name"] == "debian-12-base-1"


def test_memory_does_not_grow_with_the_library():
    tracemalloc.start()
    try:
        assert sum(text.count("\r\n") for text in csv_rows(many(3000))) == 3001
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 300_000
