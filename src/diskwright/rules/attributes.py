"""What the image service is told of the image when it imports the object, and where it is from."""

from __future__ import annotations

import re

from diskwright.model.attributes import ImportAttributes
from diskwright.model.guest import GuestFacts, Kernel
from diskwright.model.image import ImageFacts
from diskwright.model.profile import Minimum, Profile
from diskwright.model.text import printable
from diskwright.model.units import GIB, MIB, exact_size, round_up
from diskwright.rules.boot import ARCHITECTURES, boot_mode
from diskwright.rules.boot import architecture as machine

# The service's own spellings, as its manual lists them for x86; others are asked from the service
# (GET /v1/cloudimages/os_version), as a wrong one is refused and a missing one is detected.
_SPELLINGS = {
    ("debian", "12"): "Debian GNU/Linux 12.0.0 64bit",
    ("ubuntu", "22.04"): "Ubuntu 22.04 Server 64bit",
}
_MULTIQUEUE_KERNEL = (2, 6, 35)  # the same manual, "NIC multi-queue": KVM, and a kernel from there
_HI1822 = "hinic"  # Linux: drivers/net/ethernet/huawei/hinic
_ASSUMED = "nothing says otherwise"
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
    sources: dict[str, str] = {}
    disk = _disk(image, profile, sources)
    if data:
        sources |= dict.fromkeys(("os_type", "architecture", "boot_mode"), "what a data disk has")
        sources["min_memory_mib"] = "a data disk asks for none"
        return ImportAttributes(
            name, "Linux", None, "x86", "bios", disk, 0, data_disk=True, sources=sources
        )
    memory = _memory(profile, min_memory, minimum, sources)
    version = _spelling(facts, sources)
    architecture = _architecture(facts, sources)
    mode = _mode(facts, architecture, sources)
    queues, sriov = _queues(facts, sources), _sriov(facts, sources)
    kind = "Linux" if facts.windows is None else "Windows"
    sources["os_type"] = "what its root file system holds"
    return ImportAttributes(
        name,
        kind,
        version,
        architecture,
        mode,
        disk,
        memory,
        nic_multiqueue=queues,
        sriov=sriov,
        sources=sources,
    )


def _disk(image: ImageFacts, profile: Profile, sources: dict[str, str]) -> int:
    own = round_up(image.virtual_size, GIB)
    if own >= profile.disk_minimum:
        sources["min_disk_gib"] = f"the disk's {exact_size(image.virtual_size)}, in whole GiB"
    else:
        sources["min_disk_gib"] = f"the service's least: {profile.sources['disk_minimum']}"
    return max(own, profile.disk_minimum) // GIB


def _memory(
    profile: Profile, asked: int | None, minimum: Minimum | None, sources: dict[str, str]
) -> int:
    if asked is not None:
        sources["min_memory_mib"] = "as asked for (--min-memory)"
        return round_up(asked, MIB) // MIB
    if minimum is not None and minimum.memory_bytes > profile.memory_minimum:
        sources["min_memory_mib"] = f"least of {minimum.os}: {minimum.source}"
        return round_up(minimum.memory_bytes, MIB) // MIB
    sources["min_memory_mib"] = f"the service's least: {profile.sources['memory_minimum']}"
    return round_up(profile.memory_minimum, MIB) // MIB


def _spelling(guest: GuestFacts, sources: dict[str, str]) -> str | None:
    os, found = guest.os, None
    if os is not None and machine(guest) == "x86_64":
        windows = _WINDOWS.match(os.name or "") if guest.windows is not None else None
        found = f"{windows[0]} 64bit" if windows else _SPELLINGS.get((os.id, os.version_id or ""))
    if found is not None and os is not None:
        where = "os-release" if guest.windows is None else "the registry"
        name = f"{os.id} {os.version_id}" if guest.windows is None else str(os.name)
        said = f"{where} says {printable(name)}; spelled as in the service's manual"
        sources["os_version"] = said
    else:
        sources["os_version"] = "its spelling is not known here: the service detects the system"
    return found


def _architecture(guest: GuestFacts, sources: dict[str, str]) -> str:
    found = machine(guest)
    sources["architecture"] = f"its programs are for {found}" if found else _ASSUMED
    return ARCHITECTURES.get(found or "", "x86")


def _mode(guest: GuestFacts, architecture: str, sources: dict[str, str]) -> str:
    if architecture == "arm":
        sources["boot_mode"] = "an Arm server starts by UEFI only"
        return "uefi"
    found = boot_mode(guest)
    sources["boot_mode"] = "what starts it was found on the disk" if found else _ASSUMED
    return found or "bios"


def _default_kernel(guest: GuestFacts) -> Kernel | None:
    return next((kernel for kernel in guest.kernels or () if kernel.default), None)


def _drivers(kernel: Kernel) -> set[str]:
    inside = kernel.initramfs.modules if kernel.initramfs else ()
    return {*inside, *(kernel.builtin or ()), *(kernel.modules or ())}


def _queues(guest: GuestFacts, sources: dict[str, str]) -> bool | None:
    kernel = _default_kernel(guest)
    numbers = re.match(r"(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?", kernel.version) if kernel else None
    if kernel is None or numbers is None or "virtio_net" not in _drivers(kernel):
        sources["nic_multiqueue"] = "whether its virtio_net takes several queues is not known"
        return None
    version = tuple(int(part or 0) for part in numbers.groups())
    sources["nic_multiqueue"] = f"kernel {kernel.version} with virtio_net"
    return version >= _MULTIQUEUE_KERNEL


def _sriov(guest: GuestFacts, sources: dict[str, str]) -> bool | None:
    kernel = _default_kernel(guest)
    if kernel is not None and _HI1822 in _drivers(kernel):
        sources["sriov"] = f"kernel {kernel.version} with {_HI1822}"
        return True
    if kernel is not None and kernel.modules is not None and kernel.builtin is not None:
        sources["sriov"] = f"kernel {kernel.version} without {_HI1822}"
        return False
    sources["sriov"] = f"which drivers its kernel has is not known ({_HI1822} is wanted)"
    return None
