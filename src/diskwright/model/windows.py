"""What is installed in a Windows guest: facts, nothing judged.

None stands for what was not read, and `GuestFacts.unread` says why.
"""

from __future__ import annotations

from enum import StrEnum

from diskwright._values import Struct


class WindowsService(Struct, frozen=True):
    """A driver or service in the registry. `start`: 0 boot, 1 system, 2 auto, 3 on demand, 4 never;
    `override` is what StartOverride puts in its place. `file` is the guest's path that `image_path`
    means (None: can't be told).
    """

    name: str
    start: int | None
    type: int | None = None
    group: str | None = None
    image_path: str | None = None
    file: str | None = None
    file_exists: bool | None = None
    override: int | None = None

    @property
    def starts(self) -> int | None:
        return self.start if self.override is None else self.override


class DeviceDriver(Struct, frozen=True):
    """Which service drives a PCI device (`1af4:1001`), and the database that says so."""

    device: str
    service: str
    database: str  # CriticalDeviceDatabase, DriverDatabase


class FirewallProfile(Struct, frozen=True):
    name: str  # domain, private, public
    enabled: bool


class Hibernation(StrEnum):
    """Of hiberfil.sys, by its first bytes."""

    NONE = "none"  # there is no such file
    EMPTY = "empty"  # there is, and no state in it
    SAVED = "saved"  # a state is in it that the next start goes on with
    UNKNOWN = "unknown"


class WindowsFacts(Struct, frozen=True):
    """`version` as 10.0, `build` as 20348.2227, `release` as 21H2. `stale`: hives of which a log
    was not replayed. `remote_desktop`: it is on, by `remote_desktop_policy` where a group policy
    says so; `remote_desktop_service`: its service is there and not disabled. The firewall's active
    rules let it in wherever the firewall may be on: `remote_desktop_allowed` (None: that can't be
    told, or was not read). `firewall_by_policy`: a group policy changes the firewall.
    """

    product: str | None = None
    edition: str | None = None
    installation: str | None = None  # Client, Server, Server Core
    version: str | None = None
    build: str | None = None
    release: str | None = None
    services: tuple[WindowsService, ...] | None = None
    device_drivers: tuple[DeviceDriver, ...] | None = None
    remote_desktop: bool | None = None
    remote_desktop_policy: bool | None = None
    remote_desktop_service: bool | None = None
    remote_desktop_port: int | None = None
    remote_desktop_allowed: bool | None = None
    firewall: tuple[FirewallProfile, ...] | None = None
    firewall_by_policy: bool | None = None
    image_state: str | None = None
    generalization_state: int | None = None
    hibernation: Hibernation | None = None
    fast_startup: bool | None = None
    pending_reboot: tuple[str, ...] | None = None
    stale: tuple[str, ...] = ()

    def service(self, name: str) -> WindowsService | None:
        return next((s for s in self.services or () if s.name == name), None)
