"""The one JSON document that a command writes, also when it fails. Schema 1: docs/json.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from diskwright.model import codec
from diskwright.model.finding import Finding
from diskwright.model.guest import GuestFacts
from diskwright.model.image import ImageFacts

SCHEMA = 1


def error_value(
    kind: str, code: str, message: str, hint: str, exit_code: int
) -> dict[str, str | int]:
    """`kind` of a refused image is unsafe, broken or unsupported; `code` a short stable name."""
    return {
        "kind": kind,
        "code": code,
        "message": message,
        "hint": hint,
        "exit_code": exit_code,
    }


def facts_value(image: ImageFacts, guest: GuestFacts | None = None) -> dict[str, Any]:
    """`{"image": …, "guest": … or null}`, the fields of the values by their names."""
    return {
        "image": codec.encode(image),
        "guest": codec.encode(guest) if guest is not None else None,
    }


def finding_value(finding: Finding) -> dict[str, str]:
    return {
        "id": finding.id,
        "result": finding.result.value,
        "severity": finding.severity.value,
        "message": finding.message,
        "evidence": finding.evidence,
        "remedy": finding.remedy,
    }


def result_value(
    image: str,
    *,
    facts: Mapping[str, Any] | None = None,
    findings: Iterable[Finding] = (),
    error: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One image's result; `more` are a command's own fields, as what it has made."""
    return {
        "image": image,
        "facts": facts,
        "findings": [finding_value(finding) for finding in findings],
        "error": error,
        **more,
    }


def document(
    command: str, results: Sequence[Mapping[str, Any]], error: Mapping[str, Any] | None = None
) -> str:
    """In ASCII, so that a terminal obeys nothing of it; without a newline at its end."""
    value = {"schema": SCHEMA, "command": command, "results": list(results), "error": error}
    return json.dumps(value, indent=2, ensure_ascii=True)
