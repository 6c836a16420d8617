"""The EFI system partition: which loaders it holds (UEFI specification 2.10, section 3.5)."""

from __future__ import annotations

import re

from diskwright._values import Struct
from diskwright.guest.pe import PeFile, read_pe, read_section
from diskwright.guest.reading import GuestReadError, NotThere
from diskwright.guest.tree import GuestTree

# Section 3.5.1.1: the file that firmware starts when nobody has told it another
FALLBACKS = {
    "x86_64": "BOOTX64.EFI",
    "i686": "BOOTIA32.EFI",
    "aarch64": "BOOTAA64.EFI",
    "armv7l": "BOOTARM.EFI",
    "riscv64": "BOOTRISCV64.EFI",
    "loongarch64": "BOOTLOONGARCH64.EFI",
}
MAX_FOLDERS = 100
MAX_SECONDS = 8
# What shim starts from its own folder, whatever it is
_SECOND = re.compile(r"grub[a-z0-9]*\.efi", re.IGNORECASE)
_SDMAGIC = b"#### LoaderInfo: systemd-boot "  # systemd, src/boot/efi/boot.c; the section's name too


class EspFacts(Struct, frozen=True):
    """Loaders are paths on the ESP; configurations are paths in `tree`, which holds the ESP alone.

    `starts`: something there is started by UEFI firmware (None: can't be told, and `reason` says
    why). `is_systemd_boot`: what firmware starts there is systemd-boot. `is_uki`: it is
    a unified kernel image. `architecture`: the guest's, where it is known.
    """

    tree: GuestTree | None = None
    mount_point: str | None = None
    starts: bool | None = False
    fallback: str | None = None
    loaders: tuple[str, ...] = ()
    grub_configs: tuple[str, ...] = ()
    syslinux_configs: tuple[str, ...] = ()
    is_systemd_boot: bool = False
    is_uki: bool = False
    architecture: str | None = None
    reason: str = ""


def read_esp(tree: GuestTree, mount_point: str, architecture: str | None) -> EspFacts:
    """Of the ESP that is mounted at `mount_point`. Names on it have no case."""
    try:
        return _read(tree, mount_point, architecture)
    except NotThere:
        return EspFacts(tree, mount_point)
    except GuestReadError as error:
        return EspFacts(tree, mount_point, starts=None, reason=str(error))


def _read(tree: GuestTree, mount_point: str, architecture: str | None) -> EspFacts:
    efi = next((n for n in tree.names(mount_point) if n.upper() == "EFI"), "")
    loaders: list[str] = []
    configs: list[str] = []
    syslinux: list[str] = []
    for folder in tree.names(f"{mount_point}/{efi}")[:MAX_FOLDERS] if efi else ():
        if not tree.is_dir(f"{mount_point}/{efi}/{folder}"):
            continue
        for name in tree.names(f"{mount_point}/{efi}/{folder}"):
            path = f"{efi}/{folder}/{name}"
            if name.upper().endswith(".EFI"):
                loaders.append(path)
            elif name.lower() == "grub.cfg":
                configs.append(f"{mount_point}/{path}")
            elif name.lower() == "syslinux.cfg":
                syslinux.append(f"{mount_point}/{path}")
    fallback = _fallback(loaders, architecture)
    pe = _pe(tree, f"{mount_point}/{fallback}") if fallback else None
    return EspFacts(
        tree=tree,
        mount_point=mount_point,
        starts=bool(loaders),
        fallback=fallback,
        architecture=architecture,
        is_systemd_boot=_is_systemd_boot(pe, fallback, loaders, tree, mount_point),
        is_uki=pe is not None and pe.section(".linux") is not None,
        loaders=tuple(loaders),
        grub_configs=tuple(configs),
        syslinux_configs=tuple(syslinux),
    )


def _fallback(loaders: list[str], architecture: str | None) -> str | None:
    """The one for `architecture`; where that is not known, any."""
    wanted = FALLBACKS.get(architecture or "")
    names = {wanted} if wanted else set(FALLBACKS.values())
    places = {f"EFI/BOOT/{name}" for name in names}
    return next((path for path in loaders if path.upper() in places), None)


def _pe(tree: GuestTree, path: str) -> PeFile | None:
    try:
        return read_pe(tree, path)
    except GuestReadError:
        return None


def _is_systemd_boot(
    pe: PeFile | None, fallback: str | None, loaders: list[str], tree: GuestTree, mount_point: str
) -> bool:
    """By what the fallback holds, or what a shim in its place starts; without one by its name,
    where no other loader is there."""
    if fallback is None:
        others = [path.lower() for path in loaders if "/linux/" not in path.lower()]
        return bool(others) and all("/systemd-boot" in path for path in others)
    folder = fallback.rpartition("/")[0]
    seconds = [path for path in loaders if _SECOND.fullmatch(path.removeprefix(f"{folder}/"))]
    return _has_magic(tree, pe) or any(
        _has_magic(tree, _pe(tree, f"{mount_point}/{path}")) for path in seconds[:MAX_SECONDS]
    )


def _has_magic(tree: GuestTree, pe: PeFile | None) -> bool:
    try:
        magic = read_section(tree, pe, ".sdmagic", 4096) if pe else None
    except GuestReadError:
        return False
    return magic is not None and magic.startswith(_SDMAGIC)
