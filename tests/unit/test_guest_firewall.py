"""Whether a guest's firewall lets its SSH server be reached, where that is plain."""

from __future__ import annotations

import pytest

from diskwright.guest.firewall import read_firewalls
from diskwright.guest.reading import Unreadable
from diskwright.guest.settings import MAX_FILE
from diskwright.guest.units import Units
from diskwright.model.services import Firewall, ServiceState
from support.fake_guest import Broken, Content, Link, Sparse, tree_of


def enabled(name: str) -> dict[str, Content]:
    unit, folder = f"{name}.service", "/etc/systemd/system/multi-user.target.wants"
    return {
        "/etc/machine-id": "",
        f"/usr/lib/systemd/system/{unit}": "[Unit]\n",
        f"{folder}/{unit}": Link("x"),
    }


def firewalls(files: dict[str, Content], ports: tuple[int, ...] = (22,)) -> tuple[Firewall, ...]:
    tree = tree_of(files)
    return read_firewalls(tree, Units(tree), ports)


def lets_in(name: str, files: dict[str, Content], ports: tuple[int, ...] = (22,)) -> bool | None:
    (found,) = firewalls(enabled(name) | files, ports)
    assert (found.name, found.state) == (name, ServiceState.ENABLED)
    return found.lets_ssh


TUPLE = "### tuple ### {} {} {} 0.0.0.0/0 any {} {}\n"
DROP = 'DEFAULT_INPUT_POLICY="DROP"\n'


@pytest.mark.parametrize(
    ("rules", "policy", "expected"),
    [
        (TUPLE.format("allow", "tcp", "22", "0.0.0.0/0", "in"), DROP, True),
        (TUPLE.format("limit", "any", "22", "0.0.0.0/0", "in"), DROP, True),
        (TUPLE.format("allow", "tcp", "22", "0.0.0.0/0", "OpenSSH - in"), DROP, True),
        (TUPLE.format("allow", "tcp", "80,20:25", "0.0.0.0/0", "in"), DROP, True),
        (TUPLE.format("allow", "any", "any", "0.0.0.0/0", "in"), DROP, True),
        (TUPLE.format("deny", "tcp", "22", "0.0.0.0/0", "in"), DROP, False),
        (TUPLE.format("allow", "tcp", "80", "0.0.0.0/0", "in"), DROP, False),
        (TUPLE.format("allow", "udp", "22", "0.0.0.0/0", "in"), DROP, False),
        (TUPLE.format("allow", "tcp", "22", "10.0.0.0/8", "in"), DROP, None),
        (TUPLE.format("allow", "tcp", "22", "0.0.0.0/0", "in_eth1"), DROP, None),
        (TUPLE.format("allow", "tcp", "22", "0.0.0.0/0", "in comment=73736820"), DROP, True),
        (TUPLE.format("deny", "tcp", "22", "0.0.0.0/0", "in comment=73"), DROP, False),
        ("", DROP, False),
        ("", 'DEFAULT_INPUT_POLICY="ACCEPT"\n', True),
        ("### tuple ### allow tcp\n### tuple ###\n", "", None),
        # what passes through, what goes out, what comes from certain ports
        (TUPLE.format("route:allow", "tcp", "22", "0.0.0.0/0", "in"), DROP, False),
        (TUPLE.format("allow", "tcp", "22", "0.0.0.0/0", "out"), DROP, False),
        ("### tuple ### allow tcp 22 0.0.0.0/0 1024 0.0.0.0/0 in\n", DROP, None),
    ],
)
def test_ufw_lets_it_in_or_not(rules: str, policy: str, expected: bool | None) -> None:
    files: dict[str, Content] = {
        "/etc/ufw/ufw.conf": "# x\nENABLED=yes\n",
        "/etc/ufw/user.rules": rules,
        "/etc/default/ufw": policy,
    }
    assert lets_in("ufw", files) is expected


# As ufw 0.36.2 has it, in part
BEFORE = """*filter
:ufw-before-input - [0:0]
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-output -o lo -j ACCEPT
-A ufw-before-input -m rt --rt-type 0 -j DROP
-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-input -m conntrack --ctstate INVALID -j ufw-logging-deny
-A ufw-before-input -m conntrack --ctstate INVALID -j DROP
-A ufw-before-input -p icmp --icmp-type echo-request -j ACCEPT
-A ufw-before-input -p udp --sport 67 --dport 68 -j ACCEPT
-A ufw-before-input -j ufw-not-local
-A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
-A ufw-not-local -m limit --limit 3/min --limit-burst 10 -j ufw-logging-deny
-A ufw-not-local -j DROP
-A ufw-before-input -p udp -d 224.0.0.251 --dport 5353 -j ACCEPT
"""


