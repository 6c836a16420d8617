"""Who can log in to a server made from the image."""

from __future__ import annotations

from diskwright.model.access import PasswordState
from diskwright.model.finding import Result, Severity
from diskwright.model.guest import Section
from diskwright.rules import sources
from diskwright.rules.rule import (
    Case,
    Outcome,
    Rule,
    breaks,
    holds,
    quoted,
    skip,
    unread,
    unread_section,
)

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
)
