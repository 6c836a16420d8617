"""Frozen values to JSON values and back, by their type hints.

`decode` is strict: an unknown key, a missing key without default or a value of another type is a
`DecodeError`. It is what stands between us and the output of a confined parser.
"""

from __future__ import annotations

import types
import typing
from enum import Enum
from functools import cache
from typing import Any, TypeVar

from diskwright._values import Struct, field_names, required_names

T = TypeVar("T")


class DecodeError(ValueError):
    """The JSON value does not have the shape of the wanted type."""


def encode(value: object) -> Any:
    """A JSON value. Fields that are None stay, so that a reader sees what is not known."""
    if isinstance(value, Struct):
        return {name: encode(getattr(value, name)) for name in field_names(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"{type(value).__name__} can't be written as JSON")


def decode(cls: type[T], value: object) -> T:
    """An instance of `cls`, a `Struct`, from a JSON value."""
    decoded = _decode(cls, value, cls.__name__)
    return typing.cast(T, decoded)


@cache
def learn(kind: Any) -> None:
    """Look up the type hints of all that `decode` of `kind` may come to: most of what it takes."""
    waiting, known = [kind], {kind}
    while waiting:
        one = waiting.pop()
        is_struct = isinstance(one, type) and issubclass(one, Struct)
        parts = _hints(one).values() if is_struct else typing.get_args(one)
        waiting += [part for part in parts if part not in known]
        known.update(parts)


@cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _decode(kind: Any, value: object, where: str) -> object:
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return _decode_union(kind, value, where)
    if origin is tuple:
        item_kind = typing.get_args(kind)[0]
        if not isinstance(value, list):
            raise DecodeError(f"{where}: a list was expected")
        return tuple(_decode(item_kind, item, f"{where}[]") for item in value)
    if origin is dict:
        item_kind = typing.get_args(kind)[1]
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            raise DecodeError(f"{where}: an object was expected")
        return {key: _decode(item_kind, item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(kind, type) and issubclass(kind, Struct):
        return _decode_struct(kind, value, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(value)
        except ValueError as error:
            raise DecodeError(f"{where}: {value!r} is not known") from error
    if type(value) is not kind:
        raise DecodeError(f"{where}: {kind.__name__} was expected")
    return value


def _decode_union(kind: Any, value: object, where: str) -> object:
    options = typing.get_args(kind)
    if value is None and type(None) in options:
        return None
    rest = [option for option in options if option is not type(None)]
    if len(rest) != 1:
        raise TypeError(f"{where}: only `X | None` can be decoded")
    return _decode(rest[0], value, where)


def _decode_struct(kind: type[Struct], value: object, where: str) -> object:
    if not isinstance(value, dict):
        raise DecodeError(f"{where}: an object was expected")
    hints = _hints(kind)
    known = field_names(kind)
    unknown = set(value) - set(known)
    if unknown:
        raise DecodeError(f"{where}: unknown key {min(unknown)!r}")
    given: dict[str, object] = {}
    for name in known:
        if name in value:
            given[name] = _decode(hints[name], value[name], f"{where}.{name}")
        elif name in required_names(kind):
            raise DecodeError(f"{where}: {name} is missing")
    try:
        return kind(**given)
    except (TypeError, ValueError) as error:
        raise DecodeError(f"{where}: {error}") from error
