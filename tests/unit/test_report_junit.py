"""JUnit XML: as its published schema wants it, and what each outcome becomes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import xmlschema

from diskwright.errors import ImageBroken
from diskwright.model.finding import Accepted
from diskwright.report.junit import junit
from support.good_facts import BIOS
from support.judgements import ALL, MANY, STATIC_ADDRESS, UNREAD, hostile, judgement, validated

SCHEMA = xmlschema.XMLSchema(Path(__file__).parents[1] / "schemas" / "junit-10.xsd")


def tree(*arguments, **options) -> ET.Element:
    return ET.fromstring(junit(judgement(*arguments, **options)))


def case(root: ET.Element, name: str) -> ET.Element:
    (found,) = [case for case in root.iter("testcase") if case.get("name") == name]
    return found


@pytest.mark.parametrize("judged", ALL)
def test_it_is_as_the_schema_wants_it(judged):
    text = junit(judged)
    SCHEMA.validate(text)
    root = ET.fromstring(text)
    assert len(root.findall("testsuite")) == len(judged.judged)


@pytest.mark.parametrize("judged", ALL)
def test_its_sums_are_those_of_its_cases(judged):
    root = ET.fromstring(junit(judged))
    for node in (root, *root.findall("testsuite")):
        assert int(node.get("tests")) == len(list(node.iter("testcase")))
        assert int(node.get("failures")) == len(list(node.iter("failure")))
        assert int(node.get("errors")) == len(list(node.iter("error")))
        if node is not root:
            assert int(node.get("skipped")) == len(list(node.iter("skipped")))


def test_a_failure_says_where_and_what_to_do():
    root = tree(validated(STATIC_ADDRESS))
    failure = case(root, "network.net-static-address").find("failure")
    assert failure.get("type") == "fail.high"
    assert "fixed address" in failure.get("message")
    assert "at: /etc/network/interfaces:6: eth0 static" in failure.text
    assert "do: sed -i" in failure.text
    assert "see: " in failure.text
    suite = root.find("testsuite")
    assert (suite.get("name"), suite.get("timestamp")) == ("disk-1.qcow2", "2026-11-26T22:30:00")


def test_each_rule_is_a_case_and_a_pass_is_empty():
    root = tree(validated(BIOS))
    assert len(list(root.iter("testcase"))) == len(validated(BIOS).verdict.findings)
    assert list(case(root, "boot.mode")) == []


@pytest.mark.parametrize(("strict", "tag"), [(False, "skipped"), (True, "error")])
def test_what_was_not_read_is_never_a_pass(strict, tag):
    root = tree(validated(UNREAD), strict=strict)
    told = case(root, "boot.fstab-device-name").find(tag)
    assert told.get("type").startswith("unknown.")
    assert "xfs is torn" in told.get("message")


@pytest.mark.parametrize("strict", [False, True])
def test_a_warning_fails_only_when_strict(strict):
    found = case(tree(validated(MANY), strict=strict), "cloud.cloud-init-missing")
    assert (found.find("failure") is not None) is strict
    said = found.find("failure").text if strict else found.find("system-out").text
    assert "apt-get install cloud-init" in said


def test_what_was_accepted_is_named():
    waiver = Accepted("network.net-static-address", "lab network")
    found = case(tree(validated(STATIC_ADDRESS, waiver), strict=True), waiver.id)
    assert found.find("failure") is None
    assert found.find("skipped").get("type") == "accepted"
    assert found.find("skipped").get("message").startswith("accepted: lab network (fail: ")


def test_an_image_that_was_refused_is_an_error():
    root = tree(ImageBroken("disk", "too-short", "3 bytes"))
    (error,) = root.iter("error")
    assert error.get("type") == "broken.too-short"
    assert "3 bytes" in error.get("message")
    assert root.get("errors") == "1"


def test_nothing_of_an_image_becomes_markup_or_moves_a_cursor():
    text = junit(hostile())
    assert "<script" not in text
    assert not set(text) & set("\x1b\x00\u202e\ufffe")
    assert "\udc80" not in text
