"""What a guest starts by itself, and what it lets in: facts, nothing judged."""

from __future__ import annotations

from enum import StrEnum

from diskwright._values import Struct


class ServiceState(StrEnum):
    ENABLED = "enabled"  # it starts with the system
    DISABLED = "disabled"
    MASKED = "masked"  # nothing can start it
    UNKNOWN = "unknown"  # a preset or another program decides


class Service(Struct, frozen=True):
    """One that is installed. `name` is what people call it: chrony, qemu-guest-agent."""

    name: str
    state: ServiceState


class Firewall(Struct, frozen=True):
    """`lets_ssh`: it lets the SSH server's port in from anywhere (None: that can't be told).

    `config` is the file that says so.
    """

    name: str
    state: ServiceState
    lets_ssh: bool | None
    config: str


class SeLinux(Struct, frozen=True):
    """`mode`: enforcing, permissive, disabled; unknown where the file says none of them.
    `relabel`: the next start labels all files anew."""

    mode: str
    relabel: bool


class Services(Struct, frozen=True):
    """`ssh` is None where nothing is there that would start one."""

    ssh: ServiceState | None
    firewalls: tuple[Firewall, ...] = ()
    time: tuple[Service, ...] = ()
    agents: tuple[Service, ...] = ()
    selinux: SeLinux | None = None
