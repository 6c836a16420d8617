"""The JSON document: one schema, also when a command fails."""

from __future__ import annotations

import json

from diskwright.errors import ImageUnsafe
from diskwright.model import codec
from diskwright.model.guest import GuestFacts
from diskwright.model.outcome import Inspected, Validated
from diskwright.report.json import document, error_of, inspected_result, validated_result
from diskwright.rules import judge
from support.good_facts import BIOS, IMAGE, MINIMUM, PROFILE

FINDING = {"id", "result", "severity", "message", "evidence", "remedy"}
ERROR = {"kind", "code", "message", "hint", "exit_code"}


def test_a_result_has_facts_findings_and_no_error() -> None:
    verdict = judge(IMAGE, BIOS, PROFILE, minimum=MINIMUM)
    result = validated_result("d.qcow2", Validated("/d.qcow2", IMAGE, BIOS, verdict), None)
    value = json.loads(document("validate", [result]))
    assert set(value) == {"schema", "command", "results", "error"}
    assert (value["schema"], value["command"], value["error"]) == (1, "validate", None)
    (given,) = value["results"]
    assert set(given) == {"image", "facts", "findings", "error"}
    assert all(set(finding) == FINDING for finding in given["findings"])
    assert codec.decode(GuestFacts, given["facts"]["guest"]) == BIOS


def test_a_refused_image_is_a_result_with_an_error() -> None:
    error = error_of(ImageUnsafe("d.qcow2", "reference-outside", "names another file"))
    value = json.loads(document("inspect", [inspected_result("d.qcow2", None, error)], error))
    assert set(value["error"]) == ERROR
    assert value["results"][0]["error"]["kind"] == "unsafe"
    assert value["results"][0]["error"]["code"] == "reference-outside"
    assert value["results"][0]["facts"] is None


def test_no_control_character_stands_in_the_document() -> None:
    result = inspected_result("a\x1b[2J\x9b\u202e\udc80", Inspected("/a", IMAGE, BIOS), None)
    text = document("inspect", [result])
    assert text.isascii()
    assert "\x1b" not in text
