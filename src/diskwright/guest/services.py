"""What starts with the guest: its SSH server, firewalls, clock, agents of clouds, SELinux."""

from __future__ import annotations

from diskwright.guest.firewall import read_firewalls
from diskwright.guest.settings import setting
from diskwright.guest.tree import GuestTree
from diskwright.guest.units import Units
from diskwright.model.services import SeLinux, Service, Services, ServiceState

SELINUX, RELABEL = "/etc/selinux/config", "/.autorelabel"

_SSH = ("ssh.service", "sshd.service", "ssh.socket", "sshd.socket")
# By units of their own: a link from another name, as ntp.service to ntpsec's, is not looked at
_TIME = {
    "chrony": ("chrony.service", "chronyd.service"),
    "systemd-timesyncd": ("systemd-timesyncd.service",),
    "ntpd": ("ntp.service", "ntpd.service", "xntpd.service"),
    "ntpsec": ("ntpsec.service",),
    "openntpd": ("openntpd.service",),
}
_AGENTS = {
    "qemu-guest-agent": ("qemu-guest-agent.service", "qemu-ga.service"),
    "CloudResetPwdAgent": ("cloudResetPwdAgent.service", "cloudResetPwdUpdateAgent.service"),
    "open-vm-tools": ("open-vm-tools.service", "vmtoolsd.service"),
    "hyper-v-daemons": ("hv-kvp-daemon.service", "hypervkvpd.service"),
    "xe-guest-utilities": ("xe-daemon.service", "xe-linux-distribution.service"),
    "waagent": ("walinuxagent.service", "waagent.service"),
    "google-guest-agent": ("google-guest-agent.service",),
    "amazon-ssm-agent": (
        "amazon-ssm-agent.service",
        "snap.amazon-ssm-agent.amazon-ssm-agent.service",
    ),
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
    said = setting(tree, SELINUX, "SELINUX").lower()
    if not said and not tree.exists(SELINUX):
        return None
    mode = said if said in _MODES else "unknown"
    if not _in_kernel(words):
        mode = "disabled"
    elif "enforcing=0" in words and mode == "enforcing":
        mode = "permissive"
    relabel = tree.exists(RELABEL) or "autorelabel=1" in words
    return SeLinux(mode, relabel and mode != "disabled")


def _in_kernel(words: list[str]) -> bool:
    """Whether the kernel is not told to do without it, or to take others."""
    options = dict(word.partition("=")[::2] for word in words)
    if options.get("selinux") == "0" or options.get("security", "selinux") != "selinux":
        return False
    return "selinux" in options.get("lsm", "selinux").split(",")
