"""SARIF 2.1.0: as its published schema wants it, and what each finding becomes."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from diskwright.errors import ImageBroken
from diskwright.model.finding import Accepted
from diskwright.report.sarif import SCHEMA, sarif
from support.good_facts import BIOS, IMAGE
from support.judgements import ALL, MANY, STATIC_ADDRESS, UNREAD, hostile, judgement, validated

PUBLISHED = json.loads((Path(__file__).parents[1] / "schemas" / "sarif-2.1.0.json").read_text())
CHECKER = jsonschema.Draft4Validator(
    PUBLISHED, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER
)


def run(*arguments, **options) -> dict:
    (one,) = json.loads(sarif(judgement(*arguments, **options)))["runs"]
    return one


def result(found: dict, rule: str) -> dict:
    (one,) = [one for one in found["results"] if one["ruleId"] == rule]
    return one


@pytest.mark.parametrize("judged", ALL)
def test_it_is_as_the_schema_wants_it(judged):
    value = json.loads(sarif(judged))
    CHECKER.validate(value)
    assert value["$schema"] == SCHEMA == PUBLISHED["id"]


def test_addresses_are_checked_too():
    """Else the schema's formats would be words only."""
    value = json.loads(sarif(judgement(validated(BIOS))))
    value["$schema"] = "not an address"
    with pytest.raises(jsonschema.ValidationError):
        CHECKER.validate(value)


@pytest.mark.parametrize("judged", ALL)
def test_indices_lead_to_what_they_name(judged):
    (found,) = json.loads(sarif(judged))["runs"]
    rules, artifacts = found["tool"]["driver"]["rules"], found["artifacts"]
    for one in found["results"]:
        assert rules[one["ruleIndex"]]["id"] == one["ruleId"]
        place = one["locations"][0]["physicalLocation"]["artifactLocation"]
        assert artifacts[place["index"]]["location"]["uri"] == place["uri"]


def test_a_failure_is_an_error_with_its_place_and_remedy():
    found = run(validated(STATIC_ADDRESS))
    (one,) = found["results"]
    assert (one["kind"], one["level"]) == ("fail", "error")
    assert one["ruleId"] == "network.net-static-address"
    assert "What to do:\nsed -i" in one["message"]["text"]
    assert one["properties"]["evidence"] == [
        "/etc/network/interfaces:6: eth0 static 192.168.10.20/24 (ifupdown)"
    ]
    location = one["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "disk-1.qcow2"
    assert found["artifacts"][0]["length"] == IMAGE.file_size


def test_what_holds_is_no_result():
    assert run(validated(BIOS))["results"] == []


def test_levels_follow_result_and_severity():
    found = run(validated(MANY))
    assert result(found, "network.net-static-address")["level"] == "error"
    assert result(found, "cloud.cloud-init-missing")["level"] == "warning"


@pytest.mark.parametrize(
    ("strict", "kind", "levels"), [(False, "open", {"none"}), (True, "fail", {"warning", "note"})]
)
def test_what_was_not_read_is_open_and_fails_when_strict(strict, kind, levels):
    found = run(validated(UNREAD), strict=strict)
    unread = [one for one in found["results"] if one["properties"]["result"] == "unknown"]
    assert len(unread) > 20
    assert {one["kind"] for one in unread} == {kind}
    assert {one["level"] for one in unread} == levels


def test_what_was_accepted_is_suppressed_with_the_reason():
    waiver = Accepted("network.net-static-address", "lab network")
    (one,) = run(validated(STATIC_ADDRESS, waiver))["results"]
    assert one["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "lab network"}
    ]


def test_rules_have_their_help():
    rules = {rule["id"]: rule for rule in run(validated(BIOS))["tool"]["driver"]["rules"]}
    rule = rules["boot.grub-root-device-name"]
    assert "update-grub" in rule["help"]["markdown"]
    assert "Source: " in rule["help"]["text"]
    assert rule["defaultConfiguration"] == {"level": "error"}


def test_a_fingerprint_stays_while_the_disk_breaks_the_rule():
    def prints(*arguments, **options):
        return [one["partialFingerprints"] for one in run(*arguments, **options)["results"]]

    assert prints(validated(STATIC_ADDRESS)) == prints(validated(STATIC_ADDRESS), strict=True)
    one, two = prints(validated(STATIC_ADDRESS), validated(STATIC_ADDRESS))
    assert one != two


def test_an_image_that_was_refused_is_told_by_the_tool():
    found = run(ImageBroken("disk", "too-short", "3 bytes"), validated(BIOS))
    (invocation,) = found["invocations"]
    assert invocation["executionSuccessful"] is False
    (told,) = invocation["toolExecutionNotifications"]
    assert told["descriptor"]["id"] == "too-short"
    assert told["level"] == "error"
    assert run(validated(BIOS))["invocations"][0]["executionSuccessful"] is True


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("a b/c#d?.raw", "a%20b/c%23d%3F.raw"),
        ("json:x", "json%3Ax"),
        ("./sub/../x.raw", "x.raw"),
        ("/abs/ä.raw", "file:///abs/%C3%A4.raw"),
        ("not-\udc80utf8", "not-%80utf8"),
    ],
)
def test_a_name_is_an_address_of_that_file(name, uri):
    found = run(validated(BIOS), names=(name,))
    assert found["artifacts"][0]["location"]["uri"] == uri


def test_a_disk_of_a_package_is_named():
    (one,) = run(validated(STATIC_ADDRESS, name="disk1.vmdk"))["results"]
    assert one["locations"][0]["logicalLocations"] == [{"name": "disk1.vmdk", "kind": "member"}]


def test_nothing_of_an_image_moves_a_cursor():
    def strings(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                yield key
                yield from strings(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from strings(inner)
        elif isinstance(value, str):
            yield value

    text = sarif(hostile())
    assert text.isascii()
    found = list(strings(json.loads(text)))
    assert any("\\x1b" in text for text in found)
    assert all(text.replace("\n", "").isprintable() for text in found)
