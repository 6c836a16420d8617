"""What starts the guest: loaders for BIOS and UEFI, and the entries of their configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from diskwright.guest.boot_entries import (
    MAX_ENTRIES,
    bls_order,
    parse_bls,
    parse_legacy,
)
from diskwright.guest.boot_paths import BootPaths
from diskwright.guest.devices import name_device
from diskwright.guest.esp import EspFacts
from diskwright.guest.grub import GrubConfig, MenuItem, parse_grub, parse_grubenv, select
from diskwright.guest.grub_script import GrubScriptError
from diskwright.guest.reading import GuestReadError, NotThere, Unreadable
from diskwright.guest.tree import GuestTree
from diskwright.model.guest import BootEntry, Bootloader, PartitionTable
from diskwright.model.image import Problem
from diskwright.model.location import Location

GRUB_CONFIGS = ("/boot/grub/grub.cfg", "/boot/grub2/grub.cfg")
LEGACY_CONFIGS = ("/boot/grub/menu.lst", "/boot/grub/grub.conf")
GRUB_FOLDERS = ("/boot/grub", "/boot/grub2")
BLS_FOLDER = "/boot/loader/entries"
MAX_CONFIG = 1 << 20


@dataclass(frozen=True, slots=True)
class _Menu:
    """A configuration that was read: which items, by which line of which file."""

    name: str
    config: str
    items: tuple[tuple[str, MenuItem], ...]  # (file, item)
    default: MenuItem | None


def read_bootloader(
    tree: GuestTree, paths: BootPaths, table: PartitionTable | None, esp: EspFacts
) -> tuple[Bootloader, str]:
    """What was found, and why a configuration could not be read (mostly empty)."""
    menu, reason = _first_menu(tree, esp)
    bios = _bios(table)
    return (
        Bootloader(
            name=menu.name if menu else _guess_name(tree, esp, bios),
            bios=bios,
            uefi=esp.starts,
            esp_fallback=esp.fallback,
            esp_loaders=esp.loaders,
            config=menu.config if menu else None,
            entries=_entries(menu, paths) if menu else (),
            problems=tuple(_stub_problems(paths, esp)),
        ),
        reason,
    )


def _first_menu(tree: GuestTree, esp: EspFacts) -> tuple[_Menu | None, str]:
    """The configuration that a boot would meet first, and why one before it can't be read."""
    reason = ""
    ways: list[Callable[[], _Menu | None]] = [
        *(partial(_grub_menu, tree, tree, path) for path in GRUB_CONFIGS),
        *(partial(_grub_menu, esp.tree or tree, tree, path) for path in esp.grub_configs),
        partial(_systemd_menu, esp),
        *(partial(_legacy_menu, tree, path) for path in LEGACY_CONFIGS),
    ]
    for way in ways:
        try:
            menu = way()
        except GuestReadError as error:
            reason = reason or str(error)
            continue
        if menu:
            return menu, reason
    return None, reason


def _bios(table: PartitionTable | None) -> bool | None:
    if table is None:
        return None
    return False if not table.boot_code else table.bios_core


def _grub_menu(tree: GuestTree, boot: GuestTree, path: str) -> _Menu | None:
    """None too for a file on the ESP that only leads on. `boot` is where BLS entries are."""
    text = _text(tree, path)
    if text is None:
        return None
    environment = _environment(tree, path)
    config = _parsed(text, environment, path)
    items = tuple((path, item) for item in config.entries())
    if config.uses_bls:
        variables = {**environment, **config.variables}
        device = variables.get("boot", variables.get("root", ""))
        bls = _bls(boot, BLS_FOLDER, device, variables)
        chosen = _named(bls, config.default) or config.default_entry()
        return _Menu("grub2", path, (*bls, *items), chosen)
    if items or path in GRUB_CONFIGS:
        return _Menu("grub2", path, items, config.default_entry())
    return None


def _systemd_menu(esp: EspFacts) -> _Menu | None:
    if esp.tree is None:
        return None
    loader = f"{esp.mount_point}/loader"
    bls = _bls(esp.tree, f"{loader}/entries", "esp", {})
    if not bls:
        return None
    wanted = _loader_default(_text(esp.tree, f"{loader}/loader.conf") or "")
    return _Menu("systemd-boot", f"{loader}/loader.conf", bls, _named(bls, wanted))


