"""The one JSON document that a command writes, also when it fails."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from diskwright.errors import DiskwrightError
from diskwright.model import codec
from diskwright.model.deep import Refused
from diskwright.model.finding import Finding
from diskwright.model.guest import GuestFacts
from diskwright.model.image import ImageFacts
from diskwright.model.outcome import (
    Converted,
    Doctored,
    Inspected,
    Prepared,
    Reopened,
    Restored,
    Validated,
)
from diskwright.model.uploads import AbortedUploads, ListedUploads
from diskwright.report.import_request import ImportRequest, import_request_value
from diskwright.report.iso import iso_facts_value
from diskwright.report.package import package_value

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


def error_of(error: DiskwrightError) -> dict[str, str | int]:
    return error_value(error.kind, error.code, error.message, error.hint, error.exit_code)


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


def inspected_result(
    image: str,
    found: Inspected | None,
    error: Mapping[str, Any] | None,
    *,
    disk: str = "",
    with_package: bool = True,
    refused: Refused | None = None,
) -> dict[str, Any]:
    """`disk` is its name in a package; what that one says of itself comes `with_package`.

    Of one that was refused the facts are what `refused` explains, if anything does.
    """
    if found is None:
        seen = None if refused is None else {"deep": codec.encode(refused)}
        return _result(image, disk=disk, facts=seen, error=error)
    facts = facts_value(found.image, found.guest)
    if found.package is not None and with_package:
        facts["package"] = package_value(found.package)
    if found.iso is not None:
        facts |= iso_facts_value(found.iso.facts, found.iso.system, found.iso.database_date)
    if found.deep is not None:
        facts["deep"] = codec.encode(found.deep)
    if found.software is not None:
        facts["software"] = codec.encode(found.software)
    return _result(image, disk=found.name, facts=facts, error=error)


def validated_result(
    image: str,
    found: Validated | None,
    error: Mapping[str, Any] | None,
    *,
    strict: bool = False,
    disk: str = "",
) -> dict[str, Any]:
    """A result with `ready`, as the text's last line says it; `disk` is its name in a package.

    `data_disk`: by the rules of one it was judged. `accepted`: what does not stand against it.
    """
    if found is None:
        return {**_result(image, disk=disk, error=error), "ready": False}
    facts = facts_value(found.image, found.guest)
    findings = found.verdict.findings
    result = _result(image, disk=found.name, facts=facts, findings=findings, error=error)
    return {
        **result,
        "data_disk": found.data,
        "accepted": codec.encode(found.verdict.accepted),
        "ready": found.verdict.ready(strict=strict),
    }


def made_result(
    image: str | None,
    made: Converted | Prepared | Restored | Reopened | Doctored | ListedUploads | AbortedUploads,
    request: ImportRequest | None = None,
    further: Sequence[ImportRequest] = (),
) -> dict[str, Any]:
    """A result with `made`, the fields of what a command has made, and the import's requests:
    that of the first disk, and of a set those of its `further` ones. Findings of a package's disk
    say of which: `disk`.
    """
    value = codec.encode(made)
    result = _result(image)
    if isinstance(made, Prepared):
        if len(made.disks) == 1:
            result = _result(image, disk=made.disks[0].name)
        del value["verdict"]
        value["accepted"] = codec.encode(made.verdict.accepted)
        for disk, shown in zip(made.disks, value["disks"], strict=True):
            del shown["verdict"]
            shown["accepted"] = codec.encode(disk.verdict.accepted)
            name = {"disk": disk.name} if disk.name else {}
            result["findings"] += [finding_value(f) | name for f in disk.verdict.findings]
    result["made"] = value
    result["import_request"] = import_request_value(request) if request is not None else None
    if further:
        result["data_import_requests"] = [import_request_value(one) for one in further]
    return result


def _result(
    image: str | None,
    *,
    disk: str = "",
    facts: Mapping[str, Any] | None = None,
    findings: Iterable[Finding] = (),
    error: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """`disk` is there for the disks of a package only."""
    return {
        "image": image,
        **({"disk": disk} if disk else {}),
        "facts": facts,
        "findings": [finding_value(finding) for finding in findings],
        "error": error,
    }


def document(
    command: str, results: Sequence[Mapping[str, Any]], error: Mapping[str, Any] | None = None
) -> str:
    """In ASCII, so that a terminal obeys nothing of it; without a newline at its end."""
    value = {"schema": SCHEMA, "command": command, "results": list(results), "error": error}
    return json.dumps(value, indent=2, ensure_ascii=True)
