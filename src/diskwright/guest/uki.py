"""Unified kernel images: a kernel, its initramfs and its command line in one program of UEFI.

https://uapi-group.org/specifications/specs/unified_kernel_image: each is a section of a PE file.
Of an image with profiles only what stands before the first of them counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from diskwright._values import Struct
from diskwright.guest.bls import BlsEntry, split_name
from diskwright.guest.boot_entries import MAX_ENTRIES
from diskwright.guest.boot_menu import Menu
from diskwright.guest.boot_paths import below
from diskwright.guest.grub import MenuItem
from diskwright.guest.kernel_image import release_of
from diskwright.guest.os_release import parse_os_release
from diskwright.guest.pe import PeFile, read_pe, read_section
from diskwright.guest.reading import Unreadable
from diskwright.guest.tree import GuestTree
from diskwright.guest.walking import show

MAX_TEXT = 64 << 10  # of a section that is a text


class Uki(Struct, frozen=True):
    """`release` is the kernel's version; what the image does not say is empty."""

    path: str
    title: str = ""
    version: str = ""
    sort_key: str = ""
    release: str = ""
    command_line: str = ""
    has_initrd: bool = True

    def entry(self, path: str) -> BlsEntry:
        """As the boot loader's menu has it; `path` is that on the image's own file system."""
        identity, left, done = split_name(self.path.rpartition("/")[2])
        return BlsEntry(
            id=identity,
            title=self.title,
            version=self.version,
            sort_key=self.sort_key,
            efi=path,
            initrds=(path,) if self.has_initrd else (),
            options=self.command_line,
            tries_left=left,
            tries_done=done,
            line=0,
        )


def read_uki(tree: GuestTree, path: str) -> Uki | None:
    """None for another file. Of one that is cut off nothing is told but that it is an image.

    Raises GuestReadError.
    """
    try:
        pe = read_pe(tree, path)
    except Unreadable as error:
        if error.code == "damaged":
            return None  # no boot loader takes it for one either
        raise
    if pe is None or pe.section(".linux") is None:
        return None
    if pe.damage:
        return Uki(path)
    system = parse_os_release(_text(tree, pe, ".osrel"))
    return Uki(
        path=path,
        title=_first(system, "PRETTY_NAME", "IMAGE_ID", "NAME", "ID"),
        version=_first(system, "IMAGE_VERSION", "VERSION", "VERSION_ID", "BUILD_ID"),
        sort_key=_first(system, "IMAGE_ID", "ID"),
        release=_text(tree, pe, ".uname") or release_of(tree, path, pe.section(".linux")),
        command_line=" ".join(_text(tree, pe, ".cmdline").split()),
        has_initrd=pe.section(".initrd") is not None,
    )


def uki_menu(tree: GuestTree, mount_point: str, loaders: Iterable[str]) -> Menu | None:
    """Of the images among `loaders`, paths on the ESP, which firmware itself starts."""
    items = []
    for loader in islice(loaders, MAX_ENTRIES):
        path = f"{mount_point}/{loader}"
        uki = read_uki(tree, path)
        if uki is not None:
            entry = uki.entry(loader)
            here = below(mount_point, loader)
            item = MenuItem(
                title=entry.title or entry.id,
                id=entry.id,
                line=0,
                kernel=here,
                arguments=entry.options,
                initrds=[here] if uki.has_initrd else [],
                version=uki.release,
            )
            items.append((path, item))
    return Menu("uki", items[0][0], tuple(items), items[0][1]) if items else None


def _text(tree: GuestTree, pe: PeFile, name: str) -> str:
    return show((read_section(tree, pe, name, MAX_TEXT) or b"").split(b"\0")[0]).strip()


def _first(system: dict[str, str], *names: str) -> str:
    return next((system[name] for name in names if system.get(name)), "")
