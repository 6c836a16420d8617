"""Verdicts as SARIF 2.1.0, for code-scanning viewers.

Names and rules: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0, sections
in brackets. What holds, or does not apply, is no result: viewers show each as an alert.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from diskwright.errors import DiskwrightError
from diskwright.model.finding import Finding, Result, Severity
from diskwright.model.rule import RuleText
from diskwright.model.text import printable
from diskwright.report.judged import Judged, Judgement
from diskwright.report.text import until_text

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_TOLD = (Result.FAIL, Result.WARN, Result.UNKNOWN)


def sarif(judgement: Judgement) -> str:
    """The log of one run, in ASCII."""
    value = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(judgement)]}
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def _run(judgement: Judgement) -> dict[str, Any]:
    images = {one.image: 0 for one in judgement.judged}
    images = {image: number for number, image in enumerate(images)}
    ordinals = {rule.id: number for number, rule in enumerate(judgement.rules)}
    driver = {
        "name": "diskwright",
        "semanticVersion": judgement.version,
        "rules": [_rule(rule) for rule in judgement.rules],
    }
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"diskwright/{judgement.profile}/"},  # [3.17.3]
        "invocations": [_invocation(judgement, images)],
        "artifacts": _artifacts(judgement, images),
        "results": [
            _result(finding, one, images[one.image], ordinals, strict=judgement.strict)
            for one in judgement.judged
            for finding in _told(one)
        ],
        "columnKind": "utf16CodeUnits",
        "properties": {"profile": judgement.profile, "strict": judgement.strict},
    }


def _told(one: Judged) -> Iterator[Finding]:
    if one.found is not None:
        yield from (f for f in one.found.verdict.findings if f.result in _TOLD)


def _rule(rule: RuleText) -> dict[str, Any]:
    """A reporting descriptor [3.49]."""
    remedy = "\n".join(map(printable, rule.remedy))
    return {
        "id": rule.id,
        "shortDescription": {"text": _sentence(rule.title)},
        "fullDescription": {"text": rule.why},
        "help": {
            "text": f"{rule.why}\n\nWhat to do:\n{remedy}\n\nSource: {rule.source}",
            "markdown": f"{rule.why}\n\n**What to do**\n\n```sh\n{remedy}\n```\n\n"
            f"Source: {rule.source}",
        },
        "defaultConfiguration": {"level": _level(rule.result, rule.severity)},
        "properties": {"tags": [rule.id.partition(".")[0]], "severity": rule.severity.value},
    }


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _level(result: Result, severity: Severity) -> str:
    if result is Result.FAIL:
        return "error"
    return "note" if severity is Severity.LOW else "warning"


def _invocation(judgement: Judgement, images: dict[str, int]) -> dict[str, Any]:
    """What could not be judged is a notification of the tool [3.20.21], and no result."""
    refused = [
        {
            "descriptor": {"id": one.outcome.code},
            "level": "error",
            "message": {"text": printable(f"{one.outcome.message}. {one.outcome.hint}")},
            "locations": [_location(one, images[one.image])],
        }
        for one in judgement.judged
        if isinstance(one.outcome, DiskwrightError)
    ]
    return {
        "executionSuccessful": not refused,
        "endTimeUtc": judgement.time,
        "toolExecutionNotifications": refused,
    }


def _artifacts(judgement: Judgement, images: dict[str, int]) -> list[dict[str, Any]]:
    sizes = {one.image: one.found.image.file_size for one in judgement.judged if one.found}
    return [
        {
            "location": {"uri": _uri(image)},
            "roles": ["analysisTarget"],
            **({"length": sizes[image]} if image in sizes else {}),
        }
        for image in images
    ]


def _uri(path: str) -> str:
    """A relative path stays relative [3.4.3]: the viewer knows where it was."""
    text = quote(os.fsencode(os.path.normpath(path)))
    return f"file://{text}" if path.startswith("/") else text


def _location(one: Judged, index: int) -> dict[str, Any]:
    """A disk has no lines; GitHub shows no result without one."""
    physical = {
        "artifactLocation": {"uri": _uri(one.image), "index": index},
        "region": {"startLine": 1},
    }
    if not one.disk:
        return {"physicalLocation": physical}
    member = {"name": printable(one.disk), "kind": "member"}
    return {"physicalLocation": physical, "logicalLocations": [member]}


def _result(
    finding: Finding, one: Judged, index: int, ordinals: dict[str, int], *, strict: bool
) -> dict[str, Any]:
    """[3.27]. What was not read is `open` and has no level, but for --strict."""
    against = finding.result is not Result.UNKNOWN or strict
    value: dict[str, Any] = {
        "ruleId": finding.id,
        "ruleIndex": ordinals[finding.id],
        "kind": "fail" if against else "open",
        "level": _level(finding.result, finding.severity) if against else "none",
        "message": {"text": _message(finding)},
        "locations": [_location(one, index)],
        "partialFingerprints": {"diskwrightRuleAndDisk/v1": _fingerprint(finding, one)},
        "properties": {
            "result": finding.result.value,
            "severity": finding.severity.value,
            "evidence": _lines(finding.evidence),
            "remedy": _lines(finding.remedy),
            "source": finding.source,
        },
    }
    verdict = one.found.verdict if one.found is not None else None
    for entry in verdict.accepted if verdict is not None else ():
        if entry.id == finding.id:
            accepted = {"kind": "external", "status": "accepted"}  # [3.35]
            value["suppressions"] = [
                accepted | {"justification": printable(until_text(entry) + entry.reason)}
            ]
    return value


def _message(finding: Finding) -> str:
    """Viewers show little else: so the evidence and the remedy too."""
    text = _sentence(printable(finding.message))
    if finding.evidence:
        text += "\nAt: " + "\n".join(_lines(finding.evidence))
    if finding.remedy:
        text += "\nWhat to do:\n" + "\n".join(_lines(finding.remedy))
    return text


def _lines(text: str) -> list[str]:
    return [printable(line) for line in text.split("\n")] if text else []


def _fingerprint(finding: Finding, one: Judged) -> str:
    """The same while the same rule is broken by the same disk, whatever is read there."""
    told = "\0".join((finding.id, os.path.normpath(one.image), one.disk))
    return hashlib.sha256(told.encode("utf-8", "backslashreplace")).hexdigest()[:32]
