"""The JSON Schema of what `--output json` prints, made from the values that it is printed of.

`scripts/pages` writes it to docs/schema/result-1.json; fields that values gain are in it then.
A value's fields are all there, always; more may come within version 1, so readers skip what they
do not know.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

from diskwright.model.deep import Deep, Refused
from diskwright.model.difference import Differences
from diskwright.model.finding import Accepted, Finding
from diskwright.model.guest import GuestFacts
from diskwright.model.image import ImageFacts
from diskwright.model.iso import BootPlatform, ExtractedIso, IsoEntry, IsoFacts, IsoSystem, IsoTree
from diskwright.model.outcome import (
    Converted,
    Doctored,
    Inspected,
    Prepared,
    PreparedDisk,
    Reopened,
    Restored,
)
from diskwright.model.rule import RuleText
from diskwright.model.uploads import AbortedUploads, ListedUploads
from diskwright.report.import_request import ImportRequest
from diskwright.report.json import SCHEMA
from diskwright.report.schema_library import ENTRY, library_results
from diskwright.report.schema_of import (
    PLAIN,
    Definitions,
    Schema,
    any_of,
    described_object,
    list_of,
    or_null,
)

_TEXT, _NUMBER, _TRUTH, _NULL = (PLAIN[kind] for kind in (str, int, bool, type(None)))
_KEY: dict[str, Schema] = {"image": _NULL, "key": _TEXT, "file": _TEXT, "error": _NULL}
_ERROR = described_object(
    {
        "kind": {
            **_TEXT,
            "description": "Of a refused image unsafe, broken or unsupported; else who failed.",
        },
        "code": {**_TEXT, "description": "A short stable name: docs/exit-codes.md."},
        "message": _TEXT,
        "hint": _TEXT,
        "exit_code": _NUMBER,
    }
)


class _Results:
    """A result of each command."""

    def __init__(self, known: Definitions) -> None:
        self._known = known
        finding = known.but(Finding, without={"source"})
        finding["properties"]["disk"] = _TEXT
        known.made["finding"] = finding
        known.made["error"] = _ERROR

    def of_each(self) -> dict[str, list[Schema]]:
        return {
            "inspect": [self._inspected(), self._compared()],
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
            "key new": [described_object(_KEY)],
            "key public": [described_object({**_KEY, "public": _TEXT, "fingerprint": _TEXT})],
            **library_results(self._known),
            "image create": [self._judged(), self._prepared(entry=or_null(ENTRY))],
        }

    def _result(
        self,
        needed: Mapping[str, Schema] | None = None,
        optional: Mapping[str, Schema] | None = None,
        *,
        facts: Schema = _NULL,
    ) -> Schema:
        return described_object(
            {
                "image": or_null(_TEXT),
                "facts": facts,
                "findings": list_of({"$ref": "#/$defs/finding"}),
                "error": or_null({"$ref": "#/$defs/error"}),
                **(needed or {}),
            },
            {"disk": {**_TEXT, "description": "Its name in a package."}, **(optional or {})},
        )

    def _inspected(self) -> Schema:
        """Of an image, of an ISO, or of what was refused; every field may lack."""
        known = self._known
        deep = {"anyOf": [known.of(Deep), known.of(Refused)]}
        iso = known.but(
            IsoFacts,
            beside={
                "firmware": list_of(known.of(BootPlatform)),
                "installs": known.of(IsoSystem | None),
                "os_database": _TEXT,
            },
        )
        sections = known.but(
            Inspected,
            without={"path", "name", "iso", "deep"},
            beside={"iso": iso, "deep": deep},
        )["properties"]
        facts = described_object({}, sections)
        return self._result(facts=or_null(facts))

    def _judged(self) -> Schema:
        known = self._known
        facts = described_object(
            {"image": known.of(ImageFacts), "guest": known.of(GuestFacts | None)}
        )
        return self._result(
            {"ready": {**_TRUTH, "description": "Nothing stands against an import."}},
            {"data_disk": _TRUTH, "accepted": list_of(known.of(Accepted))},
            facts=or_null(facts),
        )

    def _compared(self) -> Schema:
        return self._result({"difference": self._known.of(Differences)})

    def _explained(self) -> Schema:
        return self._result({"rule": self._known.of(RuleText)})

    def _listed(self) -> Schema:
        entry = self._known.but(IsoEntry, without={"extents"})
        return self._result({"tree": self._known.of(IsoTree), "entries": list_of(entry)})

    def _made(self, kind: type) -> Schema:
        return self._with_request(self._known.of(kind))

    def _prepared(self, **more: Schema) -> Schema:
        known = self._known
        accepted = {"accepted": list_of(known.of(Accepted))}
        disk = known.but(PreparedDisk, without={"verdict"}, beside=accepted)
        made = known.but(
            Prepared,
            without={"verdict", "disks"},
            beside={"disks": list_of(disk), **accepted},
        )
        return self._with_request(made, **more)

    def _with_request(self, made: Schema, **more: Schema) -> Schema:
        request = self._known.of(ImportRequest)
        return self._result(
            {"made": made, "import_request": or_null(request), **more},
            {"data_import_requests": list_of(request)},
        )


def schema() -> Schema:
    """JSON Schema 2020-12."""
    known = Definitions()
    results = _Results(known).of_each()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:diskwright:result:{SCHEMA}",
        "title": "What a command of diskwright prints with --output json",
        "description": "One document, also when the command fails. Sizes and offsets are bytes. "
        "Within this version fields may be added, and are to be skipped by who does not know them.",
        **described_object(
            {
                "schema": {"const": SCHEMA},
                "command": _TEXT,
                "results": {"type": "array"},
                "error": or_null({"$ref": "#/$defs/error"}),
            }
        ),
        "allOf": [
            {
                "if": {"properties": {"command": {"const": command}}},
                "then": {"properties": {"results": list_of(any_of(kinds))}},
            }
            for command, kinds in results.items()
        ],
        "$defs": dict(sorted(known.made.items())),
    }


def text() -> str:
    return json.dumps(schema(), indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
