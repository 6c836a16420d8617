"""Files of one kind in several folders, where one of the administrator hides a package's."""

from __future__ import annotations

from collections.abc import Callable

from diskwright.guest.reading import GuestReadError, NotThere
from diskwright.guest.tree import GuestTree

MAX_FILES = 500  # of one folder


def overriding_files(
    tree: GuestTree, folders: tuple[str, ...], is_one: Callable[[str], bool]
) -> list[str]:
    """Paths in the order of the folders; a name in an earlier one hides the same name in a later.

    Raises GuestReadError where a folder can't be listed.
    """
    found: dict[str, str | None] = {}
    for folder in folders:
        try:
            names = tree.names(folder, MAX_FILES)
        except NotThere:
            continue
        for name in filter(is_one, names):
            path = f"{folder}/{name}"
            found.setdefault(name, path if _is_text(tree, path) else None)
    return [path for path in found.values() if path]


def _is_text(tree: GuestTree, path: str) -> bool:
    """A file, not the link to /dev/null that masks one; a broken one stays, to be reported."""
    try:
        return tree.is_file(path)
    except GuestReadError:
        return True
