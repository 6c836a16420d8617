"""Addresses are found whoever hands them out, and so is what ties a name to one card."""

import pytest

from diskwright.guest import ifupdown
from diskwright.guest.network import read_network
from diskwright.guest.udev import pinning_lines
from diskwright.guest.yaml_subset import YamlRefused, parse_yaml
from diskwright.model.network import AddressMethod, Network
from support.fake_guest import Broken, Content, Link, tree_of

DHCP, STATIC, NONE, UNKNOWN = (
    AddressMethod.DHCP,
    AddressMethod.STATIC,
    AddressMethod.NONE,
    AddressMethod.UNKNOWN,
)


def read(files: dict[str, Content]) -> Network:
    return read_network(tree_of(files))


def facts(network: Network) -> list[tuple[str, str, AddressMethod, str | None]]:
    return [(i.manager, i.name, i.method, i.address) for i in network.interfaces]


def only(path: str, text: str) -> tuple[str, str, AddressMethod, str | None]:
    (found,) = facts(read({path: text}))
    return found


INTERFACES = """# comment
auto lo
iface lo inet loopback
source interfaces.d/*
allow-hotplug eth0
iface eth0 inet dhcp
iface eth0 inet6 manual
"""


def test_ifupdown_and_the_files_that_it_sources() -> None:
    network = read(
        {
            "/etc/network/interfaces": INTERFACES,
            "/etc/network/interfaces.d/50-eth1": "iface eth1 inet static\n  address 10.0.0.5/24\n",
            "/etc/network/interfaces.d/loop": "source /etc/network/interfaces.d/loop\n",
        }
    )
    assert facts(network) == [
        ("ifupdown", "eth1", STATIC, "10.0.0.5/24"),
        ("ifupdown", "eth0", DHCP, None),
    ]
    assert str(network.interfaces[0].location) == "/etc/network/interfaces.d/50-eth1:1"
    assert network.managers == ("ifupdown",)


@pytest.mark.parametrize(
    ("stanza", "method"),
    [
        ("iface eth0 inet manual", NONE),
        ("iface eth0 inet6 auto", DHCP),
        ("iface eth0 inet manual\niface eth0 inet6 dhcp", DHCP),
        ("iface eth0 inet static\naddress 10.0.0.1\niface eth0 inet6 auto", STATIC),
        ("iface eth0 inet ppp", UNKNOWN),
        ("iface eth0 \\\n inet dhcp", DHCP),
    ],
)
def test_ifupdown_methods(stanza: str, method: AddressMethod) -> None:
    assert only("/etc/network/interfaces", stanza)[2] is method


@pytest.mark.parametrize(
    ("keys", "method", "address"),
    [
        ("dhcp4: true", DHCP, None),
        ("dhcp4: yes\n      addresses: [10.0.0.2/8]", DHCP, None),
        ("dhcp6: true", DHCP, None),
        ("dhcp4: false\n      addresses: [10.1.2.3/24]", STATIC, "10.1.2.3/24"),
        ("addresses:\n      - 10.1.2.3/24\n      - fe80::1/64", STATIC, "10.1.2.3/24"),
        ('addresses:\n        - "10.1.2.3/24":\n            label: x', STATIC, "10.1.2.3/24"),
        ("optional: true", NONE, None),
    ],
)
def test_netplan(keys: str, method: AddressMethod, address: str | None) -> None:
    text = f"network:\n  version: 2\n  ethernets:\n    eth0:\n      {keys}\n"
    assert only("/etc/netplan/01.yaml", text) == ("netplan", "eth0", method, address)


def test_later_netplan_files_win() -> None:
    head = "network:\n  ethernets:\n    eth0:\n      "
    network = read(
        {
            "/etc/netplan/01.yaml": f"{head}dhcp4: true\n",
            "/etc/netplan/99.yaml": f"{head}dhcp4: false\n      addresses: [10.0.0.1/8]\n",
        }
    )
    assert facts(network) == [("netplan", "eth0", STATIC, "10.0.0.1/8")]
    assert str(network.interfaces[0].location) == "/etc/netplan/99.yaml:5"


def test_netplan_that_matches_a_mac_is_pinned() -> None:
    text = (
        "network:\n  ethernets:\n    nic:\n      match: {macaddress: '00:50:56:9a:01:02'}\n"
        "      set-name: eth0\n      dhcp4: true\n"
    )
    network = read({"/etc/netplan/50-cloud-init.yaml": text})
    assert [str(where) for where in network.mac_pinned] == ["/etc/netplan/50-cloud-init.yaml:4"]


