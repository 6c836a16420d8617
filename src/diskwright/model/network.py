"""How a guest sets up its network: facts, nothing judged."""

from __future__ import annotations

from enum import StrEnum

from diskwright._values import Struct
from diskwright.model.location import Location


class AddressMethod(StrEnum):
    DHCP = "dhcp"
    STATIC = "static"
    NONE = "none"  # manual, link-local, disabled
    UNKNOWN = "unknown"


class Interface(Struct, frozen=True):
    """One interface as one configuration file sets it up; loopback is left out.

    A file that can't be read or understood is an interface without a name and of method unknown.
    `judged`: False for one that no server has: of an adapter that is gone, or of a virtual one.
    """

    location: Location
    manager: str  # ifupdown, netplan, networkd, network-manager, ifcfg
    name: str
    method: AddressMethod
    address: str | None = None
    judged: bool = True


class Network(Struct, frozen=True):
    managers: tuple[str, ...]
    interfaces: tuple[Interface, ...]
    persistent_rules: tuple[Location, ...]  # udev rules that tie a name to a MAC
    mac_pinned: tuple[Location, ...]  # .link files and others that match one MAC
