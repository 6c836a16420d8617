"""What starts with a guest, as systemd or the older ways decide."""

from __future__ import annotations

import pytest

from diskwright.guest.reading import Unreadable
from diskwright.guest.services import read_services
from diskwright.guest.units import Units
from diskwright.model.services import SeLinux, Services, ServiceState
from support.fake_guest import Content, Device, Link, tree_of

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


def services(files: dict[str, Content], line: str = "", ports: tuple[int, ...] = (22,)) -> Services:
    return read_services(tree_of({"/etc/machine-id": "", **files}), ports, line)


def enabled(*names: str) -> dict[str, Content]:
    units: dict[str, Content] = {f"{LIB}/{name}.service": "[Unit]\n" for name in names}
    return units | {f"{ETC}/multi-user.target.wants/{n}.service": Link("x") for n in names}


def test_clocks_and_agents_are_named() -> None:
    found = services(
        enabled("chronyd", "vmtoolsd")
        | {
            f"{LIB}/{name}.service": "[Unit]\n"
            for name in ("ntp", "qemu-guest-agent", "google-guest-agent")
        }
    )
    assert [(one.name, one.state.value) for one in (*found.time, *found.agents)] == [
        ("chrony", "enabled"),
        ("ntpd", "disabled"),
        ("qemu-guest-agent", "disabled"),
        ("open-vm-tools", "enabled"),
        ("google-guest-agent", "disabled"),
    ]
    other = services(enabled("ntpsec") | {f"{ETC}/ntp.service": Link(f"{LIB}/ntpsec.service")})
    assert [(one.name, one.state.value) for one in other.time] == [("ntpsec", "enabled")]
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
        ("SELINUX=nonsense\n", "", SeLinux("unknown", False)),
        ("", "", SeLinux("unknown", False)),
        ("SELINUX=enforcing\n", "security=selinux selinux=1", SeLinux("enforcing", False)),
        ("SELINUX=enforcing\n", "security=apparmor", SeLinux("disabled", False)),
        ("SELINUX=enforcing\n", "lsm=landlock,apparmor", SeLinux("disabled", False)),
        ("SELINUX=enforcing\n", "lsm=landlock,selinux,bpf", SeLinux("enforcing", False)),
        ("SELINUX=permissive\n", "autorelabel=1", SeLinux("permissive", True)),
        ("SELINUX=disabled\n", "autorelabel=1", SeLinux("disabled", False)),
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
