"""Least memory and disk of operating systems: the osinfo database, and newer rows of our own.

The database is a folder of XML (`os/<vendor>/<name>.xml`, additions in `<name>.d/*.xml` with the
same id; schema: osinfo-db, `data/schema/osinfo.rng`). Only the few files whose name fits the
wanted system are parsed: the whole database takes seconds.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

from diskwright.adapters.osinfo.files import parse, size_of
from diskwright.adapters.osinfo.names import Candidate, candidates
from diskwright.model.iso import IsoFacts, IsoSystem
from diskwright.model.profile import Minimum
from diskwright.model.units import GIB, MIB

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

_ADDITIONS_LIMIT = 64
_WANTED = frozenset({"ram", "storage"})  # bytes, under <minimum>
_NEVER = "00000000"  # before every database, where one has no date


class OsinfoDatabase:
    """`folder` may lack, or be damaged: then only our own rows answer."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

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
        rows, rows_date = self._rows
        for name in candidates(os_id, version):
            ours = rows.get(name.short_id) if architecture == "x86_64" else None
            if ours is not None and rows_date > (self.date or _NEVER):
                return ours
            found = self._installed(name, architecture)
            if found is not None or ours is not None:
                return found or ours
        return None

    def installs(self, facts: IsoFacts) -> IsoSystem | None:
        """The system that an install medium with such identifiers installs; None where unknown."""
        from diskwright.adapters.osinfo.media import installed_by

        return installed_by(self._folder, facts)

    @cached_property
    def _rows(self) -> tuple[dict[str, Minimum], str]:
        """Our own, by short id, and their date."""
        import tomllib
        from importlib.resources import files

        text = (files("diskwright") / "rules" / "minimums.toml").read_text()
        read: dict[str, Any] = tomllib.loads(text)
        source = str(read["source"])
        rows = {
            name: Minimum(name, row["memory_mib"] * MIB, row["disk_gib"] * GIB, source)
            for name, row in read["os"].items()
        }
        return rows, str(read["date"])

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
        own = [s for s in parse(f"{base}.xml") if _has_short_id(s, name.short_id)]
        identities = {s.get("id") for s in own}
        try:
            entries = sorted(os.listdir(f"{base}.d"))[:_ADDITIONS_LIMIT]
        except OSError:
            return own
        files = [os.path.join(f"{base}.d", entry) for entry in entries if entry.endswith(".xml")]
        return own + [s for file in files for s in parse(file) if s.get("id") in identities]


def _has_short_id(system: ET.Element, short_id: str) -> bool:
    return any(element.text == short_id for element in system.iterfind("short-id"))


def _figures(resources: ET.Element) -> dict[str, int]:
    found = {name: size_of(resources.findtext(f"minimum/{name}")) for name in _WANTED}
    return {name: size for name, size in found.items() if size is not None}
