"""docs/library-json.md and docs/library-csv.md: every field is told, the rule is the one kept."""

from __future__ import annotations

import re
from pathlib import Path

from diskwright._values import field_names
from diskwright.model.library import Change, EntryDisk, ImageKind, MemberState, Status, Visibility
from diskwright.report.library import entry_value
from diskwright.report.library_csv import COLUMNS, CONSOLE_COLUMNS, defused
from support.library_entries import entry

DOCS = Path(__file__).parents[2] / "docs"
JSON = (DOCS / "library-json.md").read_text()
CSV = (DOCS / "library-csv.md").read_text()


def first_cells(page: str) -> set[str]:
    cells = re.findall(r"^\| (`[^|]*) \|", page, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_field_of_an_image_has_its_row():
    changes = set(field_names(Change))
    assert first_cells(JSON) == set(entry_value(entry())) | changes


def test_disks_and_words_are_told():
    told = set(re.findall(r"`([^`]+)`", JSON))
    assert set(field_names(EntryDisk)) <= told
    for kind in (Status, ImageKind, Visibility, MemberState):
        assert {one.value for one in kind} <= told


def test_the_console_s_columns_are_told_in_order():
    assert ", ".join(f"`{name}`" for name in CONSOLE_COLUMNS) in CSV
    own = set(COLUMNS) - set(entry_value(entry()))
    assert own <= set(re.findall(r"`([^`]+)`", CSV))


def test_the_code_of_the_page_undoes_the_rule():
    code = re.search(r"((?:^    .*\n)+)\Z", CSV, re.MULTILINE)
    assert code is not None
    program = "\n".join(line[4:] for line in code[1].splitlines())
    for value in ("=1", "'=1", "x;=1", "' \"＝\n- a\t", "'a", "a", ""):
        names = {"cell": defused(value)}
        exec(program, names)
        assert names["value"] == value
