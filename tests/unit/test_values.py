from __future__ import annotations

import pytest

from diskwright._values import Secretive, Struct, field, field_names, replace, required_names


class Key(Secretive, frozen=True):
    name: str
    secret: bytes


class Plain(Struct, frozen=True):
    first: int
    second: str = "x"
    third: list[int] = field(default_factory=list)


class More(Plain, frozen=True):
    fourth: int = 4


def test_what_holds_a_secret_shows_no_field_of_it():
    key = Key("mine", b"hush")
    shown = [repr(key), str(key), f"{key}", f"{key!r}", repr([key]), repr(replace(key, name="his"))]
    assert not any(word in text for text in shown for word in ("hush", "mine", "his"))
    assert repr(key) == "Key(...)"
    assert list(key.__rich_repr__()) == []


def test_fields_are_told_in_order_and_which_have_to_be_given():
    assert field_names(Plain) == field_names(Plain(1)) == ("first", "second", "third")
    assert field_names(More) == ("first", "second", "third", "fourth")
    assert required_names(Plain) == required_names(More) == ("first",)
    assert required_names(Key) == ("name", "secret")


def test_a_frozen_value_is_equal_by_its_fields_to_its_own_kind_alone():
    assert Plain(1) == Plain(1)
    assert Plain(1) != Plain(2)
    assert Plain(1) != More(1)
    with pytest.raises(AttributeError, match="immutable"):
        Plain(1).first = 2  # type: ignore[misc]
    with pytest.raises(TypeError):
        replace(Plain(1), fifth=5)
