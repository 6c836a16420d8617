"""The JSON Schema of what `--output json` prints, made from the values that it is printed of:
`python -m diskwright.report.schema > docs/schema/result-1.json`.

A value's fields are all there, always; more may come within version 1, so readers skip what they
do not know.
"""

from __future__ import annotations

import inspect
import json
import sys
import types
import typing
from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from diskwright.model.attributes import ImportAttributes
from diskwright.model.deep import Deep, Refused
from diskwright.model.finding import Accepted, Finding, Verdict
from diskwright.model.guest import GuestFacts
from diskwright.model.image import ImageFacts
from diskwright.model.iso import BootPlatform, ExtractedIso, IsoEntry, IsoFacts, IsoSystem, IsoTree
from diskwright.model.outcome import (
    Converted,
    Doctored,
    Prepared,
    PreparedDisk,
    Reopened,
    Restored,
)
from diskwright.model.package import PackageFacts
from diskwright.model.rule import RuleText
from diskwright.model.stored import StoreCapabilities
from diskwright.model.uploads import AbortedUploads, ListedUploads
from diskwright.report.import_request import ImportRequest
from diskwright.report.json import SCHEMA

_Schema = dict[str, Any]

_PLAIN: dict[object, _Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
}


# What modules of values name in their hints only, so that they are quick to import
_LATE = {kind.__name__: kind for kind in (ImportAttributes, StoreCapabilities, Verdict)}


class _Definitions:
    """Each kind of value once, under `$defs`, as `model.codec` writes it."""

    def __init__(self) -> None:
        self.made: dict[str, _Schema] = {}

    def of(self, kind: Any) -> _Schema:
        if kind in _PLAIN:
            return dict(_PLAIN[kind])
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin in (typing.Union, types.UnionType):
            return {"anyOf": [self.of(argument) for argument in arguments]}
        if origin is tuple:
            return {"type": "array", "items": self.of(arguments[0])}
        if origin is dict:
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        name = f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"
        if name not in self.made:
            self.made[name] = {}  # a value may hold others of its kind
            self.made[name] = self._described(kind)
        return {"$ref": f"#/$defs/{name}"}

    def _described(self, kind: Any) -> _Schema:
        if issubclass(kind, Enum):
            return {"enum": [member.value for member in kind]}
        assert is_dataclass(kind), kind
        return self.but(typing.cast(type, kind))

    def but(
        self,
        kind: type,
        *,
        without: Collection[str] = (),
        beside: Mapping[str, _Schema] | None = None,
    ) -> _Schema:
        """A value of that kind without some of its fields, and with others."""
        hints = typing.get_type_hints(kind, localns=_LATE)
        own = {f.name: self.of(hints[f.name]) for f in fields(kind) if f.name not in without}
        said = inspect.getdoc(kind) or ""
        told = {} if said.startswith(f"{kind.__name__}(") else {"description": _one_line(said)}
        return {**told, **_object({**own, **(beside or {})})}


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _object(
    needed: Mapping[str, _Schema], optional: Mapping[str, _Schema] | None = None
) -> _Schema:
    return {
        "type": "object",
        "required": list(needed),
        "properties": {**needed, **(optional or {})},
    }


def _or_null(schema: _Schema) -> _Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list_of(schema: _Schema) -> _Schema:
    return {"type": "array", "items": schema}


_TEXT = _PLAIN[str]
_NULL = _PLAIN[type(None)]
_ERROR = _object(
    {
        "kind": {
            **_TEXT,
            "description": "Of a refused image unsafe, broken or unsupported; else who failed.",
        },
        "code": {**_TEXT, "description": "A short stable name: docs/exit-codes.md."},
        "message": _TEXT,
        "hint": _TEXT,
        "exit_code": _PLAIN[int],
    }
)


