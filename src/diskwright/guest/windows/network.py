"""How Windows sets up its network: Tcpip's interfaces."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from diskwright.guest.windows.hive import Key
from diskwright.model.location import Location
from diskwright.model.network import AddressMethod, Interface, Network

MANAGER = "tcpip"
MAX_INTERFACES = 200

_INTERFACES = "Services\\Tcpip\\Parameters\\Interfaces"
_NAMES = "Control\\Network\\{4D36E972-E325-11CE-BFC1-08002BE10318}"


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
