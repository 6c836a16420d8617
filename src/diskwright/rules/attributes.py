"""What the image service is told of the image when it imports the object."""

from __future__ import annotations

import re

from diskwright.model.attributes import ImportAttributes
from diskwright.model.guest import GuestFacts, OsRelease
from diskwright.model.image import ImageFacts
from diskwright.model.profile import Minimum, Profile
from diskwright.model.units import GIB, MIB, round_up
from diskwright.rules.boot import ARCHITECTURES, boot_mode
from diskwright.rules.boot import architecture as machine

# The service's own spellings, as its manual lists them for x86; others are asked from the service
# (GET /v1/cloudimages/os_version), as a wrong one is refused and a missing one is detected.
_SPELLINGS = {
    ("debian", "12"): "Debian GNU/Linux 12.0.0 64bit",
    ("ubuntu", "22.04"): "Ubuntu 22.04 Server 64bit",
}
_WINDOWS = re.compile(
    r"Windows (?:10(?= |$)|Server (?:2012 R2|2012|2016|2019|2022) (?:Standard|Datacenter)$)"
)


def import_attributes(
    name: str,
    image: ImageFacts,
    guest: GuestFacts | None,
    profile: Profile,
    *,
    data: bool = False,
    min_memory: int | None = None,
    minimum: Minimum | None = None,
) -> ImportAttributes:
    """Of a disk that passed its rules. `min_memory` in bytes.

    The disk is the next whole GiB, and never below the profile's least one. The memory is what was
    asked for, otherwise the larger of the profile's and the system's least; 0 for a data disk.
    """
    facts = guest or GuestFacts()
    disk = max(round_up(image.virtual_size, GIB), profile.disk_minimum) // GIB
    if data:
        return ImportAttributes(name, "Linux", None, "x86", "bios", disk, 0, data_disk=True)
    least = max(profile.memory_minimum, minimum.memory_bytes if minimum else 0)
    memory = round_up(least if min_memory is None else min_memory, MIB) // MIB
    architecture = ARCHITECTURES.get(machine(facts) or "", "x86")
    mode = "uefi" if architecture == "arm" else boot_mode(facts) or "bios"
    kind = "Linux" if facts.windows is None else "Windows"
    return ImportAttributes(
        name, kind, _spelling(facts.os, machine(facts)), architecture, mode, disk, memory
    )


def _spelling(os: OsRelease | None, architecture: str | None) -> str | None:
    if os is None or architecture != "x86_64":
        return None
    if os.id.startswith("windows"):
        spelled = _WINDOWS.match(os.name or "")
        return f"{spelled[0]} 64bit" if spelled else None
    return _SPELLINGS.get((os.id, os.version_id or ""))
