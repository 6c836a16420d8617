"""What starts with a guest, in words."""

from __future__ import annotations

from collections.abc import Iterator

from diskwright.model.services import Firewall, Services, ServiceState

_LETS = {True: "lets ssh in", False: "keeps ssh out", None: "not known whether ssh gets in"}
_OFF = (ServiceState.DISABLED, ServiceState.MASKED)


def services_said(services: Services) -> Iterator[str]:
    """A line for each that is there."""
    if services.ssh is not None:
        yield f"ssh {services.ssh}"
    yield from map(_firewall, services.firewalls)
    for one in (*services.time, *services.agents):
        yield f"{one.name} {one.state}"
    if services.selinux is not None:
        anew = ", labels all files anew at the next start" if services.selinux.relabel else ""
        yield f"SELinux {services.selinux.mode}{anew}"


def _firewall(firewall: Firewall) -> str:
    said = f"{firewall.name} {firewall.state}"
    if firewall.state in _OFF:
        return said
    return f"{said}, {_LETS[firewall.lets_ssh]} ({firewall.config})"
