"""Who can log in to a server made from the image."""

from __future__ import annotations

from diskwright.model.access import PasswordState
from diskwright.model.finding import Result, Severity
from diskwright.model.guest import Section
from diskwright.model.services import Firewall, ServiceState
from diskwright.rules import sources
from diskwright.rules.rule import (
    Case,
    Outcome,
    Rule,
    breaks,
    commands,
    holds,
    quoted,
    skip,
    unread,
    unread_section,
)

SSH_PORT = 22
_REFUSING = frozenset({"no", "forced-commands-only"})
_ALLOW_ROOT = (
    "# if nobody else may log in and become root:",
    "sed -i 's/^[[:space:]]*PermitRootLogin.*/PermitRootLogin prohibit-password/' "
    "/etc/ssh/sshd_config",
)


def _empty_passwords(case: Case) -> Outcome:
    accounts = case.guest.accounts
    if accounts is None:
        return unread_section(case, Section.ACCOUNTS, "the accounts")
    found = [a for a in accounts if a.password is PasswordState.EMPTY and a.shell]
    if found:
        return breaks(
            "an account has an empty password: anybody can log in",
            (f"{a.location}: {a.name}" for a in found),
            (f"passwd --lock -- {quoted(a.name)}" for a in found),
        )
    return holds("no account that may log in has an empty password")


def _root_login(case: Case) -> Outcome:
    ssh = case.guest.ssh
    if ssh is None:
        return unread_section(case, Section.SSH, "the configuration of the SSH server")
    if not ssh.installed:
        return skip("no SSH server is installed")
    if ssh.conditional:
        return unread("root's login depends on where from, or on who asks", ssh.conditional)
    if ssh.root_login in _REFUSING:
        where = ssh.root_login_at
        return breaks(
            "the SSH server lets root in by no means: keys and passwords that the service gives "
            "root do not work",
            (f"{where}: PermitRootLogin {ssh.root_login}",),
            _ALLOW_ROOT,
        )
    return holds(f"the SSH server lets root in: PermitRootLogin {ssh.root_login}")


def _started(case: Case) -> Outcome:
    ssh, services = case.guest.ssh, case.guest.services
    if services is None:
        return unread_section(case, Section.SERVICES, "whether the SSH server starts")
    if services.ssh is None:
        if ssh is None:
            return unread_section(case, Section.SSH, "whether there is an SSH server")
        if ssh.installed:
            return unread("an SSH server is installed, and what starts it is not known")
        return breaks("no SSH server is installed", remedy=_install(case))
    if services.ssh is ServiceState.ENABLED:
        return holds("the SSH server starts with the system")
    if services.ssh is ServiceState.UNKNOWN:
        return unread("whether the SSH server starts is decided at the first start, or elsewhere")
    masked = services.ssh is ServiceState.MASKED
    return breaks(
        f"the SSH server is {services.ssh}",
        remedy=(*(_UNMASK if masked else ()), *_enable(case)),
    )


_UNMASK = ("systemctl unmask ssh.service sshd.service",)


def _enable(case: Case) -> tuple[str, ...]:
    return commands(
        case,
        debian=("systemctl enable ssh",),
        rhel=("systemctl enable sshd",),
        suse=("systemctl enable sshd",),
        arch=("systemctl enable sshd",),
        alpine=("rc-update add sshd default",),
    )


def _install(case: Case) -> tuple[str, ...]:
    return commands(
        case,
        debian=("apt-get install openssh-server", "systemctl enable ssh"),
        rhel=("dnf install openssh-server", "systemctl enable sshd"),
        suse=("zypper install openssh-server", "systemctl enable sshd"),
        arch=("pacman -S openssh", "systemctl enable sshd"),
        alpine=("apk add openssh", "rc-update add sshd default"),
    )


def _reached(case: Case) -> Outcome:
    services, ssh = case.guest.services, case.guest.ssh
    if services is None:
        return unread_section(case, Section.SERVICES, "firewalls")
    if ssh is not None and not ssh.installed:
        return skip("no SSH server is installed")
    off = (ServiceState.DISABLED, ServiceState.MASKED)
    started = [f for f in services.firewalls if f.state not in off]
    closed = [f for f in started if f.lets_ssh is False and f.state is ServiceState.ENABLED]
    port = ssh.ports[0] if ssh is not None and ssh.ports else SSH_PORT
    if closed:
        return breaks(
            "a firewall of the guest lets no SSH connection in",
            map(_said, closed),
            (_open(firewall, port) for firewall in closed),
        )
    open_to_be_seen = [f for f in started if not f.lets_ssh]
    if open_to_be_seen:
        return unread("whether a firewall lets SSH in can't be told", map(_said, open_to_be_seen))
    return holds("no firewall of the guest keeps SSH out")


def _said(firewall: Firewall) -> str:
    return f"{firewall.config}: {firewall.name}, {firewall.state}"


def _open(firewall: Firewall, port: int) -> str:
    other = f"# let TCP port {port} in: {quoted(firewall.config)}"
    return _opening(port).get(firewall.name, other)


def _opening(port: int) -> dict[str, str]:
    """By the name of the firewall."""
    return {
        "ufw": f"ufw allow {port}/tcp",
        "firewalld": f"firewall-cmd --permanent --add-port={port}/tcp && firewall-cmd --reload",
    }


RULES = (
    Rule(
        "access.root-empty-password",
        "No account has an empty password",
        "On a console, and by SSH where that is allowed, nothing but the name is asked for.",
        sources.SHADOW,
        _empty_passwords,
        remedy=("passwd --lock -- NAME",),
    ),
    Rule(
        "access.ssh-root-login-refused",
        "Root can log in by SSH",
        "The service gives a new server's root a password or a key. Whoever logs in as another "
        "user, as cloud-init makes one, does not need it.",
        sources.PREPARE_LINUX,
        _root_login,
        Result.WARN,
        Severity.LOW,
        remedy=_ALLOW_ROOT,
    ),
    Rule(
        "access.ssh-server-off",
        "An SSH server starts with the system",
        "Without one the server is reached on its console alone.",
        sources.PREPARE_LINUX,
        _started,
        Result.WARN,
        Severity.MEDIUM,
        remedy=_install,
    ),
    Rule(
        "access.firewall-closed",
        "No firewall of the guest keeps SSH out",
        "The cloud's own firewall decides who may connect; one inside is not seen from outside.",
        sources.PREPARE_LINUX,
        _reached,
        Result.WARN,
        Severity.MEDIUM,
        remedy=tuple(_opening(SSH_PORT).values()),
    ),
)
