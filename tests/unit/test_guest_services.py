"""What starts with a guest, as systemd or the older ways decide, and what its firewall lets in."""

from __future__ import annotations

import pytest

from diskwright.guest.reading import Unreadable
from diskwright.guest.services import read_services
from diskwright.guest.units import Units
from diskwright.model.services import SeLinux, Services, ServiceState
from support.fake_guest import Broken, Content, Device, Link, Sparse, tree_of

SYSTEMD = "/usr/lib/systemd/systemd"
LIB, ETC = "/usr/lib/systemd/system", "/etc/systemd/system"
UNIT: dict[str, Content] = {f"{LIB}/ssh.service": "[Unit]\n", "/etc/machine-id": ""}
WANTED: dict[str, Content] = {f"{ETC}/multi-user.target.wants/ssh.service": Link(f"{LIB}/x")}
NULL: dict[str, Content] = {f"{ETC}/ssh.service": Link("/dev/null")}


def state(files: dict[str, Content], *units: str) -> str | None:
    return Units(tree_of(files)).state(*(units or ("ssh.service", "ssh.socket")))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (UNIT | WANTED, "enabled"),
        (UNIT, "disabled"),
        (UNIT | {"/etc/machine-id": "uninitialized\n"}, "unknown"),
        ({f"{LIB}/ssh.service": "[Unit]\n"}, "unknown"),
        (UNIT | WANTED | NULL, "masked"),
        (UNIT | WANTED | NULL | {"/dev/null": Device()}, "masked"),
        (UNIT | WANTED | {f"{ETC}/ssh.service": ""}, "masked"),
        (UNIT | WANTED | {f"{ETC}/ssh.service": "[Unit]\n"}, "enabled"),
        (UNIT | {f"{ETC}/cloud.target.requires/ssh.service": Link("x")}, "enabled"),
        (UNIT | {f"{LIB}/multi-user.target.wants/ssh.service": Link("x")}, "enabled"),
        # a link to what is not installed starts nothing
        (WANTED, None),
        ({}, None),
        (UNIT | WANTED | {f"{ETC}/ssh.service": Link("/opt/ssh.service")}, "unknown"),
        (UNIT | WANTED | {f"{ETC}/ssh.service": {}}, "unknown"),
        # another unit's name for itself
        (UNIT | {f"{ETC}/ssh.service": Link(f"{LIB}/dropbear.service")}, None),
        # packages have units where something else starts, too
        (UNIT | WANTED | {"/sbin/openrc": ""}, "unknown"),
        (UNIT | WANTED | {"/sbin/openrc": "", SYSTEMD: "x"}, "enabled"),
        (UNIT | {"/etc/inittab": "", "/etc/runlevels/default/ssh": Link("x")}, "enabled"),
        (UNIT | {"/etc/inittab": "", "/etc/init.d/ssh": ""}, "disabled"),
        # the socket starts it, though the service alone would not
        (
            UNIT
            | {
                f"{LIB}/ssh.socket": "[Unit]\n",
                f"{ETC}/sockets.target.wants/ssh.socket": Link("x"),
            },
            "enabled",
        ),
        ({"/etc/init.d/ssh": "#!/bin/sh\n", "/etc/rc2.d/S02ssh": Link("../init.d/ssh")}, "enabled"),
        (
            {"/etc/init.d/ssh": "#!/bin/sh\n", "/etc/rc2.d/K02ssh": Link("../init.d/ssh")},
            "disabled",
        ),
        ({"/etc/init.d/ssh": "", "/etc/rc.d/rc3.d/S55ssh": Link("x")}, "enabled"),
        ({"/etc/init.d/ssh": "", "/etc/runlevels/default/ssh": Link("x")}, "enabled"),
        ({"/etc/init/ssh.conf": "start on runlevel [2345]\n"}, "unknown"),
        # systemd passes a script over that has a unit of its name
        (UNIT | {"/etc/init.d/ssh": "", "/etc/rc2.d/S02ssh": Link("x")}, "disabled"),
    ],
)
def test_a_service_starts_or_not(files: dict[str, Content], expected: str | None) -> None:
    assert state(files) == expected


