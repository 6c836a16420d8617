"""The JSON document: one schema, also when a command fails."""

from __future__ import annotations

import json

import pytest

from diskwright._values import replace
from diskwright.errors import ImageUnsafe
from diskwright.model import codec
from diskwright.model.guest import GuestFacts, Section, Unread
from diskwright.model.image import Problem
from diskwright.model.outcome import Inspected, Validated
from diskwright.report.json import document, error_of, inspected_result, validated_result
from diskwright.rules import judge
from support.good_facts import BIOS, CLOUD, DATE, IMAGE, MINIMUM, PROFILE, TABLE

FINDING = {"id", "result", "severity", "message", "evidence", "remedy"}
ERROR = {"kind", "code", "message", "hint", "exit_code"}


def test_a_result_has_facts_findings_and_no_error() -> None:
    verdict = judge(IMAGE, BIOS, PROFILE, minimum=MINIMUM)
    result = validated_result("d.qcow2", Validated("/d.qcow2", IMAGE, BIOS, verdict), None)
    value = json.loads(document("validate", [result]))
    assert set(value) == {"schema", "command", "results", "error"}
    assert (value["schema"], value["command"], value["error"]) == (1, "validate", None)
    (given,) = value["results"]
    judged = {"data_disk", "accepted", "ready"}
    assert set(given) == {"image", "facts", "findings", "error"} | judged
    assert all(set(finding) == FINDING for finding in given["findings"])
    assert codec.decode(GuestFacts, given["facts"]["guest"]) == BIOS


OVERLAP = replace(TABLE, problems=(Problem("partition-overlap", "1 and 2"),))
NO_CLOUD_INIT = replace(BIOS, cloud_init=replace(CLOUD, installed=False))


@pytest.mark.parametrize(
    ("guest", "strict", "ready"),
    [
        (BIOS, True, True),
        (NO_CLOUD_INIT, False, True),
        (NO_CLOUD_INIT, True, False),
        (replace(BIOS, table=OVERLAP), False, False),
        (GuestFacts(unread=(Unread(Section.ROOT, "why"),)), False, False),
    ],
)
def test_an_image_is_ready_where_nothing_stands_against_it_and_all_was_read(
    guest: GuestFacts, strict: bool, ready: bool
) -> None:
    verdict = judge(IMAGE, guest, PROFILE, minimum=MINIMUM, database_date=DATE)
    found = Validated("/d.qcow2", IMAGE, guest, verdict)
    assert validated_result("d.qcow2", found, None, strict=strict)["ready"] is ready


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
