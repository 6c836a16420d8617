"""Interfaces of a Windows, by its registry."""

from __future__ import annotations

import pytest

from diskwright.model.guest import GuestFacts
from diskwright.model.network import AddressMethod
from support.windows_guest import ADAPTER, CLASS, CURRENT, INTERFACE, bios, files

OTHER = "{0a0b0c0d-1111-4222-8333-444455557777}"
SWITCH = "vEthernet (Default Switch)"
FIXED = {"EnableDHCP": 0, "IPAddress": ["192.168.7.20"], "SubnetMask": ["255.255.255.0"]}


def facts(changes: dict[str, object]) -> GuestFacts:
    return bios(files(changes))


@pytest.mark.parametrize(
    ("settings", "method", "address"),
    [
        ({"EnableDHCP": 1, "IPAddress": ["0.0.0.0"]}, AddressMethod.DHCP, None),
        (
            {"EnableDHCP": 0, "IPAddress": ["192.168.7.20"], "SubnetMask": ["255.255.255.0"]},
            AddressMethod.STATIC,
            "192.168.7.20/255.255.255.0",
        ),
        ({"EnableDHCP": 0, "IPAddress": ["0.0.0.0"]}, AddressMethod.NONE, None),
    ],
)
def test_an_interface_has_its_name_and_its_address(
    settings: dict[str, object], method: AddressMethod, address: str | None
) -> None:
    guest = facts({INTERFACE: settings})
    assert guest.network is not None
    (interface,) = guest.network.interfaces
    assert (interface.name, interface.method, interface.address) == ("Ethernet", method, address)
    assert str(interface.location).startswith("HKLM\\SYSTEM\\ControlSet001\\Services\\Tcpip")


def test_an_adapter_that_nobody_set_up_is_no_interface() -> None:
    guest = facts({INTERFACE: {"NameServer": ""}})
    assert guest.network is not None
    assert guest.network.interfaces == ()


@pytest.mark.parametrize(
    ("connection", "name", "judged"),
    [
        ({"Connection": {"Name": "Ethernet 2"}}, "Ethernet 2", True),
        ({"Connection": {"PnpInstanceID": "x"}}, OTHER, True),
        (
            {"Connection": {"Name": SWITCH}},
            SWITCH,
            False,
        ),
        ({}, OTHER, False),
        (None, OTHER, False),
    ],
)
def test_an_adapter_that_is_gone_or_virtual_is_told_and_not_judged(
    connection: dict[str, object] | None, name: str, judged: bool
) -> None:
    changes: dict[str, object] = {INTERFACE.replace(ADAPTER, OTHER): FIXED}
    names = f"{CURRENT}\\Control\\Network"
    listed = {} if connection is None else {f"{names}\\{CLASS}\\{OTHER}": connection}
    guest = facts({**changes, **listed})
    assert guest.network is not None
    found = {str(i.location).rpartition("\\")[2]: i for i in guest.network.interfaces}
    assert found[ADAPTER].judged
    other = found[OTHER]
    assert (other.name, other.judged) == (name, judged)
    assert (other.method, other.address) == (AddressMethod.STATIC, "192.168.7.20/255.255.255.0")
    guest = facts({**changes, names: None})  # no adapter is listed
    assert guest.network is not None
    assert all(interface.judged for interface in guest.network.interfaces)


def test_many_adapters_that_are_gone_hide_none_that_is_there() -> None:
    gone = {f"{{0{n:07x}-0000-0000-0000-000000000000}}": FIXED for n in range(300)}
    place = INTERFACE.rpartition("\\")[0]
    guest = facts({place: {**gone, ADAPTER: FIXED}})
    assert guest.network is not None
    assert [i.name for i in guest.network.interfaces if i.judged] == ["Ethernet"]
