"""Whether firewalld lets some ports be reached: firewalld.conf(5), firewalld.zone(5).

Judged is the default zone, as it stands in the folder that counts. Other zones may have interfaces
or addresses of their own, rules outside of zones come first: where such are, nothing is told.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from diskwright.guest.profiles import binds_to_zone
from diskwright.guest.reading import NotThere
from diskwright.guest.settings import covers, setting, text_of
from diskwright.guest.tree import GuestTree

CONFIG, ADMIN = "/etc/firewalld/firewalld.conf", "/etc/firewalld"
FOLDERS = (ADMIN, "/usr/lib/firewalld", "/lib/firewalld")
MAX_SERVICES = 100
MAX_FILES = 200  # in a folder

_SSH = ("ssh", 22)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_ELEMENT = re.compile(r"<(/?[a-z-]{1,30})\b([^<>]*)>")
_ATTRIBUTE = re.compile(r"""\b(\w+)\s*=\s*["']([^"']*)["']""")
# Of a zone's elements: what may shut out, and what may let in, whom or where nobody can tell
_SHUTTING = frozenset({"reject", "drop", "forward-port"})
_OPENING = frozenset({"rule", "include", "protocol", "source-port"})
_BINDING = frozenset({"interface", "source"})

_Element = tuple[str, dict[str, str]]


def read_firewalld(tree: GuestTree, ports: Collection[int]) -> tuple[bool | None, str]:
    """As `lets_ssh` and `config` of a Firewall. Raises GuestReadError."""
    zone = setting(tree, CONFIG, "DefaultZone") or "public"
    path, text = _file(tree, "zones", zone)
    if text is None:
        return None, CONFIG
    if _elsewhere(tree, f"{zone}.xml") or binds_to_zone(tree, zone):
        return None, path
    return _zone(tree, list(_elements(text)), ports), path


def _zone(tree: GuestTree, elements: list[_Element], ports: Collection[int]) -> bool | None:
    names = {name for name, _ in elements}
    if names & _SHUTTING:
        return None
    unsure = bool(names & _OPENING)
    services = set()
    inside = False  # a rule, which is for some only
    for name, said in elements:
        inside = name == "rule" or (inside and name != "/rule")
        if inside:
            continue
        if name == "service":
            services.add(said.get("name", ""))
        elif _opens(name, said, ports) or said.get("target") == "ACCEPT":
            return True
    verdicts = {_service(tree, name, ports) for name in sorted(services)[:MAX_SERVICES]}
    if True in verdicts:
        return True
    return None if unsure or None in verdicts or len(services) > MAX_SERVICES else False


def _opens(name: str, said: dict[str, str], ports: Collection[int]) -> bool:
    tcp = name == "port" and said.get("protocol") == "tcp"
    return tcp and covers(said.get("port", ""), ports, " ", "-")


def _service(tree: GuestTree, name: str, ports: Collection[int]) -> bool | None:
    """firewalld.service(5): a name for ports."""
    _, text = _file(tree, "services", name)
    if text is None:
        return _SSH[1] in ports if name == _SSH[0] else None
    elements = list(_elements(text))
    names = {name for name, _ in elements}
    if any(_opens(name, said, ports) for name, said in elements):
        return None if "destination" in names else True
    return None if names & _OPENING else False


def _elsewhere(tree: GuestTree, default: str) -> bool:
    """Whether something else decides: direct rules, a policy, a zone that is bound to something."""
    if _has(tree, f"{ADMIN}/direct.xml", {"rule", "passthrough"}):
        return True
    zones = [path for path in _files(tree, f"{ADMIN}/zones") if not path.endswith(f"/{default}")]
    return bool(_files(tree, f"{ADMIN}/policies")) or any(_has(tree, z, _BINDING) for z in zones)


def _files(tree: GuestTree, folder: str) -> list[str]:
    try:
        names = tree.names(folder, MAX_FILES)
    except NotThere:
        return []
    return [f"{folder}/{name}" for name in names if name.endswith(".xml")]


def _has(tree: GuestTree, path: str, wanted: Collection[str]) -> bool:
    return any(name in wanted for name, _ in _elements(text_of(tree, path) or ""))


def _file(tree: GuestTree, kind: str, name: str) -> tuple[str, str | None]:
    """Of the first folder that has it."""
    for folder in FOLDERS if _NAME.fullmatch(name) else ():
        path = f"{folder}/{kind}/{name}.xml"
        text = text_of(tree, path)
        if text is not None:
            return path, text
    return "", None


def _elements(text: str) -> Iterator[_Element]:
    for match in _ELEMENT.finditer(_COMMENT.sub("", text)):
        yield match[1], dict(_ATTRIBUTE.findall(match[2]))
