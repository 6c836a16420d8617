"""export and download: an image's disks as files of their own, the SHA-256 of each beside it.

sealed, as it lies            \\
opened, in the stored format   > forward, hashed on the way --> a file, or an exact key
another format, or a delta: a local file first, verified --'
"""

from __future__ import annotations

import os

from diskwright._values import Struct
from diskwright.errors import IllegalState, UsageError
from diskwright.model.image import ImageFormat
from diskwright.model.outcome_copies import Delivered
from diskwright.model.stored import StoredObject
from diskwright.ops.images import Found
from diskwright.ops.library.chain import Chain
from diskwright.ops.library.fold import entry_of
from diskwright.ops.library.source import found_of
from diskwright.ops.library.uses import own_uses
from diskwright.ports import ObjectStore


class DeliverRequest(Struct, frozen=True):
    """`disk` from 1, None: all. `sealed`: as it lies. `output_format` None: the stored one.
    `verify`: what was made is read back as a disk before it appears."""

    disk: int | None = None
    output_format: ImageFormat | None = None
    sealed: bool = False
    verify: bool = False
    force: bool = False


class Piece(Struct, frozen=True):
    """One disk, and where it goes. `found` is None where it stays sealed."""

    told: Delivered
    stored: StoredObject
    found: Found | None

    def is_forward(self, request: DeliverRequest) -> bool:
        """Whether its file comes in one go, from the first byte to the last."""
        if self.found is None:
            return True
        disk = self.found.disk
        return disk.base is None and self.told.format == disk.format and not request.verify


def pieces(
    store: ObjectStore, chain: Chain, target: str, request: DeliverRequest
) -> tuple[Piece, ...]:
    """What is going to be at `target`; of several disks at `target` with a number before its
    ending. Raises UsageError, KeyMissing, IllegalState for a delta that is to stay sealed.
    """
    manifest, count = chain.manifest, len(chain.manifest.objects)
    number = request.disk
    if number is not None and not 1 <= number <= count:
        hint = f"it has {count} of them"
        raise UsageError(f"image {manifest.image}: has no disk {number}", hint)
    if request.sealed:
        _check_sealed(store, chain, request)
    found = None if request.sealed else found_of(chain)
    numbers = range(1, count + 1) if number is None else (number,)
    made = []
    for one in numbers:
        where = target if len(numbers) == 1 else _numbered(target, one)
        made.append(_piece(chain, found, one, where, request))
    return tuple(made)


def _piece(
    chain: Chain, found: Found | None, number: int, target: str, request: DeliverRequest
) -> Piece:
    stored = chain.manifest.objects[number - 1]
    disk = None if chain.body is None else chain.body.disks[number - 1]
    wanted = request.output_format.value if request.output_format else disk.format if disk else ""
    told = Delivered(
        image=chain.manifest.image,
        name=entry_of(chain).name or "",
        number=number,
        disk=disk.name if disk else "",
        target=target,
        digest_target=f"{target}.sha256",
        sealed=request.sealed,
        format=wanted,
        virtual_size=disk.virtual_size if disk else 0,
        size=stored.size,
        sha256="",
        manifest_digest=disk.digest if disk else "",
        verified=False,
        dry_run=True,
    )
    return Piece(told, stored, None if found is None else found.chosen(number))


def _check_sealed(store: ObjectStore, chain: Chain, request: DeliverRequest) -> None:
    image = chain.manifest.image
    if not chain.manifest.sealed:
        raise UsageError(f"image {image} is not sealed", "leave --sealed out")
    if request.output_format is not None or request.verify:
        raise UsageError("--sealed leaves it as it lies", "leave -O and --verify out")
    if chain.body is not None:
        delta = any(disk.base is not None for disk in chain.body.disks)
    else:  # who has no key sees what it rests on by its marks
        delta = bool(own_uses(store, image))
    if delta:
        raise IllegalState(
            f"image {image}",
            "stored as what differs from another image",
            "a sealed disk by itself",
            f"make a whole one first: diskwright image replicate {image} --name NAME",
        )


def _numbered(target: str, number: int) -> str:
    folder, slash, name = target.rpartition("/")
    stem, ending = os.path.splitext(name)
    return f"{folder}{slash}{stem}-{number}{ending}"
