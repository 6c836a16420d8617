"""Verdicts as JUnit XML: a test suite for each disk, a test case for each rule.

The elements and attributes are those that Jenkins' xUnit plugin takes (junit-10.xsd), which
GitLab and others take too. Text of an image is printable before it gets here: what XML 1.0 has no
character for is spelled out.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable

from diskwright.errors import DiskwrightError
from diskwright.model.finding import Accepted, Finding, Result
from diskwright.model.outcome import Validated
from diskwright.model.text import printable
from diskwright.report.judged import Judged, Judgement
from diskwright.report.text import until_text

_COUNTED = ("failure", "error", "skipped")


def junit(judgement: Judgement) -> str:
    """The document. A failure and a warning with --strict is a `failure`; what was not read is
    `skipped`, an `error` with --strict; what a person accepted is `skipped` with the reason.
    """
    suites = [_suite(one, judgement) for one in judgement.judged]
    root = ET.Element("testsuites", {"name": "diskwright validate"})
    root.set("tests", str(sum(int(suite.get("tests", "0")) for suite in suites)))
    for name in ("failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    root.extend(suites)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _suite(one: Judged, judgement: Judgement) -> ET.Element:
    name = printable(one.label)
    outcome = one.outcome
    if isinstance(outcome, DiskwrightError):
        cases = [_refused(name, outcome)]
    else:
        cases = list(_cases(name, outcome, strict=judgement.strict))
    suite = ET.Element("testsuite", {"name": name, "tests": str(len(cases))})
    count = {tag: sum(case.find(tag) is not None for case in cases) for tag in _COUNTED}
    suite.set("failures", str(count["failure"]))
    suite.set("errors", str(count["error"]))
    suite.set("skipped", str(count["skipped"]))
    suite.set("timestamp", judgement.time.removesuffix("Z"))  # ISO 8601 without a zone, in UTC
    said = ET.SubElement(suite, "properties")
    for key, value in (
        ("profile", judgement.profile),
        ("strict", "yes" if judgement.strict else "no"),
        ("diskwright", judgement.version),
    ):
        ET.SubElement(said, "property", {"name": key, "value": value})
    suite.extend(cases)
    return suite


def _refused(name: str, error: DiskwrightError) -> ET.Element:
    case = ET.Element("testcase", {"classname": name, "name": "image"})
    said = {"type": f"{error.kind}.{error.code}", "message": printable(error.message)}
    ET.SubElement(case, "error", said).text = printable(error.hint)
    return case


def _cases(name: str, found: Validated, *, strict: bool) -> Iterable[ET.Element]:
    accepted = {entry.id: entry for entry in found.verdict.accepted}
    for finding in found.verdict.findings:
        case = ET.Element("testcase", {"classname": name, "name": finding.id})
        _result(case, finding, accepted.get(finding.id), strict=strict)
        yield case


def _result(case: ET.Element, finding: Finding, accepted: Accepted | None, *, strict: bool) -> None:
    result = finding.result
    if accepted is not None:
        message = f"accepted: {until_text(accepted)}{accepted.reason} ({result}: {finding.message})"
        said = {"type": "accepted", "message": printable(message)}
        ET.SubElement(case, "skipped", said)
        return
    tag = _tag(result, strict=strict)
    if tag is not None:
        said = {"type": f"{result}.{finding.severity}", "message": printable(finding.message)}
        ET.SubElement(case, tag, said).text = _details(finding) or None
    elif result is Result.WARN:
        text = f"warning: {printable(finding.message)}\n{_details(finding)}".rstrip()
        ET.SubElement(case, "system-out").text = text


def _tag(result: Result, *, strict: bool) -> str | None:
    """None: the case has passed."""
    if result is Result.FAIL or (result is Result.WARN and strict):
        return "failure"
    if result is Result.UNKNOWN:
        return "error" if strict else "skipped"
    return "skipped" if result is Result.SKIP else None


def _details(finding: Finding) -> str:
    lines = [f"at: {line}" for line in finding.evidence.split("\n") if line]
    lines += [f"do: {line}" for line in finding.remedy.split("\n") if line]
    if finding.source:
        lines.append(f"see: {finding.source}")
    return "\n".join(map(printable, lines))