class _Results:
    """A result of each command."""

    def __init__(self, known: _Definitions) -> None:
        self._known = known
        finding = known.but(Finding, without={"source"})
        finding["properties"]["disk"] = _TEXT
        known.made["finding"] = finding
        known.made["error"] = _ERROR

    def of_each(self) -> dict[str, list[_Schema]]:
        return {
            "inspect": [self._inspected()],
            "validate": [self._judged(), self._explained()],
            "convert": [self._made(Converted)],
            "prepare": [self._judged(), self._prepared()],
            "restore": [self._made(Restored), self._made(Reopened)],
            "doctor": [self._made(Doctored)],
            "uploads list": [self._made(ListedUploads)],
            "uploads abort": [self._made(AbortedUploads)],
            "iso inspect": [self._inspected()],
            "iso list": [self._listed()],
            "iso extract": [self._result({"made": self._known.of(ExtractedIso)})],
            "key new": [_object({"image": _NULL, "key": _TEXT, "file": _TEXT, "error": _NULL})],
        }

    def _result(
        self,
        needed: Mapping[str, _Schema] | None = None,
        optional: Mapping[str, _Schema] | None = None,
        *,
        facts: _Schema = _NULL,
    ) -> _Schema:
        return _object(
            {
                "image": _or_null(_TEXT),
                "facts": facts,
                "findings": _list_of({"$ref": "#/$defs/finding"}),
                "error": _or_null({"$ref": "#/$defs/error"}),
                **(needed or {}),
            },
            {"disk": {**_TEXT, "description": "Its name in a package."}, **(optional or {})},
        )

    def _inspected(self) -> _Schema:
        """Of an image, of an ISO, or of what was refused; every field may lack."""
        known = self._known
        deep = {"anyOf": [known.of(Deep), known.of(Refused)]}
        iso = known.but(
            IsoFacts,
            beside={
                "firmware": _list_of(known.of(BootPlatform)),
                "installs": known.of(IsoSystem | None),
                "os_database": _TEXT,
            },
        )
        facts = _object(
            {},
            {
                "image": known.of(ImageFacts),
                "guest": known.of(GuestFacts | None),
                "package": known.of(PackageFacts),
                "iso": iso,
                "deep": deep,
            },
        )
        return self._result(facts=_or_null(facts))

    def _judged(self) -> _Schema:
        known = self._known
        facts = _object({"image": known.of(ImageFacts), "guest": known.of(GuestFacts | None)})
        return self._result(
            {"ready": {**_PLAIN[bool], "description": "Nothing stands against an import."}},
            {"data_disk": _PLAIN[bool], "accepted": _list_of(known.of(Accepted))},
            facts=_or_null(facts),
        )

    def _explained(self) -> _Schema:
        return self._result({"rule": self._known.of(RuleText)})

    def _listed(self) -> _Schema:
        entry = self._known.but(IsoEntry, without={"extents"})
        return self._result({"tree": self._known.of(IsoTree), "entries": _list_of(entry)})

    def _made(self, kind: type) -> _Schema:
        return self._with_request(self._known.of(kind))

    def _prepared(self) -> _Schema:
        known = self._known
        accepted = {"accepted": _list_of(known.of(Accepted))}
        disk = known.but(PreparedDisk, without={"verdict"}, beside=accepted)
        made = known.but(
            Prepared,
            without={"verdict", "disks"},
            beside={"disks": _list_of(disk), **accepted},
        )
        return self._with_request(made)

    def _with_request(self, made: _Schema) -> _Schema:
        request = self._known.of(ImportRequest)
        return self._result(
            {"made": made, "import_request": _or_null(request)},
            {"data_import_requests": _list_of(request)},
        )


def schema() -> _Schema:
    """JSON Schema 2020-12."""
    known = _Definitions()
    results = _Results(known).of_each()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:diskwright:result:{SCHEMA}",
        "title": "What a command of diskwright prints with --output json",
        "description": "One document, also when the command fails. Sizes and offsets are bytes. "
        "Within this version fields may be added, and are to be skipped by who does not know them.",
        **_object(
            {
                "schema": {"const": SCHEMA},
                "command": _TEXT,
                "results": {"type": "array"},
                "error": _or_null({"$ref": "#/$defs/error"}),
            }
        ),
        "allOf": [
            {
                "if": {"properties": {"command": {"const": command}}},
                "then": {"properties": {"results": _list_of(_any_of(kinds))}},
            }
            for command, kinds in results.items()
        ],
        "$defs": dict(sorted(known.made.items())),
    }


def _any_of(kinds: list[_Schema]) -> _Schema:
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}


def text() -> str:
    return json.dumps(schema(), indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
