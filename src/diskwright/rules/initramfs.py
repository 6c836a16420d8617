"""The initramfs: whole, and with the drivers of the cloud's disks."""

from __future__ import annotations

from diskwright.model.finding import Result
from diskwright.model.guest import Initramfs, InitramfsState, Kernel, Section
from diskwright.rules import sources
from diskwright.rules.loaders import of_started
from diskwright.rules.rebuild import rebuild
from diskwright.rules.rule import Case, Outcome, Rule, breaks, holds, skip, unread, unread_section

# A network driver can be loaded later, from the root file system.
_AFTER_ROOT = frozenset({"virtio_net", "ena"})


def started(case: Case) -> tuple[Kernel, ...]:
    """The default kernels, or all of them where no default is known."""
    kernels = case.guest.kernels or ()
    return tuple(k for k in kernels if k.default) or kernels


def _whole(case: Case) -> Outcome:
    if not started(case):
        return unread_section(case, Section.KERNELS, "the kernels")
    found = [k.initramfs for k in started(case) if k.initramfs]
    corrupt = [i for i in found if i.state is InitramfsState.CORRUPT]
    if corrupt:
        return breaks(
            "the initramfs is damaged", (f"{i.path}: {i.detail}" for i in corrupt), rebuild(case)
        )
    unseen = [i for i in found if i.state is InitramfsState.UNREAD]
    if unseen:
        return unread("the initramfs could not be read", map(_said, unseen))
    if all(i.state is InitramfsState.MISSING for i in found):
        return skip("there is no initramfs")
    return holds("the initramfs is whole", (i.path for i in found))


def _said(initramfs: Initramfs) -> str:
    return f"{initramfs.path}: {initramfs.detail or initramfs.state}"


def _drivers(case: Case) -> Outcome:
    kernels = started(case)
    if not kernels:
        return unread_section(case, Section.KERNELS, "the kernels")
    if not case.profile.boot_modules:
        return skip("this target asks for none")
    lacking: dict[str, list[str]] = {}
    open_reasons: list[str] = []
    for kernel in kernels:
        missing = [m for m in case.profile.boot_modules if m not in _held(kernel)]
        if not missing:
            continue
        if reason := _not_told(kernel):
            open_reasons.append(f"{kernel.version}: {reason}")
        else:
            lacking[kernel.version] = missing
    if lacking:
        names = sorted({name for missing in lacking.values() for name in missing})
        return breaks(
            f"the initramfs lacks {', '.join(names)}",
            (f"kernel {version}: no {', '.join(m)}" for version, m in lacking.items()),
            rebuild(case, names),
            result=Result.WARN if set(names) <= _AFTER_ROOT else None,
        )
    if open_reasons:
        return unread(
            "whether the drivers of the server's disk are there can't be told", open_reasons
        )
    return holds(f"{', '.join(case.profile.boot_modules)}: in the initramfs or in the kernel")


def _held(kernel: Kernel) -> set[str]:
    held = set(kernel.builtin or ())
    if kernel.initramfs is not None and kernel.initramfs.state is InitramfsState.READ:
        held.update(kernel.initramfs.modules)
    return held


def _not_told(kernel: Kernel) -> str:
    """Why a driver that was not seen may be there all the same."""
    if kernel.initramfs is None:
        return "no initramfs is known for it"
    if kernel.initramfs.state is not InitramfsState.READ:
        return _said(kernel.initramfs)
    if kernel.builtin is None:
        return "no /boot/config of it was read: drivers may be built in"
    return ""


RULES = (
    Rule(
        "boot.initramfs-corrupt",
        "The initramfs is whole",
        "A kernel that can't unpack its initramfs panics.",
        sources.DRIVERS,
        of_started(_whole),
        remedy=rebuild,
    ),
    Rule(
        "boot.initramfs-no-virtio",
        "The initramfs has the drivers of the server's disk and network",
        "The server's disk and network are virtual devices (virtio on KVM, VMBus on Hyper-V): "
        "without a driver the kernel finds no root. A driver built into the kernel counts.",
        sources.DRIVERS,
        of_started(_drivers),
        remedy=lambda case: rebuild(case, case.profile.boot_modules),
    ),
)
