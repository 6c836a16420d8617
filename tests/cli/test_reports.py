"""`validate --report`: each format says what the run said, whole or absent, and none of it acts."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from diskwright.rules import RULES
from support.command import FIXTURE, files_below, one_line_and_a_hint
from support.stopping import Listening, stop

FORMATS = {"junit": "r.xml", "sarif": "r.sarif", "html": "r.html", "json": "r.json"}
ALL = [word for form, name in FORMATS.items() for word in ("--report", f"{form}={name}")]
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
    idle = [f for f in findings(diskwright, some, "good.qcow2") if f["result"] == "skip"]
    counts = [good.get(count) for count in ("failures", "errors", "skipped")]
    assert counts == ["0", "0", str(len(idle))]
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


def test_all_are_written_at_once_and_say_the_same(diskwright, some):
    before = files_below(some)
    ended = diskwright("validate", *NAMES, *ALL, cwd=some)
    assert ended.code == 10, ended
    assert ended.out.splitlines()[-2] == "3 images: 1 ready, 1 not ready, 1 not judged"
    assert files_below(some) == sorted([*before, *FORMATS.values()])
    suites = ET.parse(some / "r.xml").getroot()
    named = {case.get("name") for case in suites[1] if case.find("failure") is not None}
    (run,) = json.loads((some / "r.sarif").read_text())["runs"]
    assert {one["ruleId"] for one in run["results"] if one["level"] == "error"} == named
    page = (some / "r.html").read_text()
    assert all(rule in page for rule in named)
    assert "truncated" in page
    assert "truncated" in (some / "r.xml").read_text()
    printed = diskwright("validate", *NAMES, "--output", "json", cwd=some)
    assert (some / "r.json").read_text() == printed.out


def test_what_is_printed_of_one_image_stays(diskwright, some):
    plain = diskwright("validate", "good.qcow2", cwd=some)
    told = diskwright("validate", "good.qcow2", "--report", "html=r.html", cwd=some)
    assert (told.code, told.out, told.err) == (plain.code, plain.out, plain.err)
    assert oct((some / "r.html").stat().st_mode & 0o777) == oct(0o666 & ~umask())


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_file_that_is_there_is_kept_without_force(diskwright, some):
    (some / "r.html").write_text("mine")
    before = files_below(some)
    ended = diskwright("validate", "good.qcow2", *ALL, cwd=some)
    assert (ended.code, ended.out) == (14, "")
    assert "r.html" in one_line_and_a_hint(ended)
    assert "--force" in ended.err
    assert (some / "r.html").read_text() == "mine"
    assert files_below(some) == before
    forced = diskwright("validate", "good.qcow2", *ALL, "--force", cwd=some)
    assert forced.code == 0, forced.err
    assert (some / "r.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("said", "code", "why"),
    [
        (["pdf=x"], 2, "FORMAT one of junit, sarif, html, json"),
        (["html"], 2, "FORMAT=FILE"),
        (["html="], 2, "FORMAT=FILE"),
        (["html=-"], 2, "one named - is ./-"),
        (["html=no/such/r.html"], 15, "can't be written"),
        (["html=."], 15, "is a directory"),
        (["html=x", "json=./x"], 2, "is named for two reports"),
    ],
)
def test_what_can_not_be_is_refused_before_an_image_is_read(diskwright, some, said, code, why):
    options = [word for one in said for word in ("--report", one)]
    before = files_below(some)
    ended = diskwright("validate", "good.qcow2", *options, cwd=some)
    assert (ended.code, ended.out) == (code, ""), ended
    assert why in one_line_and_a_hint(ended)
    assert files_below(some) == before


@pytest.mark.parametrize("force", [[], ["--force"]], ids=["", "force"])
@pytest.mark.parametrize("name", ["good.qcow2", "./good.qcow2", "link.qcow2"])
def test_an_image_is_never_written_over(diskwright, some, name, force):
    os.link(some / "good.qcow2", some / "link.qcow2")
    ended = diskwright("validate", "good.qcow2", "--report", f"html={name}", *force, cwd=some)
    assert (ended.code, ended.out) == (2, "")
    assert "is an image to judge" in one_line_and_a_hint(ended)
    assert (some / "good.qcow2").read_bytes() == FIXTURE.read_bytes()


def test_a_run_that_is_stopped_leaves_none(diskwright, some):
    for index in range(8):
        shutil.copyfile(FIXTURE, some / f"{index}.qcow2")
    before = files_below(some)
    arguments = ["validate", some, "--report", f"html={some}/r.html"]
    stopped = stop(diskwright, arguments, Listening(0.3), signal.SIGINT)
    assert stopped.in_time, "it ended before it was asked to"
    assert stopped.ended.code == 130, stopped
    assert files_below(some) == before


def test_formats_are_completed(diskwright):
    diskwright.environment |= {
        "_DISKWRIGHT_COMPLETE": "bash_complete",
        "COMP_WORDS": "diskwright validate --report j",
        "COMP_CWORD": "3",
    }
    assert diskwright().out.split() == ["plain,junit=", "plain,json="]