@pytest.mark.parametrize("text", ["network: *alias\n", "network: [\n", "a: 1\n b: 2\n", "\tx: 1\n"])
def test_netplan_that_is_not_understood_is_unknown(text: str) -> None:
    assert only("/etc/netplan/01.yaml", text) == ("netplan", "", UNKNOWN, None)


@pytest.mark.parametrize(
    ("text", "method", "address"),
    [
        ("[Match]\nName=en*\n[Network]\nDHCP=yes\n", DHCP, None),
        ("[Match]\nName=en*\n[Network]\nDHCP=ipv4\n", DHCP, None),
        ("[Match]\nName=en*\n[Network]\nAddress=10.0.0.3/24\n", STATIC, "10.0.0.3/24"),
        ("[Match]\nName=en*\n[Address]\nAddress=10.0.0.3/24\n", STATIC, "10.0.0.3/24"),
        ("[Match]\nName=en*\n[Network]\nDHCP=no\n", NONE, None),
    ],
)
def test_networkd(text: str, method: AddressMethod, address: str | None) -> None:
    path = "/etc/systemd/network/20-wired.network"
    assert only(path, text) == ("networkd", "en*", method, address)


@pytest.mark.parametrize(
    ("text", "method", "address"),
    [
        ("[ipv4]\nmethod=auto\n[ipv6]\nmethod=auto\n", DHCP, None),
        ("[ipv4]\nmethod=manual\naddress1=10.0.0.4/24,10.0.0.1\n", STATIC, "10.0.0.4/24,10.0.0.1"),
        ("[ipv4]\nmethod=disabled\n[ipv6]\nmethod=auto\n", DHCP, None),
        ("[ipv4]\nmethod=link-local\n", NONE, None),
        ("", DHCP, None),
    ],
)
def test_network_manager(text: str, method: AddressMethod, address: str | None) -> None:
    head = "[connection]\nid=Wired\ntype=ethernet\ninterface-name=eth0\n"
    path = "/etc/NetworkManager/system-connections/eth0.nmconnection"
    assert only(path, head + text) == ("network-manager", "eth0", method, address)


@pytest.mark.parametrize(
    ("text", "method", "address"),
    [
        ("DEVICE=eth0\nBOOTPROTO=dhcp\nONBOOT=yes\n", DHCP, None),
        ("BOOTPROTO='dhcp'\n", DHCP, None),
        ("BOOTPROTO=static\nIPADDR=192.168.44.5\n", STATIC, "192.168.44.5"),
        ('BOOTPROTO=none\nIPADDR0="192.168.44.5"\n', STATIC, "192.168.44.5"),
        ("BOOTPROTO=none\n", NONE, None),
    ],
)
def test_ifcfg(text: str, method: AddressMethod, address: str | None) -> None:
    path = "/etc/sysconfig/network-scripts/ifcfg-eth0"
    assert only(path, text) == ("ifcfg", "eth0", method, address)


def test_ifcfg_of_loopback_and_backups_are_left_out() -> None:
    folder = "/etc/sysconfig/network-scripts"
    names = ("ifcfg-lo", "ifcfg-eth0.rpmsave", "ifcfg-eth0~", "ifcfg-eth0.bak", "ifup-eth")
    assert facts(read({f"{folder}/{name}": "BOOTPROTO=static\n" for name in names})) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/etc/systemd/network/a.network", "[Match]\nMACAddress=00:50:56:9a:01:02\n"),
        (
            "/etc/NetworkManager/system-connections/a",
            "[connection]\n[ethernet]\nmac-address=00:50:56:9A:01:02\n",
        ),
        ("/etc/sysconfig/network-scripts/ifcfg-eth0", "HWADDR=00:50:56:9a:01:02\n"),
        (
            "/etc/systemd/network/10-a.link",
            "[Match]\nMACAddress=00:50:56:9a:01:02\n[Link]\nName=eth0\n",
        ),
    ],
)
def test_profiles_that_match_a_mac_are_pinned(path: str, text: str) -> None:
    assert [where.file for where in read({path: text}).mac_pinned] == [path]


