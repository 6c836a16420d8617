"""Values to a JSON Schema, by their type hints: what `model.codec` writes of them.

A value's fields are all there, always. What the codec can't write has no schema: TypeError.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
import types
import typing
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any

import diskwright.model
from diskwright._values import Struct, field_names

Schema = dict[str, Any]

PLAIN: dict[object, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    object: {},  # any value of JSON
}


class Definitions:
    """Each kind of value once, under `$defs`."""

    def __init__(self) -> None:
        self.made: dict[str, Schema] = {}

    def of(self, kind: Any) -> Schema:
        if kind in PLAIN:
            return dict(PLAIN[kind])
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin in (typing.Union, types.UnionType):
            return any_of([self.of(argument) for argument in arguments])
        if origin is tuple:
            items = [self.of(one) for one in dict.fromkeys(arguments) if one is not Ellipsis]
            counted = {} if Ellipsis in arguments else _exactly(len(arguments))
            return {**list_of(any_of(items)), **counted}
        if origin is dict:
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        if not (inspect.isclass(kind) and issubclass(kind, Struct | Enum)):
            raise TypeError(f"{kind} can't be written as JSON")
        name = f"{kind.__module__.rpartition('.')[2]}.{kind.__qualname__}"
        if name not in self.made:
            self.made[name] = {}  # a value may hold others of its kind
            self.made[name] = self._described(kind)
        return {"$ref": f"#/$defs/{name}"}

    def _described(self, kind: Any) -> Schema:
        if issubclass(kind, Enum):
            return {"enum": [member.value for member in kind]}
        return self.but(kind)

    def but(
        self,
        kind: type,
        *,
        without: Collection[str] = (),
        beside: Mapping[str, Schema] | None = None,
    ) -> Schema:
        """A value of that kind without some of its fields, and with others, which may replace."""
        own = {name: self.of(hint) for name, hint in _hints(kind).items() if name not in without}
        said = inspect.cleandoc(kind.__doc__ or "")
        told = {"description": " ".join(said.split())} if said else {}
        return {**told, **described_object({**own, **(beside or {})})}


def _exactly(count: int) -> Schema:
    return {"minItems": count, "maxItems": count}


def _hints(kind: type[Struct]) -> dict[str, Any]:
    """Of its fields, also where a module names a kind in its hints only and imports it never."""
    own: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        own |= vars(sys.modules[base.__module__])
    hints = typing.get_type_hints(kind, globalns=_named_once(), localns=own)
    return {name: hints[name] for name in field_names(kind)}


@cache
def _named_once() -> dict[str, Any]:
    """Every kind of `model` by its name, but for names that two have."""
    kinds: dict[str, type] = {}
    counted: Counter[str] = Counter()
    for module in pkgutil.iter_modules(diskwright.model.__path__, "diskwright.model."):
        for name, kind in vars(importlib.import_module(module.name)).items():
            if inspect.isclass(kind) and kind.__module__ == module.name:
                kinds[name] = kind
                counted[name] += 1
    return {name: kind for name, kind in kinds.items() if counted[name] == 1}


def described_object(
    needed: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None
) -> Schema:
    return {
        "type": "object",
        "required": list(needed),
        "properties": {**needed, **(optional or {})},
    }


def or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def list_of(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def any_of(schemas: Sequence[Schema]) -> Schema:
    return schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}
