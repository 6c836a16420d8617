"""A package of disks as text and as a value for JSON; its disks are told on their own."""

from __future__ import annotations

from typing import Any

from diskwright.model import codec
from diskwright.model.package import PackageFacts
from diskwright.model.text import printable
from diskwright.model.units import format_size

_KEY_WIDTH = 13
_UNVERIFIED = "not verified here (verified by --deep, convert and prepare)"


def package_text(package: PackageFacts, name: str) -> str:
    """One fact a line, `key value`; lines without a key go on with the one above."""
    system = package.os_description
    if package.os_id is not None:
        system = f"{system} (CIM {package.os_id})".lstrip()
    rows = [("package", name), ("name", package.name), ("system", system)]
    if package.cpus is not None:
        rows.append(("processors", str(package.cpus)))
    if package.memory_bytes is not None:
        rows.append(("memory", format_size(package.memory_bytes)))
    disks = [f"{number} {disk.name}" for number, disk in enumerate(package.disks, 1)]
    rows += _under("disks", [*disks, f"in the order of the {package.disk_order.value}"])
    rows += _under("members", [f"{m.name}, {format_size(m.size)}" for m in package.members])
    rows.append(("digests", _digests(package)))
    rows += _under("odd", [f"{p.code}: {p.detail}" for p in package.problems])
    return "\n".join(f"{key:<{_KEY_WIDTH}}{printable(value)}" for key, value in rows if value)


def package_value(package: PackageFacts) -> dict[str, Any]:
    """The fields by their names."""
    value: dict[str, Any] = codec.encode(package)
    return value


def _digests(package: PackageFacts) -> str:
    if not package.digests:
        return "none: it has no manifest"
    algorithms = ", ".join(sorted({digest.algorithm for digest in package.digests}))
    verified = "verified" if package.digests_verified else _UNVERIFIED
    return f"of {len(package.digests)} members by {algorithms}, {verified}"


def _under(key: str, values: list[str]) -> list[tuple[str, str]]:
    """The key beside the first value only."""
    return [(key if index == 0 else "", value) for index, value in enumerate(values)]
