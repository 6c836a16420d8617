"""Names, sizes, canonical JSON and the strict codec: what layouts and manifests rest on."""

from __future__ import annotations

import json
import uuid
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diskwright._values import Struct
from diskwright.model import canonical, codec, names
from diskwright.model.stored import MIB, part_size_for
from diskwright.model.units import format_size, parse_size, round_up

GIB = 1 << 30


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("web", "web"),
        ("web server 1", "web_server_1"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("-rf", "rf"),
        (".hidden", "hidden"),
        ("ä", "__"),
        ("a/b", "a_b"),
        ("x" * 100, "x" * 64),
        ("---", "image"),
        ("", "image"),
        ("\udcff", "_"),
    ],
)
def test_a_stem_is_safe_in_a_key(name, stem):
    assert names.stem(name) == stem


@given(st.text())
def test_a_stem_never_leaves_its_alphabet(name):
    stem = names.stem(name)
    assert 1 <= len(stem) <= 64
    assert not stem.startswith((".", "-"))
    assert set(stem) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


def test_image_ids_are_version_7_and_sort_by_time():
    ids = [names.uuid7(ms, bytes([255 - ms % 256] * 10)) for ms in (1, 2, 1 << 40)]
    assert ids == sorted(ids)
    for text in ids:
        parsed = uuid.UUID(text)
        assert parsed.version == 7
        assert parsed.variant == uuid.RFC_4122
        assert names.is_uuid(text)
    assert int(uuid.UUID(ids[2])) >> 80 == 1 << 40


def test_a_sealed_key_tells_nothing_of_the_name():
    assert names.sealed_key("i", 0) == "images/i/disk-0.dws"
    assert names.plain_key("i", "my web", 0, "qcow2") == "images/i/my_web-0.qcow2"
    assert names.manifest_key("i") == "manifests/i.json"


def test_sizes_in_words_and_back():
    assert format_size(1610612736) == "1.5 GiB"
    assert format_size(0) == "0 B"
    assert parse_size("512M") == 512 << 20
    assert parse_size("2 GiB") == 2 * GIB
    assert parse_size("17") == 17
    for wrong in ("", "-1", "1.5G", "1X", "G", "9" * 40):
        with pytest.raises(ValueError, match="not a size"):
            parse_size(wrong)


@given(st.integers(0, 1 << 60), st.integers(1, 1 << 30))
def test_rounding_up_is_the_least_multiple(value, unit):
    rounded = round_up(value, unit)
    assert rounded % unit == 0
    assert 0 <= rounded - value < unit


@pytest.mark.parametrize(
    ("limit", "part"),
    [
        (0, 8 * MIB),
        (9_000 * 8 * MIB, 8 * MIB),
        (9_000 * 8 * MIB + 1, 9 * MIB),
        (128 * GIB, 15 * MIB),
    ],
)
def test_part_sizes_follow_the_bound(limit, part):
    assert part_size_for(limit) == part
    assert -(-limit // part) <= 9_000


def test_canonical_json_is_rfc_8785():
    value = {"b": [1, True, None], "a": {"é": "\u2028\x1f\n", "\U0001f600": 1, "\ufb33": 2}}
    data = canonical.encode(value)
    # by UTF-16 code units: U+1F600 (a surrogate pair) sorts before U+FB33
    assert data == (
        '{"a":{"é":"\u2028\\u001f\\n","\U0001f600":1,"\ufb33":2},"b":[1,true,null]}'.encode()
    )
    assert canonical.decode(data) == value


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b'{"a":1}\n',
        b'{"a":1.0}',
        b'{"a":-1}',
        b'{"a":9007199254740992}',
        b'{"a":NaN}',
        b'{"a":"\\u0041"}',
        b'"\\ud800"',
        b"\xff",
        b"[" * 100_000,
        b"",
    ],
)
def test_what_is_not_canonical_is_refused(data):
    with pytest.raises(canonical.NotCanonical):
        canonical.decode(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, canonical.MAX_INTEGER) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_canonical_json_comes_back(value):
    data = canonical.encode(value)
    assert canonical.decode(data) == value
    assert json.loads(data) == value


class Colour(StrEnum):
    RED = "red"


class Inner(Struct, frozen=True):
    number: int
    colour: Colour | None = None


class Outer(Struct, frozen=True):
    inner: tuple[Inner, ...]
    words: dict[str, str]
    flag: bool = False


def test_values_come_back_through_the_codec():
    value = Outer((Inner(1, Colour.RED), Inner(2)), {"a": "b"}, True)
    assert codec.decode(Outer, codec.encode(value)) == value


class Branch(Struct, frozen=True):
    below: tuple[Branch, ...]
    leaf: Inner | None = None


def test_what_is_learned_of_a_kind_is_not_looked_up_again():
    codec._hints.cache_clear()
    codec.learn.cache_clear()
    codec.learn(Branch)
    learned = codec._hints.cache_info().misses
    assert learned == 2
    value = Branch((Branch((), Inner(1)),))
    assert codec.decode(Branch, codec.encode(value)) == value
    assert codec._hints.cache_info().misses == learned


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {"inner": [], "words": {}, "more": 1},
        {"inner": {}, "words": {}},
        {"inner": [{"number": "1"}], "words": {}},
        {"inner": [{"number": True}], "words": {}},
        {"inner": [{"number": 1, "colour": "green"}], "words": {}},
        {"inner": [{"number": 1, "colour": []}], "words": {}},
        {"inner": [], "words": {"a": 1}},
        {"inner": [], "words": {}, "flag": 1},
        {"inner": [], "words": {}, "flag": None},
    ],
)
def test_the_codec_refuses_what_has_another_shape(wrong):
    with pytest.raises(codec.DecodeError):
        codec.decode(Outer, wrong)
