"""The menu of systemd-boot: loader.conf(5); on the ESP and on XBOOTLDR, entries and unified kernel
images."""

from __future__ import annotations

from collections.abc import Iterator

from diskwright._values import Struct, replace
from diskwright.guest.bls import BlsEntry, fields, menu_order, parse_entry
from diskwright.guest.boot_entries import MAX_ENTRIES
from diskwright.guest.boot_menu import Menu, config_text
from diskwright.guest.boot_paths import BootPaths, below
from diskwright.guest.esp import EspFacts
from diskwright.guest.globbing import matcher
from diskwright.guest.grub import MenuItem
from diskwright.guest.reading import GuestReadError, NotThere, Unreadable
from diskwright.guest.tree import GuestTree
from diskwright.guest.uki import read_uki

MAX_ENTRY = 64 << 10

# Architectures as uname -m spells them, by UEFI's names
_ARCHITECTURES = {
    "x64": "x86_64",
    "ia32": "i686",
    "aa64": "aarch64",
    "arm": "armv7l",
    "riscv64": "riscv64",
    "loongarch64": "loongarch64",
}


class _Found(Struct, frozen=True):
    """An entry, its file, and where in the guest the file system that it is on is mounted."""

    entry: BlsEntry
    file: str
    mount_point: str
    release: str = ""  # the kernel's version, of a unified kernel image


def systemd_menu(esp: EspFacts, paths: BootPaths) -> Menu | None:
    """None where there are no entries. XBOOTLDR counts only where systemd-boot itself was seen."""
    if esp.tree is None or esp.mount_point is None:
        return None
    places = [(esp.tree, esp.mount_point)]
    if esp.is_systemd_boot and paths.xbootldr_mount is not None:
        places.append((paths.tree, paths.xbootldr_mount))
    failed: list[Unreadable] = []
    found = {
        id(one.entry): one
        for tree, mount_point in places
        for one in (
            *_entries(tree, mount_point, failed),
            *_images(tree, mount_point, esp, failed),
        )
        if _is_for(one.entry, esp.architecture)
    }
    if not found and failed:
        raise failed[0]
    if not found:
        return None
    ordered = [found[id(e)] for e in menu_order(one.entry for one in found.values())]
    items = [_item(one) for one in ordered]
    loader = f"{esp.mount_point}/loader/loader.conf"
    text = config_text(esp.tree, loader)
    return Menu(
        name="systemd-boot",
        config=loader if text is not None else ordered[0].file.rpartition("/")[0],
        items=tuple((one.file, item) for one, item in zip(ordered, items, strict=True)),
        default=_default(items, _pattern(text or ""), paths),
        unread=str(failed[0]) if failed else "",
    )


def _entries(tree: GuestTree, mount_point: str, failed: list[Unreadable]) -> Iterator[_Found]:
    """One that can't be read is in `failed`, and hides no other; a folder is none."""
    folder = f"{mount_point}/loader/entries"
    try:
        names = tree.names(folder, MAX_ENTRIES)
    except NotThere:
        return
    for name in names:
        if not name.lower().endswith(".conf"):
            continue
        path = f"{folder}/{name}"
        try:
            text = tree.read_text(path, MAX_ENTRY)
        except Unreadable as error:
            if error.code != "not-a-file":
                failed.append(error)
            continue
        yield _with_image(tree, _Found(parse_entry(text, name), path, mount_point))


def _with_image(tree: GuestTree, found: _Found) -> _Found:
    """An entry may start a unified kernel image; its own options go before those inside."""
    entry, started = found.entry, found.entry.efi or found.entry.linux
    if not started or entry.initrds:
        return found
    try:
        uki = read_uki(tree, f"{found.mount_point}/{started}")
    except GuestReadError:
        return found  # whether it is there is told of every entry
    if uki is None:
        return found
    initrds = (started,) if uki.has_initrd else ()
    options = entry.options or uki.command_line
    whole = replace(entry, linux=started, initrds=initrds, options=options)
    return replace(found, entry=whole, release=uki.release)


def _images(
    tree: GuestTree, mount_point: str, esp: EspFacts, failed: list[Unreadable]
) -> Iterator[_Found]:
    """Unified kernel images, which systemd-boot itself looks for."""
    folder = f"{mount_point}/EFI/Linux"
    try:
        names = tree.names(folder, MAX_ENTRIES) if esp.is_systemd_boot else []
    except NotThere:
        return
    for name in names:
        path = f"{folder}/{name}"
        try:
            uki = read_uki(tree, path) if name.lower().endswith(".efi") else None
        except Unreadable as error:
            if error.code != "not-a-file":
                failed.append(error)
            continue
        if uki is not None:
            entry = replace(uki.entry(f"EFI/Linux/{name}"), linux=f"EFI/Linux/{name}")
            yield _Found(entry, path, mount_point, uki.release)


def _is_for(entry: BlsEntry, architecture: str | None) -> bool:
    """Starts something, on this machine."""
    wanted = _ARCHITECTURES.get(entry.architecture.lower(), entry.architecture)
    fits = not wanted or architecture is None or wanted == architecture
    return fits and bool(entry.linux or entry.efi)


def _item(found: _Found) -> MenuItem:
    entry = found.entry
    return MenuItem(
        title=entry.title or entry.id,
        id=entry.id,
        line=entry.line,
        kernel=below(found.mount_point, entry.linux) if entry.linux else None,
        arguments=entry.options,
        initrds=[below(found.mount_point, path) for path in entry.initrds],
        version=found.release or entry.version,
    )


def _pattern(text: str) -> str:
    """Which entry loader.conf chooses; empty where it leaves that to the order.

    The firmware's variables, which `@saved` means, are not on the disk.
    """
    said = [value for _, key, value in fields(text) if key == "default" and value]
    last = said[-1] if said else ""
    return "" if last.startswith("@") else last.lower()


def _default(items: list[MenuItem], pattern: str, paths: BootPaths) -> MenuItem:
    """Entries whose kernel is missing are not in the menu; they count only where all are such."""
    there = [i for i in items if i.kernel is None or paths.resolve(i.kernel)[1] is not False]
    shown = there or items
    fits = matcher(pattern)
    return next((i for i in shown if pattern and fits(i.id.lower())), shown[0])
