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
    by_system,
    commands,
    family,
    holds,
    of_registry,
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
        return holds(f"{_name(case)} {printable(cloud.version or '')}".strip() + " is installed")
    if cloud.peers:
        return holds(f"{' and '.join(cloud.peers)} in place of cloud-init")
    return breaks(
        f"{_name(case)} is not installed",
        remedy=_install(case),
    )


def _name(case: Case) -> str:
    return "cloud-init" if case.guest.windows is None else "Cloudbase-Init"


def _install(case: Case) -> tuple[str, ...]:
    return commands(
        case,
        debian=("apt-get install cloud-init",),
        rhel=("dnf install cloud-init", "systemctl enable cloud-init"),
        suse=("zypper install cloud-init", "systemctl enable cloud-init"),
        arch=("pacman -S cloud-init", _ENABLE_ARCH),
        alpine=("apk add cloud-init", _ENABLE_ALPINE),
        windows=_INSTALL_WINDOWS,
    )


_INSTALL_WINDOWS = (
    "# the installer is on https://cloudbase.it/cloudbase-init",
    "msiexec /i CloudbaseInitSetup_x64.msi /qn",
)
_ENABLE_WINDOWS = "Set-Service cloudbase-init -StartupType Automatic"
# Of 24.3 and newer, which have another unit for each stage
_ENABLE_ARCH = (
    "systemctl enable cloud-init-main cloud-init-local cloud-init-network cloud-config cloud-final"
)
_ENABLE_ALPINE = "setup-cloud-init   # rc-update add for each of its services"
_ENABLE = "systemctl enable cloud-init-local cloud-init cloud-config cloud-final"


def _enable(case: Case) -> tuple[str, ...]:
    own = {"arch": _ENABLE_ARCH, "alpine": _ENABLE_ALPINE}
    chosen = own.get(family(case), _ENABLE)
    others = ("# Arch:", _ENABLE_ARCH, "# Alpine:", _ENABLE_ALPINE)
    return (chosen,) if family(case) else (chosen, *others)


def _enabled(case: Case) -> Outcome:
    cloud = case.guest.cloud_init
    if cloud is None:
        return unread_section(case, Section.CLOUD_INIT, "whether cloud-init is enabled")
    if not cloud.installed:
        return skip(f"{_name(case)} is not installed")
    if cloud.enabled is None:
        return unread(f"whether {_name(case)} is enabled can't be told")
    if cloud.enabled:
        return holds(f"{_name(case)} is enabled")
    by = cloud.disabled_by
    said = f"{_name(case)} is installed and does not run"
    if case.guest.windows is not None:
        return breaks(said, [by] if by else [], [_ENABLE_WINDOWS])
    remedy = [*_enable(case)]
    if by and by.startswith("/"):
        remedy.insert(0, f"rm {quoted(by)}")
    elif by:
        remedy.insert(0, f"# take {quoted(by)} off the kernel's command line")
    return breaks(said, [by] if by else [], remedy)


RULES = (
    Rule(
        "cloud.cloud-init-missing",
        "cloud-init, or Cloudbase-Init on Windows, is installed",
        "It is advised, not demanded: without it a server has the image's own password, keys and "
        "host name only.",
        sources.CLOUD_INIT,
        of_registry(_installed),
        Result.WARN,
        Severity.MEDIUM,
        remedy=_install,
    ),
    Rule(
        "cloud.cloud-init-disabled",
        "cloud-init runs at start",
        "One that is disabled does nothing of what it was installed for.",
        sources.CLOUD_INIT,
        of_registry(_enabled),
        Result.WARN,
        Severity.MEDIUM,
        remedy=lambda case: by_system(
            case,
            linux=("rm /etc/cloud/cloud-init.disabled", *_enable(case)),
            windows=(_ENABLE_WINDOWS,),
        ),
    ),
)