@pytest.mark.parametrize(
    ("more", "closed", "opened"),
    [
        ("", False, True),
        ("-A ufw-before-input -p tcp --dport 80 -j ACCEPT\n", False, True),
        ("# -A ufw-before-input -p tcp --dport 22 -j ACCEPT\n", False, True),
        ("-A ufw-before-input -p tcp --dport 22 -j ACCEPT\n", None, True),
        ("-A ufw-before-input -p tcp -m multiport --dports 20:25,80 -j ACCEPT\n", None, True),
        ("-A ufw-before-input -s 10.0.0.0/8 -j ACCEPT\n", None, True),
        ("-A ufw-before-input ! -p udp -j ACCEPT\n", None, True),
        ("-A ufw-before-input -p tcp --dport 22 -j DROP\n", None, None),
        ("-A ufw-before-input -p tcp --dport ssh -j ACCEPT\n", None, True),
        ("-A ufw-before-input -j mine\n", None, None),
        ("*nat\n-A POSTROUTING -o eth0 -j MASQUERADE\n", False, True),
        ("*nat\n-A PREROUTING -p tcp --dport 22 -j DNAT --to 10.0.0.1\n", None, None),
    ],
)
@pytest.mark.parametrize("name", ["before", "before6"])
def test_what_comes_before_ufw_s_rules(
    name: str, more: str, closed: bool | None, opened: bool | None
) -> None:
    files: dict[str, Content] = {
        "/etc/ufw/ufw.conf": "ENABLED=yes\n",
        f"/etc/ufw/{name}.rules": BEFORE + more + "COMMIT\n",
        "/etc/default/ufw": DROP,
    }
    assert lets_in("ufw", files) is closed
    allow = TUPLE.format("allow", "tcp", "22", "0.0.0.0/0", "in")
    assert lets_in("ufw", {**files, "/etc/ufw/user.rules": allow}) is opened


def test_an_ufw_that_was_not_switched_on_does_nothing() -> None:
    (found,) = firewalls(enabled("ufw") | {"/etc/ufw/ufw.conf": "ENABLED=no\n"})
    assert found.state is ServiceState.DISABLED


@pytest.mark.parametrize(
    ("zone", "ports", "expected"),
    [
        ('<zone><service name="ssh"/></zone>', (22,), True),
        ("<zone><service name='ssh'/></zone>", (2222,), False),
        ('<zone><port port="2222" protocol="tcp"/></zone>', (2222,), True),
        ('<zone><port protocol="tcp" port="2000-3000"/></zone>', (2222,), True),
        ('<zone><port port="22" protocol="udp"/></zone>', (22,), False),
        ('<zone target="ACCEPT"></zone>', (22,), True),
        ('<zone><!-- <service name="ssh"/> --><service name="dns"/></zone>', (22,), False),
        ('<zone target="DROP"/>', (22,), False),
        ('<zone target="DROP"><port protocol="tcp" port="22"/></zone>', (22,), True),
        # names for ports: one of the package's, the administrator's, one that nobody knows
        ('<zone><service name="admin"/></zone>', (2222,), True),
        ('<zone><service name="admin"/></zone>', (22,), False),
        ('<zone><service name="near"/></zone>', (22,), None),
        ('<zone><service name="more"/></zone>', (22,), None),
        ('<zone><service name="nobody-s"/></zone>', (22,), None),
        ('<zone><service name="../../ssh"/></zone>', (22,), None),
        # for some only, or for none
        ('<zone><rule family="ipv4"><source address="10.0.0.0/8"/></rule></zone>', (22,), None),
        ('<zone><rule><service name="ssh"/><accept/></rule></zone>', (22,), None),
        ('<zone><rule/><service name="ssh"/></zone>', (22,), None),
        ('<zone><rule><accept/></rule><service name="ssh"/></zone>', (22,), True),
        ('<zone><rule><reject/></rule><service name="ssh"/></zone>', (22,), None),
        ('<zone><forward-port port="22"/><service name="ssh"/></zone>', (22,), None),
        ('<zone><protocol value="tcp"/></zone>', (22,), None),
        ('<zone><service name="ssh"/></zone>', (), None),
        ('<zone target="ACCEPT"/>', (), True),
    ],
)
def test_firewalld_lets_it_in_or_not(
    zone: str, ports: tuple[int, ...], expected: bool | None
) -> None:
    files: dict[str, Content] = {
        "/etc/firewalld/firewalld.conf": "DefaultZone=work\n",
        "/usr/lib/firewalld/zones/work.xml": zone,
        "/usr/lib/firewalld/services/dns.xml": service(53),
        "/usr/lib/firewalld/services/admin.xml": service(22),
        "/etc/firewalld/services/admin.xml": service(2222),
        "/etc/firewalld/services/near.xml": service(22, '<destination ipv4="10.0.0.0/8"/>'),
        "/etc/firewalld/services/more.xml": service(80, '<include service="ssh"/>'),
    }
    assert lets_in("firewalld", files, ports) is expected


