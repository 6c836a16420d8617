"""Canonical JSON (RFC 8785), the part of it that our formats use.

Objects, arrays, strings, booleans, null and integers from 0 to 2^53-1. A reader encodes again
what it has parsed and refuses a difference, so repeated keys, spaces and other spellings fall too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

JsonValue = None | bool | int | str | list["JsonValue"] | dict[str, "JsonValue"]

MAX_INTEGER = (1 << 53) - 1


class NotCanonical(ValueError):
    """The bytes are no canonical JSON, or hold what our formats do not allow."""


def encode(value: object) -> bytes:
    """UTF-8 bytes of `value`. Raises NotCanonical for floats, big integers and lone surrogates."""
    try:
        return json.dumps(
            _ordered(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False
        ).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("a string is no valid Unicode") from error


def decode(data: bytes) -> JsonValue:
    """The value, if `data` is exactly its canonical form."""
    try:
        value: JsonValue = json.loads(data.decode())
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise NotCanonical("not JSON") from error
    if encode(value) != bytes(data):
        raise NotCanonical("not in canonical form")
    return value


def _ordered(value: object, depth: int = 0) -> object:
    if depth > 64:
        raise NotCanonical("nested too deeply")
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if not 0 <= value <= MAX_INTEGER:
            raise NotCanonical(f"integer out of range: {value}")
        return int(value)
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise NotCanonical("an object's keys are strings")
        # RFC 8785 section 3.2.3: by UTF-16 code units, not by code points
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return {key: _ordered(value[key], depth + 1) for key in keys}
    if isinstance(value, list | tuple):
        return [_ordered(item, depth + 1) for item in value]
    raise NotCanonical(f"{type(value).__name__} has no place in our JSON")