def test_what_can_not_be_read_is_not_off() -> None:
    with pytest.raises(Unreadable):
        state({**UNIT, f"{ETC}/ssh.service": Link("ssh.service")})
    with pytest.raises(Unreadable):
        state({**UNIT, **{f"{ETC}/{n}.wants/x": "" for n in range(501)}})


def services(files: dict[str, Content], line: str = "", *ports: int) -> Services:
    return read_services(tree_of({"/etc/machine-id": "", **files}), ports or (22,), line)


def enabled(*names: str) -> dict[str, Content]:
    units: dict[str, Content] = {f"{LIB}/{name}.service": "[Unit]\n" for name in names}
    return units | {f"{ETC}/multi-user.target.wants/{n}.service": Link("x") for n in names}


def lets_in(name: str, files: dict[str, Content], *ports: int) -> bool | None:
    (found,) = services(enabled(name) | files, "", *ports).firewalls
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
        ("", DROP, False),
        ("", 'DEFAULT_INPUT_POLICY="ACCEPT"\n', True),
        ("### tuple ### allow tcp\n### tuple ###\n", "", None),
    ],
)
def test_ufw_lets_it_in_or_not(rules: str, policy: str, expected: bool | None) -> None:
    files: dict[str, Content] = {
        "/etc/ufw/ufw.conf": "# x\nENABLED=yes\n",
        "/etc/ufw/user.rules": rules,
        "/etc/default/ufw": policy,
    }
    assert lets_in("ufw", files) is expected


def test_an_ufw_that_was_not_switched_on_does_nothing() -> None:
    (found,) = services(enabled("ufw") | {"/etc/ufw/ufw.conf": "ENABLED=no\n"}).firewalls
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
        ('<zone><rule family="ipv4"><source address="10.0.0.0/8"/></rule></zone>', (22,), None),
        ('<zone target="DROP"/>', (22,), False),
    ],
)
def test_firewalld_lets_it_in_or_not(
    zone: str, ports: tuple[int, ...], expected: bool | None
) -> None:
    files: dict[str, Content] = {
        "/etc/firewalld/firewalld.conf": "DefaultZone=work\n",
        "/usr/lib/firewalld/zones/work.xml": zone,
    }
    assert lets_in("firewalld", files, *ports) is expected


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


def test_rules_that_can_not_be_read_are_not_known() -> None:
    for content in (Broken(), Sparse(4 << 30), Link("user.rules")):
        with pytest.raises(Unreadable):
            lets_in("ufw", {"/etc/ufw/user.rules": content})


def test_clocks_and_agents_are_named() -> None:
    found = services(
        enabled("chronyd", "vmtoolsd")
        | {f"{LIB}/{name}.service": "[Unit]\n" for name in ("ntp", "qemu-guest-agent")}
    )
    assert [(one.name, one.state.value) for one in (*found.time, *found.agents)] == [
        ("chrony", "enabled"),
        ("ntp", "disabled"),
        ("qemu-guest-agent", "disabled"),
        ("open-vm-tools", "enabled"),
    ]
    udev = "/usr/lib/udev/rules.d/60-qemu-guest-agent.rules"
    (agent,) = services({f"{LIB}/qemu-guest-agent.service": "[Unit]\n", udev: ""}).agents
    assert agent.state is ServiceState.ENABLED


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("SELINUX=enforcing\nSELINUXTYPE=targeted\n", "ro quiet", SeLinux("enforcing", False)),
        ("# SELINUX=enforcing\nSELINUX=permissive\n", "", SeLinux("permissive", False)),
        ("SELINUX=enforcing\n", "enforcing=0", SeLinux("permissive", False)),
        ("SELINUX=enforcing\n", "selinux=0", SeLinux("disabled", False)),
        ("SELINUX=nonsense\n", "", None),
        (None, "", None),
    ],
)
def test_selinux_is_as_the_file_and_the_kernel_are_told(
    text: str | None, line: str, expected: SeLinux | None
) -> None:
    files: dict[str, Content] = {} if text is None else {"/etc/selinux/config": text}
    assert services(files, line).selinux == expected


def test_a_label_run_that_waits_is_told() -> None:
    files: dict[str, Content] = {"/etc/selinux/config": "SELINUX=enforcing\n", "/.autorelabel": ""}
    assert services(files).selinux == SeLinux("enforcing", True)
