"""What copies of a library's images have come to."""

from __future__ import annotations

from diskwright._values import Struct
from diskwright.model.library import Entry


class Replica(Struct, frozen=True):
    """The new image; with `dry_run` as it is going to be, sizes as of its source. `ways` says of
    each disk how its data came there: copied, streamed or quick."""

    entry: Entry
    library: str
    ways: tuple[str, ...]
    dry_run: bool = False


class Delivered(Struct, frozen=True):
    """One disk of an image as a file or an object of its own, and its SHA-256 at `digest_target`.

    `format` and `virtual_size` are empty and 0 of what was sealed and not opened. `verified`: it
    was read back as a disk of the digest that the manifest says. With `dry_run` nothing is there,
    and `size` is that of the stored object.
    """

    image: str
    name: str
    number: int  # of the disk, from 1
    disk: str  # its name in the package that it was from
    target: str
    digest_target: str
    sealed: bool
    format: str
    virtual_size: int
    size: int
    sha256: str
    manifest_digest: str  # dw1
    verified: bool
    dry_run: bool = False
