"""How Windows sets up its network: Tcpip's interfaces, Remote Desktop, the firewall."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from diskwright.guest.windows.hive import Key
from diskwright.model.location import Location
from diskwright.model.network import AddressMethod, Interface, Network
from diskwright.model.windows import FirewallProfile

MANAGER = "tcpip"
MAX_INTERFACES = 200

_INTERFACES = "Services\\Tcpip\\Parameters\\Interfaces"
_NAMES = "Control\\Network\\{4D36E972-E325-11CE-BFC1-08002BE10318}"
_POLICY = "Services\\SharedAccess\\Parameters\\FirewallPolicy"
_PROFILES = {"domain": "DomainProfile", "private": "StandardProfile", "public": "PublicProfile"}


def read_network(control_set: Key, place: str) -> Network:
    """`place`: what the control set is called in the registry."""
    return Network(
        (MANAGER,), tuple(islice(_interfaces(control_set, place), MAX_INTERFACES)), (), ()
    )


def _interfaces(control_set: Key, place: str) -> Iterator[Interface]:
    """Keys without a setting are those of adapters that nobody has set up."""
    interfaces = control_set.key(_INTERFACES)
    for name, key in interfaces.keys().items() if interfaces else ():
        dhcp = key.number("EnableDHCP")
        addresses = [a for a in key.texts("IPAddress") or () if a not in ("0.0.0.0", "::")]  # noqa: S104
        if dhcp is None and not addresses:
            continue
        method = AddressMethod.DHCP if dhcp else AddressMethod.NONE
        if not dhcp and addresses:
            method = AddressMethod.STATIC
        masks = key.texts("SubnetMask") or ()
        address = "/".join([addresses[0], *masks[:1]]) if addresses and not dhcp else None
        location = Location(f"{place}\\{_INTERFACES}\\{name}")
        yield Interface(location, MANAGER, _friendly(control_set, name), method, address)


def _friendly(control_set: Key, adapter: str) -> str:
    """As it is shown, and as commands take it: Ethernet 2."""
    connection = control_set.key(f"{_NAMES}\\{adapter}\\Connection")
    return (connection.text("Name") if connection else None) or adapter


def read_remote_desktop(control_set: Key) -> bool | None:
    server = control_set.key("Control\\Terminal Server")
    denied = server.number("fDenyTSConnections") if server else None
    return None if denied is None else denied == 0


def read_firewall(control_set: Key) -> tuple[FirewallProfile, ...]:
    policy = control_set.key(_POLICY)
    found = []
    for name, spelled in _PROFILES.items():
        profile = policy.key(spelled) if policy else None
        enabled = profile.number("EnableFirewall") if profile else None
        if enabled is not None:
            found.append(FirewallProfile(name, enabled != 0))
    return tuple(found)


def read_remote_desktop_allowed(control_set: Key) -> bool | None:
    """Whether a rule that lets Remote Desktop in is active; None where there is no such rule."""
    rules = control_set.key(f"{_POLICY}\\FirewallRules")
    states = [
        "active=true" in fields
        for name in (rules.values() if rules else ())
        if rules is not None
        for fields in [(rules.text(name) or "").lower().split("|")]
        if {"lport=3389", "dir=in", "action=allow"} <= set(fields)
    ]
    return any(states) if states else None