def test_a_link_file_without_name_or_that_is_masked_pins_nothing() -> None:
    pinned = "[Match]\nMACAddress=00:50:56:9a:01:02\n[Link]\nName=eth0\n"
    network = read(
        {
            "/etc/systemd/network/10-a.link": "[Match]\nMACAddress=00:50:56:9a:01:02\n",
            "/etc/systemd/network/20-b.link": Link("/dev/null"),
            "/usr/lib/systemd/network/20-b.link": pinned,
        }
    )
    assert network.mac_pinned == ()


def test_files_that_can_not_be_read_are_unknown_and_leave_the_others() -> None:
    network = read(
        {
            "/etc/network/interfaces": "source /etc/network/interfaces.d/*\niface eth0 inet dhcp\n",
            "/etc/network/interfaces.d/a": Broken(),
            "/etc/netplan/a.yaml": Broken(),
            "/etc/sysconfig/network-scripts/ifcfg-eth1": Broken(),
        }
    )
    assert facts(network) == [
        ("ifupdown", "", UNKNOWN, None),
        ("ifupdown", "eth0", DHCP, None),
        ("netplan", "", UNKNOWN, None),
        ("ifcfg", "", UNKNOWN, None),
    ]


def test_services_that_need_no_file_are_named() -> None:
    wants = "/etc/systemd/system/multi-user.target.wants"
    network = read({f"{wants}/NetworkManager.service": Link("/usr/lib/x")})
    assert (network.managers, network.interfaces) == (("network-manager",), ())


FIXED = "[Match]\nName=en*\n[Network]\nAddress=10.0.0.3/24\n"
DYNAMIC = "[Match]\nName=en*\n[Network]\nDHCP=yes\n"


@pytest.mark.parametrize("folder", ["/etc", "/usr/lib", "/lib"])
def test_networkd_s_drop_ins_count(folder: str) -> None:
    network = read(
        {
            "/etc/systemd/network/20-a.network": "[Match]\nName=en*\n[Network]\nDHCP=yes\n",
            f"{folder}/systemd/network/20-a.network.d/10-x.conf": "[Network]\nDHCP=no\n",
            f"{folder}/systemd/network/20-a.network.d/20-x.conf": "[Network]\nAddress=10.9.9.9/8\n",
        }
    )
    assert facts(network) == [("networkd", "en*", STATIC, "10.9.9.9/8")]
    assert network.interfaces[0].location.file.endswith("20-x.conf")


def test_a_drop_in_that_can_not_be_read_makes_its_file_unknown() -> None:
    network = read(
        {
            "/etc/systemd/network/20-a.network": DYNAMIC,
            "/etc/systemd/network/20-a.network.d/10-x.conf": Broken(),
        }
    )
    assert facts(network) == [("networkd", "", UNKNOWN, None)]


def test_a_package_s_profiles_count_where_no_file_of_the_same_name_hides_them() -> None:
    vendor, own = "/usr/lib/systemd/network", "/etc/systemd/network"
    manager = "NetworkManager/system-connections/a.nmconnection"
    keyfile = "[connection]\ninterface-name=eth0\n[ipv4]\nmethod=manual\naddress1=10.0.0.4/24\n"
    assert only(f"{vendor}/20-a.network", FIXED)[2] is STATIC
    assert only(f"/usr/lib/{manager}", keyfile)[2] is STATIC
    hidden = read({f"{vendor}/20-a.network": FIXED, f"{own}/20-a.network": DYNAMIC})
    assert [method for _, _, method, _ in facts(hidden)] == [DHCP]
    masked = read({f"{vendor}/20-a.network": FIXED, f"{own}/20-a.network": Link("/dev/null")})
    assert facts(masked) == []
    auto = keyfile.replace("manual", "auto")
    hidden = read({f"/usr/lib/{manager}": keyfile, f"/etc/{manager}": auto})
    assert [method for _, _, method, _ in facts(hidden)] == [DHCP]


@pytest.mark.parametrize(
    ("match", "counts"),
    [
        ("Kind=veth\nName=host0\nVirtualization=container", False),
        ("Name=ve-*", False),
        ("Name=vb-* vz-*", False),
        ("Driver=veth", False),
        ("Kind=tun\nName=vt-*", False),
        ("Virtualization=container", False),
        ("Type=wlan", False),
        ("Name=ve-* en*", True),
        ("Virtualization=!container\nName=en*", True),
        ("Kind=bond", True),
        ("Type=ether", True),
    ],
)
def test_networkd_s_files_for_containers_are_no_interfaces(match: str, *, counts: bool) -> None:
    path = "/usr/lib/systemd/network/80-container-x.network"
    found = read({path: f"[Match]\n{match}\n[Network]\nAddress=0.0.0.0/28\nDHCP=yes\n"})
    assert bool(found.interfaces) is counts


