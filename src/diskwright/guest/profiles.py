"""Interfaces by profile files: NetworkManager's keyfiles, and ifcfg files."""

from __future__ import annotations

import re
from collections.abc import Callable

from diskwright._values import Struct
from diskwright.guest.keyfile import Key, parse_keyfile
from diskwright.guest.overrides import overriding_files
from diskwright.guest.reading import GuestReadError
from diskwright.guest.tree import GuestTree
from diskwright.model.location import Location
from diskwright.model.network import AddressMethod, Interface

NETWORK_MANAGER = "network-manager"
IFCFG = "ifcfg"
MAX_FILE = 256 << 10

_Read = tuple[Interface | None, Location | None]  # what a file sets up, where it matches a MAC

# nm-settings-keyfile(5): kinds of connection that are not a server's network card
_NM_OTHER = frozenset(
    ["loopback", "vpn", "wireguard", "wifi", "802-11-wireless", "bluetooth", "gsm", "cdma"]
)
_NM_METHODS = {
    "auto": AddressMethod.DHCP,
    "manual": AddressMethod.STATIC,
    "disabled": AddressMethod.NONE,
    "ignore": AddressMethod.NONE,
    "link-local": AddressMethod.NONE,
    "shared": AddressMethod.STATIC,
}
_IFCFG_IGNORED = re.compile(r"~$|\.(?:bak|old|orig|rpmnew|rpmorig|rpmsave|template)$")
_DHCP_PROTOCOLS = frozenset(
    ["dhcp", "bootp", "dhcp4", "dhcp6", "dhcp4+auto6", "dhcp+autoip", "auto4", "ibft"]
)


class _Source(Struct, frozen=True):
    manager: str
    folders: tuple[str, ...]  # an earlier one's files hide a later one's
    is_one: Callable[[str], bool]
    parse: Callable[[str, str], _Read]
    zone: Callable[[str], str]


def read_profiles(tree: GuestTree) -> tuple[list[Interface], list[Location]]:
    """Interfaces, and the places where one is matched by its MAC. A file that can't be read gives
    an interface without a name and of unknown method."""
    interfaces: list[Interface] = []
    pinned: list[Location] = []
    for source in _SOURCES:
        for path in overriding_files(tree, source.folders, source.is_one):
            try:
                text = tree.read_text(path, MAX_FILE)
            except GuestReadError:
                unknown = AddressMethod.UNKNOWN
                interfaces.append(Interface(Location(path), source.manager, "", unknown))
                continue
            interface, mac = source.parse(path, text)
            interfaces += [interface] if interface else []
            pinned += [mac] if mac else []
    return interfaces, pinned


def binds_to_zone(tree: GuestTree, default: str) -> bool:
    """Whether a profile puts its interface into a zone of firewalld that is not the default one,
    or may: where a file can't be read."""
    try:
        for source in _SOURCES:
            for path in overriding_files(tree, source.folders, source.is_one):
                if source.zone(tree.read_text(path, MAX_FILE)) not in ("", default):
                    return True
    except GuestReadError:
        return True
    return False


def _network_manager_zone(text: str) -> str:
    return _value(parse_keyfile(text), "connection", "zone") or ""


def _ifcfg_zone(text: str) -> str:
    return _ifcfg_values(text).get("ZONE", ("", 0))[0]


def _parse_network_manager(path: str, text: str) -> _Read:
    keys = parse_keyfile(text)
    if _value(keys, "connection", "type") in _NM_OTHER:
        return None, None
    name = _value(keys, "connection", "interface-name") or _value(keys, "connection", "id") or "*"
    mac = next(
        (k for k in keys if k.section in ("ethernet", "802-3-ethernet") and k.key == "mac-address"),
        None,
    )
    four, six = _key(keys, "ipv4", "method"), _key(keys, "ipv6", "method")
    # without an [ipv4] section the method is auto
    decides = six if four and four.value in ("disabled", "ignore") and six else four
    method = (
        _NM_METHODS.get(decides.value, AddressMethod.UNKNOWN) if decides else _NM_METHODS["auto"]
    )
    address = next(
        (k.value for k in keys if k.section in ("ipv4", "ipv6") and k.key.startswith("address")),
        None,
    )
    where = Location(path, decides.line if decides else None)
    static = method is AddressMethod.STATIC
    interface = Interface(where, NETWORK_MANAGER, name, method, address if static else None)
    return interface, Location(path, mac.line) if mac else None


def _ifcfg_values(text: str) -> dict[str, tuple[str, int]]:
    values: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        match = re.fullmatch(r"\s*(?:export\s+)?([A-Za-z_]\w*)=(.*)", line)
        if match:
            values[match[1].upper()] = (match[2].strip(" \t\r\"'"), number)
    return values


def _parse_ifcfg(path: str, text: str) -> _Read:
    values = _ifcfg_values(text)
    name = values.get("DEVICE", ("", 0))[0] or path.rpartition("/ifcfg-")[2]
    if name == "lo":
        return None, None
    nothing = ("", 0)
    protocol, number = values.get("BOOTPROTO", nothing)
    address, at = values.get("IPADDR", values.get("IPADDR0", nothing))
    mac = values.get("HWADDR")
    pinned = Location(path, mac[1]) if mac and mac[0] else None
    if protocol.lower() in _DHCP_PROTOCOLS:
        return Interface(Location(path, number), IFCFG, name, AddressMethod.DHCP), pinned
    if address:
        where = Location(path, at)
        return Interface(where, IFCFG, name, AddressMethod.STATIC, address), pinned
    return Interface(Location(path, number or None), IFCFG, name, AddressMethod.NONE), pinned


def _key(keys: tuple[Key, ...], section: str, key: str) -> Key | None:
    return next((k for k in keys if k.section == section and k.key == key and k.value), None)


def _value(keys: tuple[Key, ...], section: str, key: str) -> str | None:
    found = _key(keys, section, key)
    return found.value if found else None


_SOURCES = (
    _Source(
        NETWORK_MANAGER,
        ("/etc/NetworkManager/system-connections", "/usr/lib/NetworkManager/system-connections"),
        lambda name: not name.startswith(".") and not name.endswith("~"),
        _parse_network_manager,
        _network_manager_zone,
    ),
    *(
        _Source(
            IFCFG,
            (folder,),
            lambda name: name.startswith("ifcfg-") and not _IFCFG_IGNORED.search(name),
            _parse_ifcfg,
            _ifcfg_zone,
        )
        for folder in ("/etc/sysconfig/network-scripts", "/etc/sysconfig/network")
    ),
)
