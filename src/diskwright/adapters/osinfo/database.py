"""Least memory and disk of operating systems: the osinfo database, and newer rows of our own.

The database is a folder of XML (`os/<vendor>/<name>.xml`, additions in `<name>.d/*.xml` with the
same id; schema: osinfo-db, `data/schema/osinfo.rng`). Only the few files whose name fits the
wanted system are parsed: the whole database takes seconds.
"""

from __future__ import annotations

import os
import tomllib
import xml.etree.ElementTree as ET
from importlib.resources import files

from diskwright.adapters.osinfo.names import Candidate, candidates
from diskwright.model.profile import Minimum
from diskwright.model.units import GIB, MIB

FILE_LIMIT = 1 << 20  # the largest file of the database has 170 KiB
_ADDITIONS_LIMIT = 64
_DIGITS_LIMIT = 19
_WANTED = frozenset({"ram", "storage"})  # bytes, under <minimum>
_NEVER = "00000000"  # before every database, where one has no date


class OsinfoDatabase:
    """`folder` may lack, or be damaged: then only our own rows answer."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        rows = tomllib.loads((files("diskwright") / "rules" / "minimums.toml").read_text())
        self._rows_date: str = rows["date"]
        self._rows = {
            name: Minimum(name, row["memory_mib"] * MIB, row["disk_gib"] * GIB, str(rows["source"]))
            for name, row in rows["os"].items()
        }

    @property
    def date(self) -> str:
        """YYYYMMDD of the installed database; empty where there is none."""
        try:
            with open(os.path.join(self._folder, "VERSION"), encoding="ascii") as file:
                return file.read(32).strip()
        except (OSError, ValueError):
            return ""

    def minimum(self, os_id: str, version: str | None, architecture: str) -> Minimum | None:
        """By ID and VERSION_ID of os-release and `x86_64` or `aarch64`; None where unknown."""
        for name in candidates(os_id, version):
            ours = self._rows.get(name.short_id) if architecture == "x86_64" else None
            if ours is not None and self._rows_date > (self.date or _NEVER):
                return ours
            found = self._installed(name, architecture)
            if found is not None or ours is not None:
                return found or ours
        return None

    def _installed(self, name: Candidate, architecture: str) -> Minimum | None:
        figures: dict[str, int] = {}
        for system in self._systems(name):
            for arch in ("all", architecture):  # the more exact one has the last word
                for resources in system.iterfind("resources"):
                    if resources.get("arch") == arch:
                        figures.update(_figures(resources))
        if figures.keys() < _WANTED:
            return None
        source = f"osinfo-db {self.date} (https://libosinfo.org), {architecture}"
        return Minimum(name.short_id, figures["ram"], figures["storage"], source)

    def _systems(self, name: Candidate) -> list[ET.Element]:
        """The system's own element, then what its folder of additions says of the same id."""
        base = os.path.join(self._folder, "os", name.vendor, name.stem)
        own = [s for s in _parse(f"{base}.xml") if _has_short_id(s, name.short_id)]
        identities = {s.get("id") for s in own}
        try:
            entries = sorted(os.listdir(f"{base}.d"))[:_ADDITIONS_LIMIT]
        except OSError:
            return own
        files = [os.path.join(f"{base}.d", entry) for entry in entries if entry.endswith(".xml")]
        return own + [s for file in files for s in _parse(file) if s.get("id") in identities]


def _parse(path: str) -> list[ET.Element]:
    """The `os` elements of a file; none where it is missing, too large or no plain XML.

    A document type is refused: it is how XML names other files and grows without bound.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except OSError:
        return []
    if len(data) > FILE_LIMIT or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        return []
    try:
        root = ET.fromstring(data)  # noqa: S314 - no document type, bounded size
    except ET.ParseError:
        return []
    return list(root.iterfind("os"))


def _has_short_id(system: ET.Element, short_id: str) -> bool:
    return any(element.text == short_id for element in system.iterfind("short-id"))


def _figures(resources: ET.Element) -> dict[str, int]:
    found = {}
    for name in _WANTED:
        text = (resources.findtext(f"minimum/{name}") or "").strip()
        if text.isascii() and text.isdigit() and len(text) < _DIGITS_LIMIT:
            found[name] = int(text)
    return found