def service(port: int, more: str = "") -> str:
    return f'<service><port protocol="tcp" port="{port}"/>{more}</service>'


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("direct.xml", '<direct><rule ipv="ipv4">-j DROP</rule></direct>', None),
        ("direct.xml", "<direct></direct>", True),
        ("policies/mine.xml", '<policy target="DROP"/>', None),
        ("zones/lan.xml", '<zone target="DROP"><interface name="eth0"/></zone>', None),
        ("zones/lan.xml", '<zone target="DROP"><source address="10.0.0.0/8"/></zone>', None),
        ("zones/lan.xml", '<zone target="DROP"/>', True),
    ],
)
def test_what_comes_before_the_default_zone_is_not_passed_over(
    path: str, text: str, expected: bool | None
) -> None:
    zone = '<zone><service name="ssh"/></zone>'
    files: dict[str, Content] = {"/usr/lib/firewalld/zones/public.xml": zone}
    assert lets_in("firewalld", {**files, f"/etc/firewalld/{path}": text}) is expected


NM, IFCFG = "/etc/NetworkManager/system-connections/", "/etc/sysconfig/"


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        (NM + "eth0.nmconnection", "[connection]\nid=x\nzone=block\n", None),
        (NM + "eth0.nmconnection", "[connection]\nzone=public\n", True),
        (NM + "eth0.nmconnection", "[connection]\nzone=\n[ipv4]\nzone=x\n", True),
        (NM + "eth0.nmconnection", Broken(), None),
        ("/usr/lib" + NM.removeprefix("/etc") + "x.nmconnection", "[connection]\nzone=drop", None),
        (IFCFG + "network-scripts/ifcfg-eth0", "ONBOOT=yes\nZONE='drop'\n", None),
        (IFCFG + "network-scripts/ifcfg-eth0", "ZONE=public\n", True),
        (IFCFG + "network/ifcfg-eth0", "ZONE=block\n", None),
        (IFCFG + "network/ifcfg-eth0.bak", "ZONE=block\n", True),
    ],
)
def test_a_zone_that_an_interface_is_put_into(
    path: str, content: Content, expected: bool | None
) -> None:
    zone = '<zone><service name="ssh"/></zone>'
    files: dict[str, Content] = {"/usr/lib/firewalld/zones/public.xml": zone, path: content}
    assert lets_in("firewalld", files) is expected


def test_no_text_takes_long() -> None:
    for piece in ("<port", "<a-", "a", "<!--", "<zone a='", '<port port="1', "a="):
        text = "<" + piece * (MAX_FILE // len(piece) - 1)
        files: dict[str, Content] = {"/etc/firewalld/zones/public.xml": text}
        assert lets_in("firewalld", files) is False


def test_the_zone_of_the_administrator_hides_the_package_s() -> None:
    files: dict[str, Content] = {
        "/etc/firewalld/zones/public.xml": "<zone/>",
        "/usr/lib/firewalld/zones/public.xml": '<zone><service name="ssh"/></zone>',
    }
    assert lets_in("firewalld", files) is False
    assert lets_in("firewalld", {"/etc/firewalld/firewalld.conf": "DefaultZone=../x\n"}) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("flush ruleset\ntable inet filter {\n chain input { policy accept; }\n}\n", True),
        ("# drop\ntable inet filter { }\n", True),
        ("chain input { type filter hook input priority 0; policy drop; }\n", None),
        ('include "/etc/nftables.d/*.nft"\n', None),
    ],
)
def test_rules_in_a_language_of_their_own_are_not_judged(text: str, expected: bool | None) -> None:
    assert lets_in("nftables", {"/etc/nftables.conf": text}) is expected


def test_rules_that_others_make_are_not_judged() -> None:
    assert lets_in("shorewall", {}) is None
    assert lets_in("iptables", {"/var/lib/iptables/rules-save": ":INPUT DROP [0:0]\n"}) is None


def test_rules_that_can_not_be_read_are_not_known() -> None:
    for content in (Broken(), Sparse(4 << 30), Link("user.rules")):
        with pytest.raises(Unreadable):
            lets_in("ufw", {"/etc/ufw/user.rules": content})
