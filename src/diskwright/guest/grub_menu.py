"""The menus of GRUB 2 and of GRUB legacy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from diskwright.guest.boot_entries import MAX_ENTRIES, bls_order, parse_bls, parse_legacy
from diskwright.guest.boot_menu import Menu, config_text
from diskwright.guest.boot_paths import BootPaths
from diskwright.guest.esp import EspFacts
from diskwright.guest.grub import GrubConfig, MenuItem, parse_grub, parse_grubenv, select
from diskwright.guest.grub_script import GrubScriptError
from diskwright.guest.reading import GuestReadError, NotThere, Unreadable
from diskwright.guest.tree import GuestTree
from diskwright.model.image import Problem

GRUB_CONFIGS = ("/boot/grub/grub.cfg", "/boot/grub2/grub.cfg")
LEGACY_CONFIGS = ("/boot/grub/menu.lst", "/boot/grub/grub.conf")
BLS_FOLDER = "/boot/loader/entries"


def grub_menu(tree: GuestTree, boot: GuestTree, path: str) -> Menu | None:
    """None too for a file on the ESP that only leads on. `boot` is where BLS entries are."""
    text = config_text(tree, path)
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
        return Menu("grub2", path, (*bls, *items), chosen)
    if items or path in GRUB_CONFIGS:
        return Menu("grub2", path, items, config.default_entry())
    return None


def legacy_menu(tree: GuestTree, path: str) -> Menu | None:
    text = config_text(tree, path)
    if text is None:
        return None
    legacy, default = parse_legacy(text)
    found = tuple((path, item) for item in legacy if item.kernel)
    return Menu("grub-legacy", path, found, select(legacy, default))


def stub_problems(paths: BootPaths, esp: EspFacts) -> Iterator[Problem]:
    """Configurations on the ESP that only lead on, and lead to a file system that is not here."""
    if esp.tree is None:
        return
    for path in esp.grub_configs:
        try:
            text = config_text(esp.tree, path)
            config = _parsed(text, {}, path) if text else GrubConfig()
        except GuestReadError as error:
            yield Problem("esp-config-unreadable", str(error))
            continue
        for device in config.searched if not config.items else ():
            if paths.device_on_disk(device) is False:
                yield Problem("esp-config-other-disk", f"{path} looks for {device}")


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
