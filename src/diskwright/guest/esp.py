"""The EFI system partition: which loaders it holds (UEFI specification 2.10, section 3.5)."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class EspFacts:
    """Loaders are paths on the ESP; `grub_configs` paths in `tree`, which holds the ESP alone.

    `starts`: something there is started by UEFI firmware (None: can't be told, and `reason` says
    why).
    """

    tree: GuestTree | None = None
    mount_point: str | None = None
    starts: bool | None = False
    fallback: str | None = None
    loaders: tuple[str, ...] = ()
    grub_configs: tuple[str, ...] = ()
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
    for folder in tree.names(f"{mount_point}/{efi}")[:MAX_FOLDERS] if efi else ():
        if not tree.is_dir(f"{mount_point}/{efi}/{folder}"):
            continue
        for name in tree.names(f"{mount_point}/{efi}/{folder}"):
            path = f"{efi}/{folder}/{name}"
            if name.upper().endswith(".EFI"):
                loaders.append(path)
            elif name.lower() == "grub.cfg":
                configs.append(f"{mount_point}/{path}")
    return EspFacts(
        tree=tree,
        mount_point=mount_point,
        starts=bool(loaders),
        fallback=_fallback(loaders, architecture),
        loaders=tuple(loaders),
        grub_configs=tuple(configs),
    )


def _fallback(loaders: list[str], architecture: str | None) -> str | None:
    """The one for `architecture`; where that is not known, any."""
    wanted = FALLBACKS.get(architecture or "")
    names = {wanted} if wanted else set(FALLBACKS.values())
    places = {f"EFI/BOOT/{name}" for name in names}
    return next((path for path in loaders if path.upper() in places), None)
