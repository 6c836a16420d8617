"""All facts of a Windows guest. One hive is in memory at a time: each may be large."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from diskwright._values import Struct, replace
from diskwright.guest.notes import Notes
from diskwright.guest.reading import GuestReadError, damaged
from diskwright.guest.tree import GuestTree
from diskwright.guest.windows import drivers, network, remote_desktop, state
from diskwright.guest.windows.cloudbase import read_cloudbase
from diskwright.guest.windows.hive import Hive, Key, open_hive
from diskwright.guest.windows.pe import read_architecture
from diskwright.guest.windows.product import Product, os_of, read_product
from diskwright.model.guest import CloudInit, OsRelease, Section
from diskwright.model.image import Problem
from diskwright.model.network import Network
from diskwright.model.windows import WindowsFacts

CONFIG = "/Windows/System32/config"
SYSTEM, SOFTWARE = f"{CONFIG}/SYSTEM", f"{CONFIG}/SOFTWARE"
STALE = "registry-log-not-replayed"

T = TypeVar("T")


class Windows(Struct, frozen=True):
    """`facts`, and what a guest of any kind has as well."""

    facts: WindowsFacts
    os: OsRelease | None
    network: Network | None
    cloud_init: CloudInit | None
    architecture: str | None


def read_windows(tree: GuestTree, notes: Notes) -> Windows:
    """Never raises: what can't be read is in `notes`."""
    return _Reading(tree, notes).all()


class _Reading:
    """Fills in what a Windows is told by, hive after hive."""

    def __init__(self, tree: GuestTree, notes: Notes) -> None:
        self._tree = tree
        self._notes = notes
        self._facts = WindowsFacts()
        self._pending: list[tuple[str, ...] | None] = []

    def all(self) -> Windows:
        with self._notes.meter.stage(Section.OS):
            architecture = read_architecture(self._tree)
        network, cloud_init = self._of_system()
        product = self._of_software()
        facts = replace(
            self._facts,
            hibernation=self._read(lambda: state.read_hibernation(self._tree)),
            pending_reboot=_together(self._pending),
        )
        system = os_of(product, architecture) if product else None
        return Windows(facts, system, network, cloud_init, architecture)

    def _of_system(self) -> tuple[Network | None, CloudInit | None]:
        try:
            with self._notes.meter.stage(Section.WINDOWS):
                system = self._open(SYSTEM).root
                number = _control_set(system)
                current = system.key(number)
                if current is None:
                    raise damaged(f"has no {number}, which it names as the current one")
        except GuestReadError as error:
            error.path = error.path or SYSTEM
            for section in (Section.WINDOWS, Section.NETWORK, Section.CLOUD_INIT):
                self._notes.failed(section, error)
            self._pending.append(None)
            return None, None
        return self._of_control_set(system, current, f"HKLM\\SYSTEM\\{number}")

    def _of_control_set(
        self, system: Key, current: Key, place: str
    ) -> tuple[Network | None, CloudInit | None]:
        tree, read = self._tree, self._read
        self._facts = replace(
            self._facts,
            services=read(lambda: drivers.read_services(tree, current)),
            device_drivers=read(lambda: drivers.read_device_drivers(system, current)),
            remote_desktop=read(lambda: remote_desktop.read_remote_desktop(current)),
            remote_desktop_service=read(lambda: remote_desktop.read_service_starts(current)),
            remote_desktop_port=read(lambda: remote_desktop.read_port(current)),
            remote_desktop_allowed=read(lambda: remote_desktop.read_allowed(current)),
            firewall=read(lambda: remote_desktop.read_firewall(current)),
            fast_startup=read(lambda: state.read_fast_startup(current)),
            generalization_state=read(lambda: state.read_generalization(system)),
        )
        self._pending.append(read(lambda: state.pending_renames(current)))
        return (
            self._notes.read(Section.NETWORK, lambda: network.read_network(current, place)),
            self._notes.read(Section.CLOUD_INIT, lambda: read_cloudbase(tree, current, place)),
        )

    def _of_software(self) -> Product | None:
        try:
            with self._notes.meter.stage(Section.WINDOWS):
                software = self._open(SOFTWARE).root
        except GuestReadError as error:
            for section in (Section.OS, Section.WINDOWS):
                self._notes.failed(section, error)
            self._pending.append(None)
            self._facts = replace(self._facts, remote_desktop=None)  # a policy may say otherwise
            return None
        self._pending.append(self._read(lambda: state.pending_updates(self._tree, software)))
        self._of_policies(software)
        image_state = self._read(lambda: state.read_image_state(software))
        self._facts = replace(self._facts, image_state=image_state)
        product = self._notes.read(Section.OS, lambda: read_product(software))
        if product is not None:
            self._facts = replace(
                self._facts,
                product=product.name,
                edition=product.edition,
                installation=product.installation,
                version=product.version,
                build=product.build,
                release=product.release,
            )
        return product

    def _of_policies(self, software: Key) -> None:
        """What they say counts more than the SYSTEM hive; unread, nothing of it counts."""
        try:
            with self._notes.meter.stage(Section.WINDOWS):
                policy = remote_desktop.read_policy(software)
                by_policy = remote_desktop.read_firewall_by_policy(software)
        except GuestReadError as error:
            self._notes.failed(Section.WINDOWS, error)
            self._facts = replace(self._facts, remote_desktop=None)
            return
        local = self._facts.remote_desktop
        self._facts = replace(
            self._facts,
            remote_desktop=local if policy is None else policy,
            remote_desktop_policy=policy,
            firewall_by_policy=by_policy,
        )

    def _open(self, path: str) -> Hive:
        hive = open_hive(self._tree, path)
        if hive.stale:
            self._facts = replace(self._facts, stale=(*self._facts.stale, path))
            detail = f"{path}: changes in its logs (.LOG1, .LOG2) were not replayed"
            self._notes.problems.append(Problem(STALE, detail))
        return hive

    def _read(self, read: Callable[[], T]) -> T | None:
        return self._notes.read(Section.WINDOWS, read)


def _control_set(system: Key) -> str:
    """CurrentControlSet is a name for one of several, which Select tells."""
    select = system.key("Select")
    number = select.number("Current") if select else None
    if number is None:
        raise damaged("does not say which control set is the current one")
    return f"ControlSet{number:03}"


def _together(parts: Sequence[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    """What was found in either; None where nothing was, and one was not read."""
    found = tuple(one for part in parts if part for one in part)
    return found if found or None not in parts else None
