"""What is handed around: values without a dict, with their fields in order.

A `Struct` is defined in a fiftieth of the time of a dataclass: docs/decisions/0010-values.md.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

__all__ = ["Secretive", "Struct", "field", "field_names", "replace"]


class Secretive(Struct, frozen=True):
    """What holds a secret. A traceback or a log must not show it, so no field is shown."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """What `rich` shows instead, also of the locals of a traceback."""
        return []


def field_names(value: Struct | type[Struct]) -> tuple[str, ...]:
    return value.__struct_fields__


def required_names(kind: type[Struct]) -> tuple[str, ...]:
    """Of the fields that have no default."""
    given = len(kind.__struct_fields__) - len(kind.__struct_defaults__)
    return kind.__struct_fields__[:given]
