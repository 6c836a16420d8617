"""The network: DHCP, and nothing tied to the old machine's card."""

from __future__ import annotations

from diskwright.model.guest import InitramfsState, Section
from diskwright.model.network import AddressMethod, Interface, Network
from diskwright.rules import sources
from diskwright.rules.initramfs import started
from diskwright.rules.rebuild import rebuild
from diskwright.rules.rule import (
    Case,
    Outcome,
    Rule,
    breaks,
    holds,
    of_registry,
    powershell,
    quoted,
    skip,
    unread,
    unread_section,
)

_IFUPDOWN = ("printf 'auto eth0\\niface eth0 inet dhcp\\n' >> /etc/network/interfaces",)
_NETWORKD = (
    "printf '[Match]\\nName=e*\\n[Network]\\nDHCP=yes\\n' > /etc/systemd/network/80-dhcp.network",
    "systemctl enable systemd-networkd",
)


def _dhcp(case: Case) -> Outcome:
    network = case.guest.network
    if network is None:
        return unread_section(case, Section.NETWORK, "the network's configuration")
    interfaces = _judged(network)
    asked = [i for i in interfaces if i.method is AddressMethod.DHCP]
    if asked:
        return holds("an interface asks for its address by DHCP", map(_said, asked[:3]))
    if any(i.method is AddressMethod.STATIC for i in interfaces):
        return skip("a fixed address is told by network.net-static-address")
    if any(i.method is AddressMethod.UNKNOWN for i in interfaces):
        return unread("how the interfaces get addresses can't be told", map(_said, interfaces))
    cloud = case.guest.cloud_init
    if cloud is not None and cloud.installed and cloud.enabled:
        return holds("cloud-init sets up DHCP at the first start")
    if "network-manager" in network.managers:
        return holds("NetworkManager asks by DHCP where nothing is configured")
    if "tcpip" in network.managers and not interfaces:
        return holds("Windows asks by DHCP where nothing is configured")
    if cloud is None or (cloud.installed and cloud.enabled is None):
        return unread("no interface is configured, and whether cloud-init does it is not known")
    return breaks(
        "no interface asks for an address by DHCP",
        map(_said, interfaces),
        _to_ask(network),
    )


def _judged(network: Network) -> list[Interface]:
    return [interface for interface in network.interfaces if interface.judged]


def _to_ask(network: Network) -> tuple[str, ...]:
    if "tcpip" in network.managers:
        return (_windows_to_dhcp("'*'"),)
    return _IFUPDOWN if "ifupdown" in network.managers else _NETWORKD


def _said(interface: Interface) -> str:
    address = f" {interface.address}" if interface.address else ""
    where = f"{interface.location}: {interface.name}"
    return f"{where} {interface.method}{address} ({interface.manager})"


def _static(case: Case) -> Outcome:
    network = case.guest.network
    if network is None:
        return unread_section(case, Section.NETWORK, "the network's configuration")
    interfaces = _judged(network)
    found = [i for i in interfaces if i.method is AddressMethod.STATIC]
    if found:
        return breaks(
            "an interface has a fixed address",
            map(_said, found),
            sorted({_to_dhcp(i) for i in found}),
        )
    if any(i.method is AddressMethod.UNKNOWN for i in interfaces):
        return unread("how the interfaces get addresses can't be told", map(_said, interfaces))
    return holds("no interface has a fixed address")


def _to_dhcp(interface: Interface) -> str:
    if interface.manager == "tcpip":
        return _windows_to_dhcp(powershell(interface.name, "NAME-AS-Get-NetAdapter-SAYS"))
    name, file = quoted(interface.name), quoted(interface.location.file)
    return _lines_to_dhcp(name, file).get(interface.manager, f"# set {name} to DHCP in {file}")


def _windows_to_dhcp(name: str) -> str:
    """In PowerShell. An adapter without a name of its own is known by its GUID."""
    if name.startswith("'{"):
        name = f"(Get-NetAdapter | Where-Object InterfaceGuid -eq {name}).Name"
    return (
        f"$name = {name}; Set-NetIPInterface -InterfaceAlias $name -Dhcp Enabled; "
        "Remove-NetRoute -InterfaceAlias $name -DestinationPrefix 0.0.0.0/0 -Confirm:$false; "
        "Set-DnsClientServerAddress -InterfaceAlias $name -ResetServerAddresses"
    )


