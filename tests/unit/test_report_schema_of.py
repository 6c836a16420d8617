"""A JSON Schema by the hints of values: it follows them, and fits what the codec writes."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from contextlib import suppress
from enum import Enum
from typing import Any

import jsonschema
import pytest

import diskwright.model
from diskwright._values import Struct, field_names
from diskwright.model import codec
from diskwright.model.guest import GuestFacts
from diskwright.model.outcome import Inspected
from diskwright.report.schema import schema
from diskwright.report.schema_of import Definitions
from support.good_facts import BIOS, IMAGE, UEFI


class Colour(Enum):
    RED = "red"


class Leaf(Struct, frozen=True):
    """What is
    at the end."""

    colour: Colour
    number: int | None = None


class Tree(Struct, frozen=True):
    leaves: tuple[Leaf, ...]
    pair: tuple[int, int]
    named: dict[str, Leaf]
    below: tuple[Tree, ...] = ()


class More(GuestFacts, frozen=True):
    leaf: Leaf | None = None


def checker(kind: Any) -> jsonschema.Draft202012Validator:
    known = Definitions()
    whole = {**known.of(kind), "$defs": known.made}
    jsonschema.Draft202012Validator.check_schema(whole)
    return jsonschema.Draft202012Validator(whole)


LEAF = Leaf(Colour.RED)
GOOD = codec.encode(Tree((LEAF,), (1, 2), {"a": LEAF}, (Tree((), (3, 4), {}),)))


def test_what_is_written_fits():
    checker(Tree).validate(GOOD)


@pytest.mark.parametrize(
    "change",
    [
        {"leaves": None},
        {"leaves": [{"colour": "blue", "number": 1}]},
        {"leaves": [{"colour": "red"}]},
        {"leaves": [{"colour": "red", "number": "1"}]},
        {"pair": [1]},
        {"pair": [1, 2, 3]},
        {"named": {"a": 1}},
        {"below": [{}]},
    ],
)
def test_what_is_not_does_not(change):
    with pytest.raises(jsonschema.ValidationError):
        checker(Tree).validate(GOOD | change)


def test_a_description_is_the_first_words_of_the_kind():
    known = Definitions()
    known.of(Tree)
    assert known.made["test_report_schema_of.Leaf"]["description"] == "What is at the end."
    assert "description" not in known.made["test_report_schema_of.Tree"]


@pytest.mark.parametrize("kind", [float, bytes, set[int], int | float])
def test_what_the_codec_can_not_write_has_no_schema(kind):
    with pytest.raises(TypeError, match="can't be written"):
        Definitions().of(kind)


def test_a_section_that_facts_gain_is_in_it():
    described = Definitions().but(More)
    assert set(described["properties"]) == set(field_names(GuestFacts)) | {"leaf"}
    assert "leaf" in described["required"]
    checker(More).validate(codec.encode(More(leaf=LEAF)))
    with pytest.raises(jsonschema.ValidationError):
        checker(More).validate(codec.encode(GuestFacts()))


def test_each_section_of_what_is_inspected_is_in_the_schema():
    told = set(field_names(Inspected)) - {"path", "name"}
    inspected = schema()["allOf"][0]["then"]["properties"]["results"]["items"]["anyOf"][0]
    facts = inspected["properties"]["facts"]["anyOf"][0]["properties"]
    assert told <= set(facts)


@pytest.mark.parametrize("facts", [BIOS, UEFI, GuestFacts(), IMAGE])
def test_facts_fit(facts):
    checker(type(facts)).validate(codec.encode(facts))


def test_hints_of_every_value_are_found():
    """Also where a module names a kind in its hints only."""
    seen = 0
    for module in pkgutil.iter_modules(diskwright.model.__path__, "diskwright.model."):
        for kind in vars(importlib.import_module(module.name)).values():
            if (
                inspect.isclass(kind)
                and issubclass(kind, Struct)
                and kind.__module__ == module.name
            ):
                with suppress(TypeError):  # what is never printed may be of any type
                    Definitions().of(kind)
                seen += 1
    assert seen > 50