def _legacy_menu(tree: GuestTree, path: str) -> _Menu | None:
    text = _text(tree, path)
    if text is None:
        return None
    legacy, default = parse_legacy(text)
    found = tuple((path, item) for item in legacy if item.kernel)
    return _Menu("grub-legacy", path, found, select(legacy, default))


def _stub_problems(paths: BootPaths, esp: EspFacts) -> Iterator[Problem]:
    """Configurations on the ESP that only lead on, and lead to a file system that is not here."""
    if esp.tree is None:
        return
    for path in esp.grub_configs:
        try:
            text = _text(esp.tree, path)
            config = _parsed(text, {}, path) if text else GrubConfig()
        except GuestReadError as error:
            yield Problem("esp-config-unreadable", str(error))
            continue
        for device in config.searched if not config.items else ():
            if paths.device_on_disk(device) is False:
                yield Problem("esp-config-other-disk", f"{path} looks for {device}")


def _text(tree: GuestTree, path: str) -> str | None:
    try:
        return tree.read_text(path, MAX_CONFIG)
    except NotThere:
        return None


def _parsed(text: str, environment: Mapping[str, str], path: str) -> GrubConfig:
    try:
        return parse_grub(text, environment)
    except GrubScriptError as error:
        raise Unreadable("damaged", str(error), path=path) from error


def _environment(tree: GuestTree, config: str) -> dict[str, str]:
    """Of the grubenv beside the configuration; one that can't be read sets nothing."""
    try:
        return parse_grubenv(tree.read_text(f"{config.rpartition('/')[0]}/grubenv", 64 << 10))
    except GuestReadError:
        return {}


def _bls(
    tree: GuestTree, folder: str, device: str, variables: Mapping[str, str]
) -> tuple[tuple[str, MenuItem], ...]:
    """The entries of a folder, newest first."""
    try:
        names = [n for n in tree.names(folder, MAX_ENTRIES) if n.endswith(".conf")]
    except NotThere:
        return ()
    found = []
    for name in sorted(names, key=bls_order, reverse=True):
        path = f"{folder}/{name}"
        item = parse_bls(tree.read_text(path, 16 << 10), name[:-5], device, variables)
        if item:
            found.append((path, item))
    return tuple(found)


def _named(bls: tuple[tuple[str, MenuItem], ...], name: str) -> MenuItem | None:
    """By id or title, by number, else the first."""
    items = [item for _, item in bls]
    return select(items, name.removesuffix(".conf")) if items else None


def _loader_default(text: str) -> str:
    words = [line.split() for line in text.splitlines()]
    return next((w[1] for w in words if len(w) > 1 and w[0] == "default"), "")


def _entries(menu: _Menu, paths: BootPaths) -> tuple[BootEntry, ...]:
    found = []
    for path, item in menu.items[:MAX_ENTRIES]:
        if item.kernel is None:
            continue
        kernel, kernel_exists = paths.resolve(item.kernel)
        initrds = [paths.resolve(initrd) for initrd in item.initrds]
        root = _root_of(item.arguments)
        found.append(
            BootEntry(
                location=Location(path, item.line),
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
            )
        )
    return tuple(found)


def _all(answers: list[bool | None]) -> bool | None:
    if False in answers:
        return False
    return None if None in answers else True


def _root_of(command_line: str) -> str | None:
    """The last root= counts, as for the kernel."""
    roots = [w.removeprefix("root=") for w in command_line.split() if w.startswith("root=")]
    return roots[-1].strip("\"'") if roots else None


def _guess_name(tree: GuestTree, esp: EspFacts, bios: bool | None) -> str | None:
    """Without a configuration: by what lies around."""
    loaders = " ".join(esp.loaders).lower()
    if "systemd-boot" in loaders:
        return "systemd-boot"
    try:
        if bios or "grub" in loaders or any(tree.is_dir(folder) for folder in GRUB_FOLDERS):
            return "grub2"
    except GuestReadError:
        return None
    return None
