"""A boot loader's menu: its items, and which of them is started when nobody chooses."""

from __future__ import annotations

from diskwright._values import Struct
from diskwright.guest.grub import MenuItem
from diskwright.guest.reading import NotThere
from diskwright.guest.tree import GuestTree

MAX_CONFIG = 1 << 20


class Menu(Struct, frozen=True):
    """A configuration that was read: which items, by which line of which file.

    `waits`: it starts nothing when nobody chooses. `unread`: why an entry could not be read.
    """

    name: str
    config: str
    items: tuple[tuple[str, MenuItem], ...]  # (file, item)
    default: MenuItem | None
    waits: bool = False
    unread: str = ""


def config_text(tree: GuestTree, path: str) -> str | None:
    """None where there is none."""
    try:
        return tree.read_text(path, MAX_CONFIG)
    except NotThere:
        return None
