"""Every error has fields, a hint that can be filled, an exit code of the table, and a docs row."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from diskwright import errors

ROOT = Path(__file__).parents[2]
CODES = {2, 3, 10, 11, 12, 13, 14, 15, 130}


def leaves(cls: type) -> list[type]:
    below = [leaf for sub in cls.__subclasses__() for leaf in leaves(sub)]
    return below or [cls]


LEAVES = leaves(errors.DiskwrightError)


def fields(leaf: type) -> dict[str, str]:
    """The types of its fields by name."""
    return {
        name: kind
        for cls in reversed(leaf.__mro__[: leaf.__mro__.index(errors.DiskwrightError)])
        for name, kind in cls.__annotations__.items()
        if not kind.startswith("ClassVar")
    }


def example(leaf: type) -> errors.DiskwrightError:
    """Every field filled with something of its type."""
    values = {"str": "value", "int": 7, "float": 1.5, "int | None": 7}
    return leaf(**{name: values[kind] for name, kind in fields(leaf).items()})


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
class TestEveryError:
    def test_has_an_exit_code_of_the_table(self, leaf):
        assert leaf.exit_code in CODES

    def test_says_in_one_line_what_happened_with_its_fields(self, leaf):
        message = example(leaf).message
        assert message
        assert "\n" not in message
        assert not re.search(r"\{\w+\}", message)

    def test_has_a_hint_that_can_be_pasted(self, leaf):
        names = fields(leaf).keys() - {"hint_text"}
        hint = leaf.hint_template.format_map(dict.fromkeys(names, "x"))
        assert hint
        assert hint != errors.DiskwrightError.hint_template

    def test_stands_in_the_documentation(self, leaf):
        page = (ROOT / "docs" / "exit-codes.md").read_text()
        if issubclass(leaf, errors.ImageRefused):
            assert leaf.kind in {"unsafe", "broken", "unsupported"}
            return
        code = example(leaf).code
        assert f"| `{code}` | {leaf.kind} | {leaf.exit_code} |" in page

    def test_survives_a_trip_to_another_process(self, leaf):
        error = example(leaf)
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is leaf
        assert again.facts() == error.facts()


def test_a_given_hint_comes_before_the_template():
    assert errors.UsageError("wrong", "do this").hint == "do this"
    assert errors.UsageError("wrong").hint == errors.UsageError.hint_template


def test_a_refused_image_names_the_byte_and_the_short_name():
    error = errors.ImageBroken("disk", "table-too-large", "L1 of 16 GiB", 40)
    assert error.message == "disk: broken: L1 of 16 GiB (at byte 40) [table-too-large]"
    assert error.code == "table-too-large"


def test_cancelled_by_sigterm_ends_with_143():
    assert errors.Cancelled(15).status == 143
    assert errors.Cancelled(2).status == 130


class TestFieldsOfAnError:
    def test_are_given_by_place_or_by_name(self):
        by_place, by_name = (
            errors.UsageError("p", "h"),
            errors.UsageError(problem="p", hint_text="h"),
        )
        assert by_place.facts() == by_name.facts() == {"problem": "p", "hint_text": "h"}
        assert repr(by_place) == "UsageError(problem='p', hint_text='h')"
        assert by_place.hint_text == "h"

    @pytest.mark.parametrize(
        ("given", "named"),
        [((), {}), (("p", "h", "more"), {}), (("p",), {"other": 1}), (("p",), {"problem": "p"})],
    )
    def test_are_each_given_once_and_no_other(self, given, named):
        with pytest.raises(TypeError, match="UsageError takes problem, hint_text"):
            errors.UsageError(*given, **named)

    def test_come_from_all_above_and_have_their_defaults(self):
        error = errors.ImageBroken("disk", "short", detail="why")
        facts = {"path": "disk", "code_name": "short", "detail": "why"}
        assert error.facts() == {**facts, "offset": None, "hint_text": ""}