def _lines_to_dhcp(name: str, file: str) -> dict[str, str]:
    """By the manager of the interface."""
    return {
        "ifupdown": f"sed -i 's/^\\(iface .* inet\\) static/\\1 dhcp/; /^[[:space:]]*"
        f"\\(address\\|netmask\\|gateway\\)/d' {file}",
        "netplan": " && ".join(
            f"netplan set ethernets.{name}.{key}"
            for key in ("addresses=null", "routes=null", "dhcp4=true")
        ),
        "network-manager": f"sed -i 's/^method=manual/method=auto/; /^address[0-9]*=/d' {file}",
        "ifcfg": f"sed -i 's/^BOOTPROTO=.*/BOOTPROTO=dhcp/; /^\\(IPADDR\\|NETMASK\\|PREFIX\\|"
        f"GATEWAY\\)/d' {file}",
        "networkd": f"sed -i 's/^Address=.*/DHCP=yes/; /^Gateway=/d' {file}",
        "Windows, in PowerShell": _windows_to_dhcp(name),
    }


def _each_to_dhcp(_: Case) -> tuple[str, ...]:
    lines = _lines_to_dhcp("NAME", "FILE").items()
    return tuple(line for manager, text in lines for line in (f"# {manager}:", text))


def _rules(case: Case) -> Outcome:
    network = case.guest.network
    if network is None:
        return unread_section(case, Section.NETWORK, "udev's rules")
    inside = [
        (k.initramfs.path, name)
        for k in started(case)
        if k.initramfs
        for name in k.initramfs.persistent_net_rules
    ]
    if network.persistent_rules or inside:
        files = sorted({quoted(place.file) for place in network.persistent_rules})
        return breaks(
            "udev rules tie a network name to the old machine's card",
            [*network.persistent_rules, *(f"{path}: {name}" for path, name in inside)],
            [*(f"rm {file}" for file in files), *(rebuild(case) if inside else ())],
        )
    if not started(case):
        return unread_section(case, Section.KERNELS, "the initramfs, which may hold such rules,")
    unseen = (InitramfsState.UNREAD, InitramfsState.CORRUPT)
    if any(k.initramfs and k.initramfs.state in unseen for k in started(case)):
        return unread("none in /etc/udev/rules.d; the initramfs could not be read")
    return holds("no udev rule ties a name to a card")


def _pinned(case: Case) -> Outcome:
    network = case.guest.network
    if network is None:
        return unread_section(case, Section.NETWORK, "the network's configuration")
    if not network.mac_pinned:
        return holds("nothing is tied to one card's address")
    files = sorted({quoted(place.file) for place in network.mac_pinned})
    return breaks(
        "the network is set up for the old machine's card only",
        network.mac_pinned,
        [f"rm {file}   # or take the card's address out of it" for file in files],
    )


RULES = (
    Rule(
        "network.dhcp",
        "The network asks for its address by DHCP",
        "The cloud gives the server its address by DHCP; otherwise it can't be reached.",
        sources.DHCP,
        of_registry(_dhcp),
        windows_source=sources.PREPARE_WINDOWS,
        remedy=(
            "# ifupdown:",
            *_IFUPDOWN,
            "# systemd-networkd:",
            *_NETWORKD,
            "# Windows, in PowerShell:",
            _windows_to_dhcp("'*'"),
        ),
    ),
    Rule(
        "network.net-static-address",
        "No interface has a fixed address",
        "The old network's address does not work in the cloud's network.",
        sources.DHCP,
        of_registry(_static),
        windows_source=sources.PREPARE_WINDOWS,
        remedy=_each_to_dhcp,
    ),
    Rule(
        "network.net-persistent-rules",
        "No udev rule names cards by their address",
        "The server's card is a new one: it becomes eth1, and eth0 stays down.",
        sources.DHCP,
        _rules,
        remedy=lambda case: ("rm /etc/udev/rules.d/70-persistent-net.rules", *rebuild(case)),
        linux_only=True,
    ),
    Rule(
        "network.net-mac-pinned",
        "No configuration is tied to one card's address",
        "It does not match the server's card, which stays down.",
        sources.DHCP,
        _pinned,
        remedy=("rm FILE   # or take the card's address out of it",),
        linux_only=True,
    ),
)
