"""Whether a service starts with the system: systemd.unit(5), or the older ways where that is not.

A unit starts that is linked in a `.wants` or `.requires` folder, unless a link to /dev/null, or an
empty file, masks it. The links are looked for by name and not followed: a unit's own file decides
whether there is something to start. A link to a unit of another name is that unit's, and left to
it.
"""

from __future__ import annotations

from functools import cached_property

from diskwright.guest.reading import NotThere, Unreadable
from diskwright.guest.tree import GuestTree
from diskwright.model.services import ServiceState

ADMIN = "/etc/systemd/system"
FOLDERS = (ADMIN, "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
RUNLEVELS = tuple(f"/etc{rc}/rc{level}.d" for rc in ("", "/rc.d") for level in "2345")
SYSTEMD = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")
OTHERS = ("/etc/inittab", "/sbin/openrc", "/usr/bin/openrc", "/etc/runit", "/etc/init/rc.conf")
OPENRC = "/etc/runlevels/default"
MACHINE_ID = "/etc/machine-id"
NOTHING = "/dev/null"
MAX_FOLDERS = 500

# The best that can be said of several names for one service
_ORDER = (
    ServiceState.ENABLED,
    ServiceState.UNKNOWN,
    ServiceState.MASKED,
    ServiceState.DISABLED,
)


class Units:
    """Every method raises GuestReadError where a folder can't be read."""

    def __init__(self, tree: GuestTree) -> None:
        self._tree = tree

    def state(self, *units: str) -> ServiceState | None:
        """Of the first that starts, of several names (`ssh.service`, `ssh.socket`); None where none
        is there."""
        states = {self._one(unit) for unit in units}
        return next((state for state in _ORDER if state in states), None)

    def _one(self, unit: str) -> ServiceState | None:
        older = self._older(unit.removesuffix(".service"))
        places = [f"{folder}/{unit}" for folder in FOLDERS if unit in self._names_in[folder]]
        if not places:
            return older
        if not self._systemd:
            return older or ServiceState.UNKNOWN
        return self._of_file(unit, places[0])

    def _of_file(self, unit: str, path: str) -> ServiceState | None:
        """Of the first folder's file, which hides all others."""
        target = self._tree.link(path)
        if target is not None:
            if target.endswith(NOTHING):
                return ServiceState.MASKED
            if target.rpartition("/")[2] != unit:
                return None
        if not self._tree.is_file(path):
            return ServiceState.UNKNOWN
        if not self._tree.size(path):
            return ServiceState.MASKED
        if unit in self._wanted:
            return ServiceState.ENABLED
        return ServiceState.UNKNOWN if self._first_boot else ServiceState.DISABLED

    def _older(self, name: str) -> ServiceState | None:
        """Scripts of runlevels (insserv(8)), OpenRC, upstart."""
        if name in self._started:
            return ServiceState.ENABLED
        if self._tree.exists(f"/etc/init/{name}.conf"):
            return ServiceState.UNKNOWN
        return ServiceState.DISABLED if self._tree.exists(f"/etc/init.d/{name}") else None

    @cached_property
    def _systemd(self) -> bool:
        """Packages of Devuan and Gentoo have units that nothing reads."""
        found = any(self._tree.exists(path) for path in SYSTEMD)
        return found or not any(self._tree.exists(path) for path in OTHERS)

    @cached_property
    def _names_in(self) -> dict[str, frozenset[str]]:
        return {folder: frozenset(self._names(folder)) for folder in FOLDERS}

    @cached_property
    def _wanted(self) -> frozenset[str]:
        found: set[str] = set()
        folders = [
            f"{folder}/{name}"
            for folder in FOLDERS
            for name in self._names_in[folder]
            if name.endswith((".wants", ".requires", ".upholds"))
        ]
        if len(folders) > MAX_FOLDERS:
            raise Unreadable("too-large", f"has more than {MAX_FOLDERS} targets", path=ADMIN)
        for folder in folders:
            found.update(self._names(folder))
        return frozenset(found)

    @cached_property
    def _started(self) -> frozenset[str]:
        found = set(self._names(OPENRC))
        for folder in RUNLEVELS:
            scripts = (name for name in self._names(folder) if name.startswith("S"))
            found.update(name[1:].lstrip("0123456789") for name in scripts)
        return frozenset(found)

    @cached_property
    def _first_boot(self) -> bool:
        """machine-id(5), First Boot Semantics: presets decide then, at the start."""
        try:
            return self._tree.read_text(MACHINE_ID, 4096).strip() == "uninitialized"
        except NotThere:
            return True

    def _names(self, folder: str) -> list[str]:
        try:
            return self._tree.names(folder)
        except NotThere:
            return []
