"""Interfaces as netplan sets them up: /etc/netplan/*.yaml, netplan(5)."""

from __future__ import annotations

from diskwright._values import Struct
from diskwright.guest.reading import GuestReadError, NotThere
from diskwright.guest.tree import GuestTree
from diskwright.guest.yaml_subset import Yaml, YamlRefused, parse_yaml
from diskwright.model.location import Location
from diskwright.model.network import AddressMethod, Interface

MANAGER = "netplan"
FOLDERS = ("/usr/lib/netplan", "/lib/netplan", "/etc/netplan")
MAX_FILE = 64 << 10
MAX_FILES = 100
KINDS = ("ethernets", "bonds", "bridges", "vlans", "modems", "wifis")


class _Key(Struct, frozen=True):
    value: Yaml
    location: Location


def read_netplan(tree: GuestTree) -> tuple[list[Interface], list[Location]]:
    """Interfaces, and the places where one is matched by its MAC. A file that can't be read gives
    an interface without a name and of unknown method."""
    merged: dict[str, dict[str, _Key]] = {}
    unknown: list[Interface] = []
    for path in _files(tree):
        try:
            document = parse_yaml(tree.read_text(path, MAX_FILE))
        except (GuestReadError, YamlRefused):
            unknown.append(Interface(Location(path), MANAGER, "", AddressMethod.UNKNOWN))
            continue
        for name, line, keys in _definitions(document):
            known = merged.setdefault(name, {"": _Key(Yaml("", line), Location(path, line))})
            for key, value in keys.items():  # later files win, key by key
                known[key] = _Key(value, Location(path, value.line))
    interfaces = [_interface(name, keys) for name, keys in merged.items()]
    pinned = [keys["match"].location for keys in merged.values() if _matches_mac(keys)]
    return interfaces + unknown, pinned


def _files(tree: GuestTree) -> list[str]:
    """By name over all folders; of two with the same name the later folder's counts."""
    found: dict[str, str] = {}
    for folder in FOLDERS:
        try:
            names = tree.names(folder, MAX_FILES)
        except NotThere:
            continue
        found.update({n: f"{folder}/{n}" for n in names if n.endswith(".yaml")})
    return [found[name] for name in sorted(found)]


def _definitions(document: Yaml) -> list[tuple[str, int, dict[str, Yaml]]]:
    found = []
    for kind in KINDS:
        group = document.get("network", kind)
        for name, body in group.items() if group else []:
            if name != "renderer":
                found.append((name, body.line, dict(body.items())))
    return found


def _interface(name: str, keys: dict[str, _Key]) -> Interface:
    dhcp = next((keys[k] for k in ("dhcp4", "dhcp6") if k in keys and keys[k].value.is_true), None)
    addresses = keys["addresses"].value.texts() if "addresses" in keys else []
    if dhcp:
        return Interface(dhcp.location, MANAGER, name, AddressMethod.DHCP)
    if addresses:
        where = keys["addresses"].location
        return Interface(where, MANAGER, name, AddressMethod.STATIC, addresses[0])
    return Interface(keys[""].location, MANAGER, name, AddressMethod.NONE)


def _matches_mac(keys: dict[str, _Key]) -> bool:
    return "match" in keys and keys["match"].value.get("macaddress") is not None
