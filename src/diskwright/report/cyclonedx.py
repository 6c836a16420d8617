"""The packages of an image as a software bill of materials: CycloneDX 1.6 in JSON.

Source: https://cyclonedx.org/docs/1.6/json/. But for the serial number and the time it is the same
bytes for the same image.
"""

from __future__ import annotations

import json
import os
from typing import Any
from uuid import UUID

from diskwright._values import Struct
from diskwright.model.examined import InstalledPackage, Software
from diskwright.model.guest import OsRelease
from diskwright.model.outcome import Inspected
from diskwright.report.purl import distribution, package_url

_OWN = "diskwright:"  # begins the names of properties that are ours


class Maker(Struct, frozen=True):
    """Who makes it: our version, the time as text, and 16 bytes that are random."""

    version: str
    made: str
    serial: bytes


def sbom(found: Inspected, software: Software, maker: Maker) -> str:
    """In ASCII, with a newline at its end. What was not read is told in it: it is `incomplete`."""
    system = found.guest.os if found.guest is not None else None
    image = _image(found)
    value: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{UUID(bytes=maker.serial, version=4)}",
        "version": 1,
        "metadata": {
            "timestamp": maker.made,
            "tools": {"components": [_tool(maker.version)]},
            "component": image,
            "properties": _properties(software),
        },
        "components": _components(software, system),
    }
    if software.unread:
        value["compositions"] = [{"aggregate": "incomplete", "assemblies": [image["bom-ref"]]}]
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def _tool(version: str) -> dict[str, str]:
    return {"type": "application", "name": "diskwright", "version": version}


def _image(found: Inspected) -> dict[str, Any]:
    """The image file itself; of a package also which disk."""
    name = os.path.basename(found.path).encode("utf-8", "backslashreplace").decode()
    said = [("format", found.image.format.value), ("virtual-size", str(found.image.virtual_size))]
    if found.name:
        said.append(("disk", found.name))
    return {
        "type": "file",
        "bom-ref": "image",
        "name": name,
        "properties": [{"name": f"{_OWN}{key}", "value": value} for key, value in said],
    }


def _properties(software: Software) -> list[dict[str, str]]:
    said = [("package-database", path) for path in software.databases]
    said += [("not-read", reason) for reason in software.unread]
    return [{"name": f"{_OWN}{key}", "value": value} for key, value in said]


def _components(software: Software, system: OsRelease | None) -> list[dict[str, str]]:
    """The system, then the packages in their order; one that is listed twice is there once."""
    components: dict[str, dict[str, str]] = {}
    if system is not None:
        components["system"] = _system(system)
    for package in software.packages:
        url = package_url(package, system)
        components.setdefault(url, _library(package, url))
    return list(components.values())


def _system(system: OsRelease) -> dict[str, str]:
    value = {"type": "operating-system", "bom-ref": f"system:{distribution(system)}"}
    value["name"] = system.id
    if system.version_id:
        value["version"] = system.version_id
    if system.name:
        value["description"] = system.name
    return value


def _library(package: InstalledPackage, url: str) -> dict[str, str]:
    return {
        "type": "library",
        "bom-ref": url,
        "name": package.name,
        "version": package.full_version,
        "purl": url,
    }
