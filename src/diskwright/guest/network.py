"""How the guest gets its addresses, whoever sets up its interfaces."""

from __future__ import annotations

from diskwright.guest.ifupdown import read_ifupdown
from diskwright.guest.netplan import read_netplan
from diskwright.guest.networkd import MANAGER as NETWORKD
from diskwright.guest.networkd import read_networkd
from diskwright.guest.profiles import NETWORK_MANAGER, read_profiles
from diskwright.guest.reading import NotThere
from diskwright.guest.tree import GuestTree
from diskwright.guest.udev import read_persistent_rules, read_pinned_links
from diskwright.model.network import Network

# Services that set up interfaces even where no file of theirs names one
_SERVICES = {
    "NetworkManager.service": NETWORK_MANAGER,
    "systemd-networkd.service": NETWORKD,
    "wicked.service": "wicked",
    "dhcpcd.service": "dhcpcd",
    "connman.service": "connman",
}
_WANTS = ("/etc/systemd/system/multi-user.target.wants", "/etc/systemd/system/network.target.wants")


def read_network(tree: GuestTree) -> Network:
    """Interfaces of every manager that has a configuration; `managers` also names services that
    are switched on. Raises GuestReadError where a folder can't be listed."""
    planned, planned_macs = read_netplan(tree)
    networkd, networkd_macs = read_networkd(tree)
    profiled, profiled_macs = read_profiles(tree)
    interfaces = (*read_ifupdown(tree), *planned, *networkd, *profiled)
    managers = dict.fromkeys(interface.manager for interface in interfaces)
    managers.update(dict.fromkeys(_enabled(tree)))
    return Network(
        managers=tuple(managers),
        interfaces=interfaces,
        persistent_rules=read_persistent_rules(tree),
        mac_pinned=(*read_pinned_links(tree), *planned_macs, *networkd_macs, *profiled_macs),
    )


def _enabled(tree: GuestTree) -> list[str]:
    found: list[str] = []
    for folder in _WANTS:
        try:
            names = tree.names(folder)
        except NotThere:
            continue
        found += [_SERVICES[name] for name in names if name in _SERVICES]
    return found
