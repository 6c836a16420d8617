"""cloud-init: how a server gets its password, its keys and its name."""

from __future__ import annotations

from diskwright.model.finding import Result, Severity
from diskwright.model.guest import Section
from diskwright.model.text import printable
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


def _installed(case: Case) -> Outcome:
    cloud = case.guest.cloud_init
    if cloud is None:
        return unread_section(case, Section.CLOUD_INIT, "whether cloud-init is installed")
    if cloud.installed:
        return holds(f"cloud-init {printable(cloud.version or '')}".strip() + " is installed")
    if cloud.peers:
        return holds(f"{' and '.join(cloud.peers)} in place of cloud-init")
    return breaks(
        "cloud-init is not installed",
        remedy=_install(case),
    )


def _install(case: Case) -> tuple[str, ...]:
    return commands(
        case,
        debian=("apt-get install cloud-init",),
        rhel=("dnf install cloud-init", "systemctl enable cloud-init"),
        suse=("zypper install cloud-init", "systemctl enable cloud-init"),
    )


_ENABLE = "systemctl enable cloud-init-local cloud-init cloud-config cloud-final"


def _enabled(case: Case) -> Outcome:
    cloud = case.guest.cloud_init
    if cloud is None:
        return unread_section(case, Section.CLOUD_INIT, "whether cloud-init is enabled")
    if not cloud.installed:
        return skip("cloud-init is not installed")
    if cloud.enabled is None:
        return unread("whether cloud-init is enabled can't be told")
    if cloud.enabled:
        return holds("cloud-init is enabled")
    by = cloud.disabled_by
    remedy = [_ENABLE]
    if by and by.startswith("/"):
        remedy.insert(0, f"rm {quoted(by)}")
    elif by:
        remedy.insert(0, f"# take {quoted(by)} off the kernel's command line")
    return breaks("cloud-init is installed and does not run", [by] if by else [], remedy)


RULES = (
    Rule(
        "cloud.cloud-init-missing",
        "cloud-init is installed",
        "It is advised, not demanded: without it a server has the image's own password, keys and "
        "host name only.",
        sources.CLOUD_INIT,
        _installed,
        Result.WARN,
        Severity.MEDIUM,
        remedy=_install,
    ),
    Rule(
        "cloud.cloud-init-disabled",
        "cloud-init runs at start",
        "One that is disabled does nothing of what it was installed for.",
        sources.CLOUD_INIT,
        _enabled,
        Result.WARN,
        Severity.MEDIUM,
        remedy=("rm /etc/cloud/cloud-init.disabled", _ENABLE),
    ),
)
