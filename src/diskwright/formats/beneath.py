"""Files that an image names, opened beneath the one folder that the user allowed.

Every component of the path is opened by itself and no link is followed, so neither a name nor a
folder that is swapped meanwhile leads out.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator

from diskwright.errors import FolderMissing, ImageBroken, ImageUnsafe, InputNotAFile
from diskwright.formats.identity import identity_of
from diskwright.formats.source import ImageSource, named, shown
from diskwright.model.image import FileIdentity, Reference

# What qemu and others take for more than a file's name: nbd://..., json:{...}, fat:/...
_PROTOCOL = re.compile(r"[A-Za-z0-9+._-]+:")
_FOLDER_FLAGS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


def allowed_folder(path: str) -> str:
    """The folder `path` as it really lies. Raises FolderMissing, InputNotAFile."""
    real = os.path.realpath(path)
    if not os.path.lexists(real):
        raise FolderMissing(path)
    if not os.path.isdir(real):
        raise InputNotAFile(path, "file where a folder is needed")
    return real


def open_beneath(root: str, source: ImageSource, reference: Reference) -> tuple[int, FileIdentity]:
    """A read-only descriptor of the regular file that `source` names, and its identity.

    A relative name counts from the folder that the naming file lies in. Raises ImageUnsafe
    (`reference-outside`) for what is not beneath `root`, ImageBroken (`reference-missing`).
    """
    name = reference.name
    what = f"it names {named(reference)}"
    # what is no UTF-8 was read as U+FFFD, and could be the name of another file
    odd = not name.isprintable() or "\N{REPLACEMENT CHARACTER}" in name
    if odd or not name or _PROTOCOL.match(name.split("/", 1)[0]):
        raise source.unsafe("reference-outside", f"{what}, which is no file's name")
    folder = os.path.realpath(os.path.dirname(source.path))
    path = os.path.normpath(os.path.join(folder, name))
    left = list(_left(folder, name))
    for place in (path, *left):
        if os.path.commonpath([root, place]) != root or path == root:
            raise ImageUnsafe(
                source.path,
                "reference-outside",
                f"{what}, which is not beneath {root}",
                hint_text=f"if {shown(place)} is yours, allow a folder above it and the image: "
                "--allow-backing-under DIR",
            )
    try:
        for each in left:
            os.close(_walk(root, [*os.path.relpath(each, root).split(os.sep), "."]))
        fd = _walk(root, os.path.relpath(path, root).split(os.sep))
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise ImageBroken(
                source.path,
                "reference-missing",
                f"{what}, which is not there",
                hint_text=f"put it there: {shown(path)}",
            ) from error
        reason = error.strerror or str(error)
        raise source.unsafe("reference-outside", f"{what}: {reason}") from error
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        os.close(fd)
        raise source.unsafe("reference-outside", f"{what}, which is no regular file")
    os.set_blocking(fd, True)
    return fd, identity_of(path, status)


def _left(folder: str, name: str) -> Iterator[str]:
    """The folders that `name` enters and leaves by `..`: a link would be left to somewhere else."""
    at, entered = ("/" if name.startswith("/") else folder), 0
    for part in name.split("/"):
        if part == "..":
            if entered:
                yield at
                entered -= 1
            at = os.path.dirname(at)
        elif part not in ("", "."):
            at = os.path.join(at, part)
            entered += 1


def _walk(root: str, parts: list[str]) -> int:
    at = os.open(root, _FOLDER_FLAGS)
    try:
        for part in parts[:-1]:
            below = os.open(part, _FOLDER_FLAGS, dir_fd=at)
            os.close(at)
            at = below
        status = os.stat(parts[-1], dir_fd=at, follow_symlinks=False)
        if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
            raise OSError("a device")  # opening one can have effects
        return os.open(parts[-1], _FILE_FLAGS, dir_fd=at)
    finally:
        os.close(at)
