"""What starts the guest: loaders for BIOS and UEFI, and the entries of their configuration."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from diskwright.guest.boot_entries import MAX_ENTRIES
from diskwright.guest.boot_menu import Menu
from diskwright.guest.boot_paths import BootPaths
from diskwright.guest.devices import name_device
from diskwright.guest.esp import EspFacts
from diskwright.guest.grub_menu import (
    GRUB_CONFIGS,
    LEGACY_CONFIGS,
    grub_menu,
    legacy_menu,
    stub_problems,
)
from diskwright.guest.reading import GuestReadError
from diskwright.guest.syslinux import has_core, syslinux_menu
from diskwright.guest.systemd_boot import systemd_menu
from diskwright.guest.tree import GuestTree
from diskwright.guest.uki import uki_menu
from diskwright.model.guest import BootEntry, Bootloader
from diskwright.model.location import Location
from diskwright.model.partitions import PartitionTable

MAX_CONSOLES = 16
GRUB_FOLDERS = ("/boot/grub", "/boot/grub2")


def read_bootloader(
    tree: GuestTree, paths: BootPaths, table: PartitionTable | None, esp: EspFacts
) -> tuple[Bootloader, str]:
    """What was found, and why a configuration could not be read (mostly empty)."""
    bios = _bios(tree, table)
    menu, reason = _first_menu(_ways(tree, paths, table, esp))
    entries = _entries(menu, paths) if menu else ()
    reads_grub = bios or not (esp.is_systemd_boot or esp.is_uki)
    return (
        Bootloader(
            name=menu.name if menu else _guess_name(tree, esp, bios),
            bios=bios,
            uefi=esp.starts,
            esp_fallback=esp.fallback,
            esp_loaders=esp.loaders,
            config=menu.config if menu else None,
            entries=entries,
            problems=tuple(stub_problems(paths, esp)) if reads_grub else (),
            starts_other=_other(menu, entries) if menu else None,
        ),
        reason,
    )


_Way = Callable[[], Menu | None]


def _ways(
    tree: GuestTree, paths: BootPaths, table: PartitionTable | None, esp: EspFacts
) -> list[_Way]:
    """The menus that a boot may meet, likeliest first."""
    bios = _bios(tree, table)
    syslinux = partial(syslinux_menu, paths, esp)
    systemd = partial(systemd_menu, esp, paths)
    if esp.is_systemd_boot and not bios:
        return [systemd]  # it reads no configuration of GRUB, left from before or not
    unified = partial(uki_menu, esp.tree or tree, esp.mount_point or "", esp.loaders)
    if esp.is_uki and not bios:
        return [partial(uki_menu, esp.tree or tree, esp.mount_point or "", [esp.fallback or ""])]
    first = [syslinux] if bios and table is not None and table.bios_core is None else []
    return [
        *first,
        *(partial(grub_menu, tree, tree, path) for path in GRUB_CONFIGS),
        *(partial(grub_menu, esp.tree or tree, tree, path) for path in esp.grub_configs),
        systemd,
        *(partial(legacy_menu, tree, path) for path in LEGACY_CONFIGS),
        syslinux,
        unified,
    ]


def _first_menu(ways: list[_Way]) -> tuple[Menu | None, str]:
    """The configuration that a boot would meet first, and why one before it can't be read."""
    reason = ""
    for way in ways:
        try:
            menu = way()
        except GuestReadError as error:
            reason = reason or str(error)
            continue
        if menu:
            return menu, reason or menu.unread
    return None, reason


def _bios(tree: GuestTree, table: PartitionTable | None) -> bool | None:
    """Code that is not GRUB's starts the active partition; if SYSLINUX is on it, that starts."""
    if table is None:
        return None
    if table.boot_code and table.bios_core is None and has_core(tree):
        return True
    return table.bios_core if table.boot_code else False


def _entries(menu: Menu, paths: BootPaths) -> tuple[BootEntry, ...]:
    found = []
    for path, item in menu.items[:MAX_ENTRIES]:
        if item.kernel is None:
            continue
        kernel, kernel_exists = paths.resolve(item.kernel)
        initrds = [paths.resolve(initrd) for initrd in item.initrds]
        root = _last(item.arguments, "root")
        resume = _resume_of(item.arguments)
        found.append(
            BootEntry(
                location=Location(path, item.line or None),
                title=item.title,
                kernel=kernel,
                kernel_exists=kernel_exists,
                initrds=tuple(initrd for initrd, _ in initrds),
                initrds_exist=_all([exists for _, exists in initrds]) if initrds else None,
                command_line=item.arguments,
                root=root,
                root_named_by=name_device(root) if root else None,
                root_on_disk=paths.disk.has(root) if root else None,
                default=item is menu.default,
                version=item.version,
                resume=resume,
                resume_by=name_device(resume) if resume else None,
                resume_on_disk=paths.disk.has(resume) if resume else None,
                consoles=tuple(_values(item.arguments, "console")[:MAX_CONSOLES]),
            )
        )
    return tuple(found)


def _other(menu: Menu, entries: tuple[BootEntry, ...]) -> str | None:
    """What is started besides `entries`: a menu may chain to another loader, or to a program."""
    if menu.waits:
        return ""
    if menu.default is None or any(entry.default for entry in entries):
        return None
    return menu.default.title or menu.default.id or "an entry without a name"


def _all(answers: list[bool | None]) -> bool | None:
    if False in answers:
        return False
    return None if None in answers else True


def _values(command_line: str, key: str) -> list[str]:
    words = (word.partition("=") for word in command_line.split())
    return [value.strip("\"'") for name, equals, value in words if equals and name == key]


def _last(command_line: str, key: str) -> str | None:
    """The last one counts, as for the kernel."""
    values = _values(command_line, key)
    return values[-1] if values else None


def _resume_of(command_line: str) -> str | None:
    """None too where the command line says not to."""
    if "noresume" in command_line.split():
        return None
    named = _last(command_line, "resume")
    return None if named in ("", "none") else named


def _guess_name(tree: GuestTree, esp: EspFacts, bios: bool | None) -> str | None:
    """Without a configuration: by what lies around."""
    loaders = " ".join(esp.loaders).lower()
    if esp.is_systemd_boot or "systemd-boot" in loaders:
        return "systemd-boot"
    if has_core(tree) and bios is not False:
        return "extlinux"
    try:
        if bios or "grub" in loaders or any(tree.is_dir(folder) for folder in GRUB_FOLDERS):
            return "grub2"
    except GuestReadError:
        return None
    return None
