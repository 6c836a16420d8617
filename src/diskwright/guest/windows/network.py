"""How Windows sets up its network: Tcpip's interfaces."""

from __future__ import annotations

from collections.abc import Iterator

from diskwright.guest.windows.hive import Key
from diskwright.model.location import Location
from diskwright.model.network import AddressMethod, Interface, Network

MANAGER = "tcpip"
MAX_INTERFACES = 200

_INTERFACES = "Services\\Tcpip\\Parameters\\Interfaces"
_VIRTUAL = "vethernet"
_NAMES = "Control\\Network\\{4D36E972-E325-11CE-BFC1-08002BE10318}"


def read_network(control_set: Key, place: str) -> Network:
    """`place`: what the control set is called in the registry."""
    found = sorted(_interfaces(control_set, place), key=lambda one: not one.judged)
    return Network((MANAGER,), tuple(found[:MAX_INTERFACES]), (), ())


def _interfaces(control_set: Key, place: str) -> Iterator[Interface]:
    """Keys without a setting are those of adapters that nobody has set up."""
    interfaces, adapters = control_set.key(_INTERFACES), control_set.key(_NAMES)
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
        shown, judged = _adapter(adapters, name)
        yield Interface(location, MANAGER, shown, method, address, judged)


def _adapter(adapters: Key | None, adapter: str) -> tuple[str, bool]:
    """Its name as it is shown, and as commands take it: Ethernet 2; and whether a server has such.

    Windows keeps the settings of an adapter that it no longer knows; a name that begins with
    vEthernet is that of a switch of Hyper-V. Where no adapter is listed at all, all may be there.
    """
    if adapters is None:
        return adapter, True
    connection = adapters.key(f"{adapter}\\Connection")
    name = connection.text("Name") if connection else None
    virtual = (name or "").lower().startswith(_VIRTUAL)
    return name or adapter, connection is not None and not virtual