def test_what_a_limit_of_ifupdown_cuts_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = "/etc/network/interfaces.d"
    dynamic = "iface eth0 inet dhcp\n"
    unknown = ("ifupdown", "", UNKNOWN, None)

    monkeypatch.setattr(ifupdown, "MAX_STANZAS", 1)
    many = read({"/etc/network/interfaces": dynamic + "iface eth1 inet static\n"})
    assert unknown in facts(many)
    assert facts(read({"/etc/network/interfaces": dynamic})) == [("ifupdown", "eth0", DHCP, None)]
    monkeypatch.undo()

    chain = {f"{folder}/{n}": f"source {folder}/{n + 1}\n" for n in range(20)}
    assert unknown in facts(read({"/etc/network/interfaces": f"source {folder}/0\n", **chain}))

    files: dict[str, Content] = {f"{folder}/{n}": "" for n in range(ifupdown.MAX_FILES)}
    assert unknown in facts(read({"/etc/network/interfaces": f"source {folder}/*\n", **files}))
    files[f"{folder}/more"] = ""
    assert unknown in facts(read({"/etc/network/interfaces": f"source {folder}/*\n", **files}))
    one = read({"/etc/network/interfaces": f"source {folder}/more\n{dynamic}", **files})
    assert unknown not in facts(one)


def test_folders_that_a_pattern_of_ifupdown_means_are_unknown() -> None:
    assert only("/etc/network/interfaces", "source /etc/*/more\n")[2] is UNKNOWN


PIN = 'SUBSYSTEM=="net", ATTR{address}=="00:0c:29:3e:5a:11", KERNEL=="eth*", NAME="eth0"'


@pytest.mark.parametrize(
    ("rules", "lines"),
    [
        (PIN, [1]),
        (f"# {PIN}\n\n{PIN}\n", [3]),
        (PIN.replace(", NAME", ", \\\n NAME"), [1]),
        (PIN.replace('NAME="eth0"', 'NAME=="eth0"'), []),
        (PIN.replace('NAME="eth0"', 'ENV{ID_NET_NAME}="eth0"'), []),
        (PIN.replace("00:0c:29:3e:5a:11", "00:0c:29:*"), []),
        (PIN.replace("==", "!=", 2), []),
        ('SUBSYSTEM=="net", SYSFS{address}=="00:0c:29:3e:5a:11", NAME="eth0"', [1]),
    ],
)
def test_rules_that_name_a_card_by_its_address(rules: str, lines: list[int]) -> None:
    assert pinning_lines(rules) == lines
    network = read({"/etc/udev/rules.d/70-persistent-net.rules": rules})
    assert [where.line for where in network.persistent_rules] == lines


def test_yaml_is_read_as_far_as_it_goes() -> None:
    document = parse_yaml(
        "---\na:  # comment\n  - x: 1\n    y: [p, 'q, r', {s: t}]\n  - \"z#\"\nb: {c: d, e: [f]}\n"
        'c: "it\\"s"\nd:\n- 1\n- 2\nlong: [a,\n  b]\n'
    )
    assert document.get("b", "c") is not None
    assert [key for key, _ in document.items()] == ["a", "b", "c", "d", "long"]
    assert document.get("d").texts() == ["1", "2"]  # type: ignore[union-attr]
    assert document.get("long").texts() == ["a", "b"]  # type: ignore[union-attr]
    assert document.get("c").texts() == ['it"s']  # type: ignore[union-attr]
    assert document.get("a").texts() == ["x", "z#"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\n",
        "a: |\n  text\n",
        "a: !tag b\n",
        "a: 1\na: 2\n",
        "a: [1, 2\n",
        "a: {b}\n",
        "a: 1\n---\nb: 2\n",
        "- " * 200 + "x\n",
        "a: " + "[" * 200 + "]" * 200,
    ],
)
def test_yaml_outside_the_subset_is_refused(text: str) -> None:
    with pytest.raises(YamlRefused):
        parse_yaml(text)
