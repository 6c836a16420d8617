"""docs/input-safety.md: every promise has its test, every bound its value, every code its row."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from diskwright.formats import limits
from diskwright.formats.support import SUPPORT
from diskwright.model.units import format_size
from support.hostile.corpus import rows

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "input-safety.md").read_text()
ROOMS = ("formats", "ops", "adapters", "blockio")
KINDS = {
    "unsafe": "unsafe",
    "broken": "broken",
    "unsupported": "unsupported",
    "ImageUnsafe": "unsafe",
    "ImageBroken": "broken",
    "ImageUnsupported": "unsupported",
    "Problem": "[problem]",
}
# Of the disk's own content, which rules judge: docs/rules.md. The corpus has them too.
OF_GUESTS = {"partition-overlap", "partition-loop"}


def test_it_can_be_read_at_one_sitting() -> None:
    assert len(PAGE.splitlines()) <= 200


NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_test_that_it_names_is_there(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    assert name in {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}


def test_every_promise_names_a_test() -> None:
    of_all = PAGE.partition("## Of every file")[2].partition("## Format by format")[0]
    of_each = PAGE.partition("stands in the support table")[2].partition("## Short names")[0]
    promises = [*of_all.split("\n- ")[1:], *of_each.split("\n**")[1:]]
    assert len(promises) > 20
    assert [p for p in promises if "::test_" not in p] == []


def test_every_format_that_is_read_has_its_promises() -> None:
    heads = " ".join(re.findall(r"^\*\*[^:]*:", PAGE, re.MULTILINE))
    for row in SUPPORT:
        assert not row.read or re.search(rf"\b{row.format.value}\b", heads), row.format


BOUNDS = re.findall(r"`([A-Z0-9_]+)` = (\d(?:[\d,]*\d)?(?: [KMG]iB)?)", PAGE)


@pytest.mark.parametrize(("name", "said"), BOUNDS)
def test_a_bound_has_the_value_that_it_says(name: str, said: str) -> None:
    value = getattr(limits, name)
    assert said == f"{value:,.0f}" or (name.endswith("BYTES") and said == format_size(value))


def test_every_bound_that_it_names_has_its_value() -> None:
    named = re.findall(r"`([A-Z][A-Z0-9_]{4,})`", PAGE)
    assert sorted(named) == sorted(name for name, _ in BOUNDS)


def table() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in PAGE.partition("## Short names")[2].partition("## How")[0].splitlines():
        if line.startswith("| `"):
            names, kinds, _what = line.strip("| ").split(" | ", 2)
            for name in re.findall(r"`([\w-]+)`", names):
                assert name not in found
                found[name] = set(kinds.split(", "))
    return found


def calls() -> Iterator[ast.Call]:
    for room in ROOMS:
        for path in sorted((ROOT / "src" / "diskwright" / room).rglob("*.py")):
            tree = ast.parse(path.read_text())
            yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


@cache
def raised() -> dict[str, set[str]]:
    """Short names that stand in the code where one is made, with the kinds of their errors."""
    found: dict[str, set[str]] = {}
    for call in calls():
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        if name not in KINDS:
            continue
        place = 1 if name.startswith("Image") else 0
        code = call.args[place] if len(call.args) > place else None
        if isinstance(code, ast.Constant):
            found.setdefault(code.value, set()).add(KINDS[name])
    return found


def test_every_short_name_of_the_code_has_a_row_with_its_kinds() -> None:
    rows_ = table()
    assert {n: k for n, k in raised().items() if not k <= rows_.get(n, set())} == {}


def test_every_row_is_a_short_name_of_the_code() -> None:
    written = {
        node.value
        for room in ROOMS
        for path in (ROOT / "src" / "diskwright" / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
    }
    assert set(table()) <= written


def test_every_finding_of_the_hostile_corpus_has_a_row() -> None:
    findings = {row.finding for row in rows()} - {"none"} - OF_GUESTS
    assert findings <= set(table())
