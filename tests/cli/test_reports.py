"""`validate --report`: each format says what the run said, whole or absent, and none of it acts."""

from __future__ import annotations

import json
import re
import shutil
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from diskwright.rules import RULES
from support.command import FIXTURE, files_below, one_line_and_a_hint

HOSTILE = "a<script><img src=x onerror=alert(1)>&\"'.qcow2"


@pytest.fixture
def some(folder):
    """A disk that is ready, one that is empty, one that is none, and one with a name that bites."""
    shutil.copy(FIXTURE, folder / "good.qcow2")
    shutil.copy(FIXTURE, folder / "bites.qcow2")
    (folder / "zeros.raw").write_bytes(bytes(1 << 20))
    (folder / "short.qcow2").write_bytes(b"QFI\xfb")
    return folder


NAMES = ("good.qcow2", "zeros.raw", "short.qcow2")


def reported(diskwright, some, form, *names, code=10):
    path = some / f"report.{form}"
    ended = diskwright("validate", *names, "--report", f"{form}={path}", cwd=some)
    assert ended.code == code, ended.err
    return path.read_text()


def findings(diskwright, some, name):
    document = diskwright("validate", "--output", "json", name, cwd=some).document
    return document["results"][0]["findings"]


def test_junit_has_a_case_for_each_rule_and_counts_them_right(diskwright, some):
    root = ET.fromstring(reported(diskwright, some, "junit", *NAMES))
    assert root.tag == "testsuites"
    good, zeros, short = root
    assert [suite.get("name") for suite in root] == list(NAMES)
    assert len(good.findall("testcase")) == len(RULES)
    assert (good.get("failures"), good.get("errors"), good.get("skipped")) == ("0", "0", "1")
    failing = {f["id"] for f in findings(diskwright, some, "zeros.raw") if f["result"] == "fail"}
    assert {
        c.get("name") for c in zeros.iter("testcase") if c.find("failure") is not None
    } == failing
    assert zeros.get("failures") == str(len(failing))
    assert len(list(short.iter("error"))) == 1
    for count in ("tests", "failures", "errors"):
        assert int(root.get(count)) == sum(int(suite.get(count)) for suite in root)
    assert int(root.get("tests")) == len(list(root.iter("testcase")))


def test_sarif_has_every_rule_and_a_result_for_what_does_not_hold(diskwright, some):
    document = json.loads(reported(diskwright, some, "sarif", *NAMES))
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert set(rules) >= {rule.id for rule in RULES}
    failing = {f["id"] for f in findings(diskwright, some, "zeros.raw") if f["result"] == "fail"}
    assert {r["ruleId"] for r in run["results"] if r["level"] == "error"} >= failing
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["message"]["text"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


def test_json_is_what_is_printed(diskwright, some):
    written = json.loads(reported(diskwright, some, "json", *NAMES))
    printed = diskwright("validate", "--output", "json", *NAMES, cwd=some).document
    assert written["results"] == printed["results"]


class Page(HTMLParser):
    """Which elements a page has, and whatever it would fetch."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.fetched = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            far = name in ("src", "srcset", "data", "action") or (
                name in ("href", "xlink:href") and not str(value).startswith("#")
            )
            self.fetched += [(tag, name, value)] if far or name.startswith("on") else []


def test_the_page_holds_all_that_it_needs_and_what_fails_comes_first(diskwright, some):
    text = reported(diskwright, some, "html", *NAMES)
    page = Page(text)
    assert "script" not in page.tags
    assert page.fetched == []
    assert "@import" not in text
    assert not re.search(r"url\(", text)
    assert "prefers-color-scheme" in text
    assert "svg" in page.tags
    assert "disk.one-system-disk" in text
    assert "Debian GNU/Linux 12 (bookworm)" in text


def test_a_name_is_text_in_every_report(diskwright, some):
    (some / "bites.qcow2").rename(some / HOSTILE)
    page = Page(reported(diskwright, some, "html", HOSTILE, code=0))
    assert not {"script", "img"} & set(page.tags)
    assert page.fetched == []
    root = ET.fromstring(reported(diskwright, some, "junit", HOSTILE, code=0))
    assert root[0].get("name") == HOSTILE
    run = json.loads(reported(diskwright, some, "sarif", HOSTILE, code=0))["runs"][0]
    assert run["tool"]["driver"]["name"] == "diskwright"


def test_a_report_is_written_whole_or_not_at_all(diskwright, some):
    (some / "there.xml").write_text("mine")
    before = files_below(some)
    arguments = ["validate", "good.qcow2", "--report", "junit=there.xml"]
    ended = diskwright(*arguments, cwd=some)
    assert ended.code == 14
    one_line_and_a_hint(ended)
    assert (some / "there.xml").read_text() == "mine"
    assert diskwright(*arguments, "--force", cwd=some).code == 0
    assert (some / "there.xml").read_text().startswith("<?xml")
    assert diskwright("validate", "good.qcow2", "--report", "html=no/such/x", cwd=some).code == 15
    assert files_below(some) == before


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (["html"], "FORMAT=FILE"),
        (["pdf=x"], "FORMAT=FILE"),
        (["html="], "FORMAT=FILE"),
        (["html=-"], "reports are files"),
        (["html=good.qcow2"], "is an image to judge"),
        (["html=x", "json=./x"], "two reports"),
    ],
)
def test_a_report_that_can_not_be_is_refused_before_anything_is_judged(diskwright, some, said, why):
    options = [word for one in said for word in ("--report", one)]
    before = files_below(some)
    ended = diskwright("validate", "good.qcow2", *options, cwd=some)
    assert ended.code in (2, 14)
    assert why in ended.err
    assert ended.out == ""
    assert files_below(some) == before


def test_an_image_is_never_written_over(diskwright, some):
    ended = diskwright("validate", "good.qcow2", "--force", "--report", "html=good.qcow2", cwd=some)
    assert ended.code == 2
    assert "is an image to judge" in ended.err
    assert (some / "good.qcow2").read_bytes() == FIXTURE.read_bytes()
