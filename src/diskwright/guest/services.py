"""What starts with the guest: its SSH server, firewalls, clock, agents of clouds, SELinux."""

from __future__ import annotations

from diskwright.guest.firewall import read_firewalls
from diskwright.guest.reading import NotThere
from diskwright.guest.tree import GuestTree
from diskwright.guest.units import Units
from diskwright.model.services import SeLinux, Service, Services, ServiceState

SELINUX, RELABEL = "/etc/selinux/config", "/.autorelabel"
MAX_FILE = 64 << 10

_SSH = ("ssh.service", "sshd.service", "ssh.socket", "sshd.socket")
_TIME = {
    "chrony": ("chrony.service", "chronyd.service"),
    "systemd-timesyncd": ("systemd-timesyncd.service",),
    "ntp": ("ntp.service", "ntpd.service", "ntpsec.service", "openntpd.service"),
}
_AGENTS = {
    "qemu-guest-agent": ("qemu-guest-agent.service",),
    "CloudResetPwdAgent": ("cloudResetPwdAgent.service", "cloudResetPwdUpdateAgent.service"),
    "open-vm-tools": ("open-vm-tools.service", "vmtoolsd.service"),
    "waagent": ("walinuxagent.service", "waagent.service"),
}
# Debian starts it by a rule of udev, as soon as its device is there
_BY_UDEV = (
    "/usr/lib/udev/rules.d/60-qemu-guest-agent.rules",
    "/lib/udev/rules.d/60-qemu-guest-agent.rules",
    "/usr/lib/udev/rules.d/99-qemu-guest-agent.rules",
)
_MODES = ("enforcing", "permissive", "disabled")


def read_services(tree: GuestTree, ports: tuple[int, ...], command_line: str) -> Services:
    """`ports`: where the SSH server listens, if that is known. Raises GuestReadError."""
    units = Units(tree)
    return Services(
        ssh=units.state(*_SSH),
        firewalls=read_firewalls(tree, units, ports),
        time=_services(units, _TIME),
        agents=tuple(_by_udev(tree, one) for one in _services(units, _AGENTS)),
        selinux=_selinux(tree, command_line.split()),
    )


def _services(units: Units, wanted: dict[str, tuple[str, ...]]) -> tuple[Service, ...]:
    states = ((name, units.state(*names)) for name, names in wanted.items())
    return tuple(Service(name, state) for name, state in states if state is not None)


def _by_udev(tree: GuestTree, agent: Service) -> Service:
    idle = agent.name == "qemu-guest-agent" and agent.state is ServiceState.DISABLED
    if idle and any(tree.exists(path) for path in _BY_UDEV):
        return Service(agent.name, ServiceState.ENABLED)
    return agent


def _selinux(tree: GuestTree, words: list[str]) -> SeLinux | None:
    """selinux(8): the kernel's command line counts more than the file."""
    try:
        text = tree.read_text(SELINUX, MAX_FILE)
    except NotThere:
        return None
    mode = ""
    for line in text.split("\n"):
        key, equals, value = line.partition("=")
        if equals and key.strip() == "SELINUX" and value.strip().lower() in _MODES:
            mode = value.strip().lower()
    if "selinux=0" in words:
        mode = "disabled"
    elif mode == "enforcing" and "enforcing=0" in words:
        mode = "permissive"
    return SeLinux(mode, tree.exists(RELABEL)) if mode else None
