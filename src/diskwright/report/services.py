"""What starts with a guest, in words."""

from __future__ import annotations

from collections.abc import Iterator

from diskwright.model.services import Services


def services_said(services: Services) -> Iterator[str]:
    """A line for each kind that is there."""
    if services.ssh is not None:
        yield f"ssh {services.ssh}"
    for firewall in services.firewalls:
        lets = {True: "lets ssh in", False: "keeps ssh out", None: "not known whether ssh gets in"}
        yield f"{firewall.name} {firewall.state}, {lets[firewall.lets_ssh]} ({firewall.config})"
    for one in (*services.time, *services.agents):
        yield f"{one.name} {one.state}"
    if services.selinux is not None:
        anew = ", labels all files anew at the next start" if services.selinux.relabel else ""
        yield f"SELinux {services.selinux.mode}{anew}"
