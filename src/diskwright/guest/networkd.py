"""Interfaces as systemd-networkd sets them up: systemd.network(5), with the files' drop-ins."""

from __future__ import annotations

from diskwright._values import Struct
from diskwright.guest.keyfile import parse_keyfile
from diskwright.guest.overrides import overriding_files
from diskwright.guest.reading import GuestReadError
from diskwright.guest.tree import GuestTree
from diskwright.model.location import Location
from diskwright.model.network import AddressMethod, Interface

MANAGER = "networkd"
FOLDERS = ("/etc/systemd/network", "/usr/lib/systemd/network", "/lib/systemd/network")
MAX_FILE = 256 << 10

_DHCP = frozenset(["yes", "true", "both", "on", "1", "ipv4", "ipv6", "v4", "v6"])
# What systemd itself ships files for (80-container-ve.network and others), and what is no
# server's network card: ends of containers, of virtual machines inside and of tunnels.
_VIRTUAL_KINDS = frozenset(["veth", "tun", "tap", "sit"])
_VIRTUAL_NAMES = ("ve-", "vb-", "vz-", "vt-", "ns-", "6rd-")
_CONTAINERS = frozenset(["container", "systemd-nspawn", "lxc", "lxc-libvirt", "docker", "podman"])
_RADIO = frozenset(["wlan", "wwan", "bluetooth"])


class _Setting(Struct, frozen=True):
    section: str
    key: str
    value: str
    where: Location


def read_networkd(tree: GuestTree) -> tuple[list[Interface], list[Location]]:
    """Interfaces, and the places where one is matched by its MAC. A file that can't be read, or
    has a drop-in that can't, gives an interface without a name and of unknown method.

    Files for containers, tunnels and radio are left out. Raises GuestReadError where a folder
    can't be listed.
    """
    interfaces: list[Interface] = []
    pinned: list[Location] = []
    for path in overriding_files(tree, FOLDERS, lambda name: name.endswith(".network")):
        settings: list[_Setting] = []
        try:
            for file in (path, *_drop_ins(tree, path)):
                settings += [
                    _Setting(k.section, k.key, k.value, Location(file, k.line))
                    for k in parse_keyfile(tree.read_text(file, MAX_FILE))
                ]
        except GuestReadError as error:
            where = Location(error.path or path)
            interfaces.append(Interface(where, MANAGER, "", AddressMethod.UNKNOWN))
            continue
        if _is_no_card(settings):
            continue
        interfaces.append(_interface(path, settings))
        macs = _all(settings, "Match", "MACAddress", "PermanentMACAddress")
        pinned += [mac.where for mac in macs[:1]]
    return interfaces, pinned


def _drop_ins(tree: GuestTree, path: str) -> list[str]:
    """In the order in which they count: by name, whichever folder they are in."""
    name = path.rpartition("/")[2]
    folders = tuple(f"{folder}/{name}.d" for folder in FOLDERS)
    found = overriding_files(tree, folders, lambda name: name.endswith(".conf"))
    return sorted(found, key=lambda file: file.rpartition("/")[2])


def _interface(path: str, settings: list[_Setting]) -> Interface:
    names = _all(settings, "Match", "Name") or _all(settings, "Match", "MACAddress")
    name = names[0].value if names else "*"
    dhcp = _all(settings, "Network", "DHCP")[-1:]  # the last one counts
    addresses = _all(settings, "Network", "Address") or _all(settings, "Address", "Address")
    if dhcp and dhcp[0].value.lower() in _DHCP:
        return Interface(dhcp[0].where, MANAGER, name, AddressMethod.DHCP)
    if addresses:
        first = addresses[0]
        return Interface(first.where, MANAGER, name, AddressMethod.STATIC, first.value)
    return Interface(Location(path), MANAGER, name, AddressMethod.NONE)


def _is_no_card(settings: list[_Setting]) -> bool:
    names = _words(settings, "Name")
    return (
        (bool(names) and all(n in ("lo", "host0") or n.startswith(_VIRTUAL_NAMES) for n in names))
        or _only(_words(settings, "Kind"), _VIRTUAL_KINDS)
        or _only(_words(settings, "Driver"), _VIRTUAL_KINDS)
        or _only(_words(settings, "Virtualization"), _CONTAINERS)
        or _only(_words(settings, "Type"), _RADIO)
    )


def _only(words: list[str], wanted: frozenset[str]) -> bool:
    return bool(words) and wanted.issuperset(words)


def _words(settings: list[_Setting], key: str) -> list[str]:
    return [word for s in _all(settings, "Match", key) for word in s.value.split()]


def _all(settings: list[_Setting], section: str, *keys: str) -> list[_Setting]:
    return [s for s in settings if s.section == section and s.key in keys and s.value]
