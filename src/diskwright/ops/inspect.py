"""inspect: facts of a file and of its guest. What the rules say of them: `validate`."""

from __future__ import annotations

from diskwright.errors import PackagesUnread
from diskwright.guest.answer import PACKAGES
from diskwright.model.examined import Software
from diskwright.model.iso import InspectedIso
from diskwright.model.outcome import Inspected
from diskwright.ops.iso import MediaDatabase
from diskwright.ops.opening import Source
from diskwright.ports import GuestInspector


def inspect(
    source: Source,
    *,
    inspector: GuestInspector,
    database: MediaDatabase,
    packages: bool = False,
) -> Inspected:
    """Facts only, with `packages` also what its managers list. Nothing of the file is written.

    Raises PackagesUnread where no list of packages was read.
    """
    guest = iso = software = cost = None
    if source.iso is not None:
        system = database.installs(source.iso)
        iso = InspectedIso(source.path, source.iso, system, database.date)
    elif packages:
        examined = inspector.examine(source.disk, [PACKAGES])
        guest, software = examined.guest, examined.software
    else:
        guest, cost = inspector.measured(source.disk)
    source.unchanged()
    if packages:
        _check_listed(source.path, software, is_iso=iso is not None)
    return Inspected(
        source.path,
        source.facts,
        guest,
        iso,
        source.package,
        source.name,
        software=software,
        cost=cost,
    )


def _check_listed(path: str, software: Software | None, *, is_iso: bool) -> None:
    """Raises PackagesUnread. A list that was read and is empty is a list."""
    if software is None or not software.databases:
        reason = "no package database that is known is in it (dpkg, rpm, apk)"
        if is_iso:
            reason = "it is a medium, with no system that is installed on it"
        elif software is not None and software.unread:
            reason = software.unread[0]
        raise PackagesUnread(path, reason)
