"""What to do, by boot loader: GRUB's tools, and what others have instead of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from diskwright._values import replace
from diskwright.model.finding import Result
from diskwright.model.guest import BootEntry, default_entry
from diskwright.model.text import printable
from diskwright.rules.rule import (
    Case,
    Outcome,
    State,
    commands,
    family,
    quoted,
    root_filesystem,
    unread,
)

# Names as the facts have them
SYSTEMD_BOOT, UKI, EXTLINUX = "systemd-boot", "uki", "extlinux"

_PLAIN = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+~-]*")
# As the names of its packages have them
_DEBIAN_MACHINES = {"aarch64": "arm64", "riscv64": "riscv64", "loongarch64": "loong64"}
UNKNOWN_UUID = "UUID-AS-BLKID-SAYS"


def name(case: Case) -> str:
    """Of the guest's boot loader; empty where it is not known."""
    loader = case.guest.bootloader
    return (loader.name if loader else None) or ""


def by_loader(
    case: Case,
    grub: Iterable[str],
    *,
    systemd: Iterable[str] = (),
    uki: Iterable[str] = (),
    extlinux: Iterable[str] = (),
) -> tuple[str, ...]:
    """The lines for this guest's loader; GRUB's, and all others under a comment, where no guest
    was read."""
    others = {SYSTEMD_BOOT: tuple(systemd), UKI: tuple(uki), EXTLINUX: tuple(extlinux)}
    if case.guest.bootloader is None:
        given = ((title, lines) for title, lines in others.items() if lines)
        return (*grub, *(line for title, lines in given for line in (f"# {title}:", *lines)))
    return others.get(name(case)) or tuple(grub)


def started(case: Case) -> list[BootEntry]:
    """The entry that is started when nobody chooses; none where that is something else."""
    loader = case.guest.bootloader
    if loader is None or loader.starts_other is not None:
        return []
    chosen = default_entry(loader.entries)
    return [] if chosen is None else [chosen]


def milder(case: Case, found: Iterable[BootEntry]) -> Result | None:
    """An entry that is not started by itself harms only who chooses it."""
    return None if any(entry in started(case) for entry in found) else Result.WARN


def of_started(check: Callable[[Case], Outcome]) -> Callable[[Case], Outcome]:
    """A check of what the menu starts: nothing is sure where that is none of the entries."""

    def judged(case: Case) -> Outcome:
        outcome = check(case)
        loader = case.guest.bootloader
        if loader is None or loader.starts_other is None:
            return outcome
        if outcome.state is State.BREAKS:
            return replace(outcome, result=Result.WARN)
        if outcome.state is not State.HOLDS:
            return outcome
        other = printable(loader.starts_other)
        does = f"starts {other}, which is not judged" if other else "waits and starts nothing"
        return unread(f"the boot loader {does}", (loader.config,) if loader.config else ())

    return judged


def add_kernel(case: Case) -> str:
    """kernel-install(8) for the kernel that is started."""
    default = next((k.version for k in case.guest.kernels or () if k.default), "")
    version = default if _PLAIN.fullmatch(default) else "VERSION"
    folder = "/boot/vmlinuz-{}" if family(case) == "debian" else "/usr/lib/modules/{}/vmlinuz"
    return f"kernel-install add {version} {folder.format(version)}"


def reinstall(case: Case) -> tuple[str, ...]:
    """The kernel's package, and the loader's entry of it."""
    packages = {
        "debian": f"apt-get install --reinstall {_debian_kernel(case)}",
        "rhel": "dnf reinstall kernel-core",
        "suse": "zypper install --force kernel-default",
        "arch": "pacman -S linux",
        "alpine": "apk fix linux-lts",
    }

    def lines(**after: str) -> tuple[str, ...]:
        said = {name: (line, *filter(None, [after.get(name)])) for name, line in packages.items()}
        return commands(case, **said)

    added = (*lines(), add_kernel(case))
    return by_loader(
        case,
        lines(debian="update-grub"),
        systemd=added,
        uki=added,
        extlinux=(*lines(), *write_extlinux()),
    )


def _debian_kernel(case: Case) -> str:
    system = case.guest.os
    if system is not None and "ubuntu" in (system.id, *system.like):
        return "linux-image-generic"
    machine = case.guest.architecture or (system.architecture if system else None)
    return f"linux-image-{_DEBIAN_MACHINES.get(machine or '', 'amd64')}"


def write_extlinux() -> tuple[str, ...]:
    return ("update-extlinux   # Alpine; elsewhere by hand: extlinux.conf",)


def set_root(case: Case, grub: Iterable[str]) -> tuple[str, ...]:
    """root=UUID=… on the kernel's command line."""
    root = root_filesystem(case.guest)
    known = (root.uuid if root else None) or ""
    uuid = known if _PLAIN.fullmatch(known) else UNKNOWN_UUID
    return edit_line(case, f"s|root=[^ ]*|root=UUID={uuid}|", grub)


def edit_line(case: Case, script: str, grub: Iterable[str]) -> tuple[str, ...]:
    """The kernel's command line, changed by a script of sed; GRUB's has tools of its own."""
    entry = _default(case)
    change = f"sed -i '{script}'"
    file = quoted(entry.location.file) if entry else "FILE"
    image = (f"{change} /etc/kernel/cmdline", *make_image(case))
    text = (f"{change} {file}", f"{change} /etc/kernel/cmdline   # for the next kernel")
    return by_loader(
        case,
        grub,
        systemd=image if starts_image(case) else text,
        uki=image,
        extlinux=(f"{change} {file}", f"{change} /etc/update-extlinux.conf   # Alpine"),
    )


def starts_image(case: Case) -> bool:
    """Whether what is started is a unified kernel image, which no editor can change."""
    entry = _default(case)
    return entry is not None and entry.location.file.lower().endswith(".efi")


def with_image(case: Case, rebuilt: tuple[str, ...]) -> tuple[str, ...]:
    """`rebuilt` made the initramfs anew: so is the unified kernel image that holds it."""
    if case.guest.bootloader is None:
        return (*rebuilt, f"# uki: the same, and then the image anew: {add_kernel(case)}")
    image = (*rebuilt, *make_image(case))
    return by_loader(case, rebuilt, systemd=image if starts_image(case) else (), uki=image)


def make_image(case: Case) -> tuple[str, ...]:
    """The unified kernel image anew, where firmware itself starts it there too."""
    if name(case) != UKI:
        return (add_kernel(case),)
    return (add_kernel(case), "# and copy the new image to EFI/BOOT on the EFI system partition")


def _default(case: Case) -> BootEntry | None:
    """Where something else is started, the first stands for what to edit."""
    loader = case.guest.bootloader
    return next(iter(started(case) or (loader.entries if loader else ())), None)
