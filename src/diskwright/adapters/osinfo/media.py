"""Which system an install medium installs, by the identifiers of its volume.

The database describes media with regular expressions (`os/media/iso`, osinfo-db's
`data/schema/osinfo.rng`), searched for in the identifiers as libosinfo does. Parsing all files as
XML takes seconds, so the text is looked through for a volume-id that matches, and only files that
have one are parsed; then every expression of an `iso` element has to match.
"""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from diskwright._values import Struct
from diskwright.adapters.osinfo.files import parse, read_text, size_of
from diskwright.model.iso import IsoFacts, IsoSystem

_FOLDERS_LIMIT = 1_000  # vendors
_FILES_LIMIT = 5_000  # the database has 800
_ANCESTORS = 8  # systems whose figures are inherited from one another
_PATTERN_LIMIT = 512
_TEXT_LIMIT = 128  # the longest identifier of ISO 9660
_VOLUME_ID = re.compile(r"<volume-id[^>]*>([^<]+)</volume-id>")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))


class _Match(Struct, frozen=True):
    """`weight`: how many expressions it took, and how long the volume-id's is."""

    weight: tuple[int, int]
    folder: str
    system: ET.Element
    media: ET.Element


def installed_by(folder: str, facts: IsoFacts) -> IsoSystem | None:
    """By the medium that the database describes most exactly; where several systems are described
    alike, the newest of them, and the others are named."""
    matches = [match for path in _candidates(folder, facts) for match in _matches(path, facts)]
    if not facts.volume_id or not matches:
        return None
    best = max(match.weight for match in matches)
    equal = [match for match in matches if match.weight == best]
    first = max(equal, key=lambda match: match.system.findtext("release-date") or "")
    also = {_name(match.system) for match in equal} - {_name(first.system)}
    return _system(first, tuple(sorted(also)))


def _candidates(folder: str, facts: IsoFacts) -> Iterator[str]:
    """Files with a volume-id that matches."""
    known: dict[str, bool] = {}
    for path in _files(os.path.join(folder, "os")):
        for found in _VOLUME_ID.finditer(read_text(path)):
            pattern = found[1]
            if pattern not in known:
                known[pattern] = _found(_unescaped(pattern), facts.volume_id)
            if known[pattern]:
                yield path
                break


def _files(base: str) -> Iterator[str]:
    left = _FILES_LIMIT
    for vendor in _listed(base)[:_FOLDERS_LIMIT]:
        folder = os.path.join(base, vendor)
        for name in _listed(folder):
            path = os.path.join(folder, name)
            inner = _listed(path) if name.endswith(".d") else []
            for file in [os.path.join(path, entry) for entry in inner] or [path]:
                left -= 1
                if left < 0:
                    return
                if file.endswith(".xml"):
                    yield file


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _matches(path: str, facts: IsoFacts) -> Iterator[_Match]:
    for system in parse(path):
        for media in system.iterfind("media"):
            iso = media.find("iso")
            weight = _weight(iso, facts) if iso is not None else None
            if weight is not None:
                yield _Match(weight, *_described(path, system), media)


def _weight(iso: ET.Element, facts: IsoFacts) -> tuple[int, int] | None:
    """None unless all that is said of the medium holds."""
    if iso.find("volume-id") is None:
        return None
    told = {
        "volume-id": facts.volume_id,
        "system-id": facts.system_id,
        "publisher-id": facts.publisher_id,
        "application-id": facts.application_id,
    }
    count = 0
    for element in iso:
        if element.tag in told:
            if not _found(element.text or "", told[element.tag]):
                return None
            count += 1
        elif element.tag == "volume-size":
            if (element.text or "").strip() != str(facts.volume_size):
                return None
            count += 1
    return count, len(iso.findtext("volume-id") or "")


def _found(pattern: str, text: str) -> bool:
    """The pattern is the database's own and the text short, so the search ends soon."""
    if len(pattern) > _PATTERN_LIMIT:
        return False
    try:
        return re.search(pattern, text[:_TEXT_LIMIT]) is not None
    except re.error:
        return False


def _unescaped(text: str) -> str:
    for entity, char in _ENTITIES:
        text = text.replace(entity, char)
    return text


def _described(path: str, system: ET.Element) -> tuple[str, ET.Element]:
    """The vendor's folder, and the system's own element where `path` only adds to it."""
    folder = os.path.dirname(path)
    if not folder.endswith(".d"):
        return folder, system
    own = (s for s in parse(f"{folder[:-2]}.xml") if s.get("id") == system.get("id"))
    return os.path.dirname(folder), next(own, system)


def _system(match: _Match, also: tuple[str, ...]) -> IsoSystem:
    architecture = match.media.get("arch") or "all"
    system = match.system
    return IsoSystem(
        id=system.findtext("short-id") or "",
        name=_name(system),
        version=system.findtext("version") or "",
        architecture=architecture,
        minimum_memory=_figure(match, architecture, "minimum/ram"),
        minimum_storage=_figure(match, architecture, "minimum/storage"),
        recommended_memory=_figure(match, architecture, "recommended/ram"),
        recommended_storage=_figure(match, architecture, "recommended/storage"),
        live=match.media.get("live") == "true",
        also=also,
    )


def _name(system: ET.Element) -> str:
    return system.findtext("name") or system.findtext("short-id") or ""


def _figure(match: _Match, architecture: str, what: str) -> int | None:
    """Of the architecture, else of all; else as the system that it derives from, if it says so."""
    system: ET.Element | None = match.system
    for _ in range(_ANCESTORS):
        if system is None:
            return None
        inherits = False
        for arch in dict.fromkeys((architecture, "all")):
            for resources in system.iterfind("resources"):
                if resources.get("arch") == arch:
                    size = size_of(resources.findtext(what))
                    if size is not None:
                        return size
                    inherits = inherits or resources.get("inherit") == "true"
        parent = system.find("derives-from")
        system = _by_id(match.folder, parent.get("id")) if inherits and parent is not None else None
    return None


def _by_id(folder: str, identity: str | None) -> ET.Element | None:
    """A system of the same vendor."""
    if not identity:
        return None
    for name in _listed(folder)[:_FILES_LIMIT]:
        path = os.path.join(folder, name)
        if name.endswith(".xml") and f'"{identity}"' in read_text(path):
            for system in parse(path):
                if system.get("id") == identity:
                    return system
    return None
