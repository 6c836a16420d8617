"""What every server made from the image would share with the others, and with the first one."""

from __future__ import annotations

from diskwright.model.access import MachineId
from diskwright.model.finding import Result, Severity
from diskwright.model.guest import Section
from diskwright.rules import sources
from diskwright.rules.rule import Case, Outcome, Rule, breaks, holds, quoted, unread_section

_NEW_ID = (
    "truncate -s 0 /etc/machine-id   # the next start makes a new one",
    "rm -f /var/lib/dbus/machine-id   # else it is taken from there",
)
_NEW_KEYS = ("rm -f /etc/ssh/ssh_host_*   # made anew at the next start, by cloud-init too",)


def _machine_id(case: Case) -> Outcome:
    if case.guest.left is None:
        return unread_section(case, Section.LEFT, "the machine id")
    if case.guest.left.id_files or case.guest.left.machine_id is MachineId.SET:
        return breaks(
            "the machine id is set: all servers from this image have the same",
            case.guest.left.id_files or ("/etc/machine-id",),
            _NEW_ID,
        )
    return holds("the machine id is made at the first start")


def _host_keys(case: Case) -> Outcome:
    if case.guest.ssh is None:
        return unread_section(case, Section.SSH, "the SSH host keys")
    if case.guest.ssh.host_keys:
        return breaks(
            "SSH host keys are in the image: who has it can pose as any server made from it",
            case.guest.ssh.host_keys,
            _NEW_KEYS,
        )
    return holds("no SSH host key is in the image")


def _secrets(case: Case) -> Outcome:
    if case.guest.left is None:
        return unread_section(case, Section.LEFT, "what is left in home folders")
    found = case.guest.left.files
    if found:
        return breaks(
            "secrets or traces of people are left in home folders",
            (f"{left.kind}: {left.path}" for left in found),
            (f"rm -f -- {quoted(left.path)}" for left in found),
        )
    return holds("no key, credential or history is left in home folders")


RULES = (
    Rule(
        "privacy.secrets-left",
        "No keys, credentials or shell histories are left",
        "Whoever may start a server from the image can read them.",
        sources.PREPARE_LINUX,
        _secrets,
        Result.WARN,
        remedy=("rm -f -- FILE",),
    ),
    Rule(
        "privacy.ssh-host-keys-left",
        "No SSH host keys are left",
        "Servers with the same host key can't be told apart. cloud-init removes them at the first "
        "start of a server, and not everywhere.",
        sources.PREPARE_LINUX,
        _host_keys,
        Result.WARN,
        Severity.MEDIUM,
        remedy=_NEW_KEYS,
    ),
    Rule(
        "privacy.machine-id-left",
        "The machine id is not set",
        "Servers with the same id get the same address by DHCP, and mix up their logs.",
        sources.MACHINE_ID,
        _machine_id,
        Result.WARN,
        Severity.MEDIUM,
        remedy=_NEW_ID,
    ),
)
