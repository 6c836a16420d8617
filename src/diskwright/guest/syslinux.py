"""The menu of SYSLINUX and EXTLINUX, and what starts it by BIOS."""

from __future__ import annotations

from diskwright.guest.boot_menu import MAX_CONFIG, Menu, config_text
from diskwright.guest.boot_paths import BootPaths, below
from diskwright.guest.esp import EspFacts
from diskwright.guest.grub import GrubPath, MenuItem
from diskwright.guest.reading import GuestReadError, NotThere
from diskwright.guest.syslinux_config import Label, parse_syslinux
from diskwright.guest.tree import GuestTree

FOLDERS = (
    "/boot/extlinux",
    "/boot/syslinux",
    "/boot",
    "/extlinux",
    "/syslinux",
    "",
)
NAMES = ("extlinux.conf", "syslinux.cfg")
CORE = "ldlinux.sys"


def has_core(tree: GuestTree) -> bool:
    """Whether the second stage is in one of the usual folders."""
    for folder in FOLDERS:
        try:
            if tree.is_file(f"{folder}/{CORE}"):
                return True
        except GuestReadError:
            continue
    return False


def syslinux_menu(paths: BootPaths, esp: EspFacts) -> Menu | None:
    """Of the first configuration that is there, on the ESP last."""
    places: list[tuple[GuestTree, str]] = [
        (paths.tree, f"{folder}/{name}") for folder in FOLDERS for name in NAMES
    ]
    if esp.tree is not None:
        places += [(esp.tree, path) for path in esp.syslinux_configs]
    for tree, path in places:
        text = config_text(tree, path)
        if text is not None:
            return _menu(tree, paths, path, text)
    return None


def _menu(tree: GuestTree, paths: BootPaths, path: str, text: str) -> Menu:
    folder = path.rpartition("/")[0]
    mount_point = paths.mount_above(path)

    def include(name: str) -> tuple[str, str] | None:
        inner = _below(mount_point, folder, name)
        where = mount_point.rstrip("/") + inner.path
        try:
            return tree.read_text(where, MAX_CONFIG), where
        except NotThere:
            return None

    config = parse_syslinux(text, path, include)
    items = [_item(label, mount_point, folder) for label in config.labels]
    chosen = config.default_label()
    default = next(
        (i for i, label in zip(items, config.labels, strict=True) if label is chosen), None
    )
    files = [label.file for label in config.labels]
    return Menu("extlinux", path, tuple(zip(files, items, strict=True)), default, config.waits)


def _item(label: Label, mount_point: str, folder: str) -> MenuItem:
    return MenuItem(
        title=label.title,
        id=label.name,
        line=label.line,
        kernel=_below(mount_point, folder, label.kernel) if label.kernel else None,
        arguments=label.append or "",
        initrds=[_below(mount_point, folder, path) for path in label.loads],
    )


def _below(mount_point: str, folder: str, name: str) -> GrubPath:
    """Names are from the configuration's folder, or with a slash from its file system's root."""
    name = name.removeprefix("::").replace("\\", "/")
    if not name.startswith("/"):
        name = f"{folder.removeprefix(mount_point.rstrip('/'))}/{name}"
    return below(mount_point, name)
