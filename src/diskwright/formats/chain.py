"""The files of one virtual disk: found and judged by us, so that no tool has to find any.

Without a folder that the user allowed an image that names another file is refused by its parser.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from diskwright._values import Struct, replace
from diskwright.formats.beneath import open_beneath
from diskwright.formats.inspect import format_of, read_facts
from diskwright.formats.limits import CHAIN_DEPTH, EXTENT_FILES
from diskwright.formats.source import ImageSource, shown
from diskwright.model.image import (
    DiskFile,
    FileIdentity,
    ImageFacts,
    ImageFormat,
    Reference,
    ReferenceKind,
)

if TYPE_CHECKING:
    from diskwright.formats.vmdk.descriptor import ExtentLine


class OpenImage(Struct, frozen=True):
    """An image in an open file, or in a part of it. `shown` is how people know it, where that is
    not the file's path, and `named` the name whose ending tells its format.
    """

    fd: int
    identity: FileIdentity
    offset: int = 0
    length: int | None = None
    shown: str = ""
    named: str = ""

    def source(self, *, follow: bool = False) -> ImageSource:
        size = self.identity.size - self.offset if self.length is None else self.length
        path = self.shown or self.identity.path
        return ImageSource(self.fd, path, size, base=self.offset, follow=follow)


def resolve(
    image: OpenImage,
    found: ImageFormat,
    *,
    beneath: str | None = None,
    above: tuple[FileIdentity, ...] = (),
) -> tuple[DiskFile, ImageFacts]:
    """`image`, of the format `found`, with every file that it needs, and its own facts.

    `beneath` is a real path (see `allowed_folder`), `above` the files that led here, the user's own
    first. Raises ImageRefused.
    """
    source = image.source(follow=beneath is not None)
    facts = read_facts(source, found, named=image.named)
    backing: DiskFile | None = None
    for reference in facts.references:
        assert beneath is not None, "a parser refuses what nobody allowed"
        if reference.kind in (ReferenceKind.BACKING, ReferenceKind.PARENT):
            backing = _backing(source, found, reference, beneath, (*above, image.identity))
    extents = _extents(source, found, facts, beneath)
    identity = image.identity
    if extents:  # a tool looks for them where it is told that the descriptor lies, as we did
        folder, name = os.path.split(identity.path)
        identity = replace(identity, path=os.path.join(os.path.realpath(folder), name))
    disk = DiskFile(
        identity,
        found,
        offset=image.offset,
        length=image.length,
        vhd_size=facts.vhd_size,
        backing=backing,
        extents=extents,
        # qemu's driver inflates in its main loop; that of qcow2 has threads for it
        inflated_singly=found is ImageFormat.VMDK and facts.compressed is True,
        shown=image.shown,
    )
    return disk, facts


def _backing(
    source: ImageSource,
    found: ImageFormat,
    reference: Reference,
    beneath: str,
    above: tuple[FileIdentity, ...],
) -> DiskFile:
    if len(above) > CHAIN_DEPTH:
        raise source.unsupported("chain-too-deep", f"a chain of more than {CHAIN_DEPTH} files")
    fd, identity = open_beneath(beneath, source, reference)
    try:
        if any((one.device, one.inode) == (identity.device, identity.inode) for one in above):
            name = shown(reference.name)
            raise source.broken("chain-loop", f"its chain comes back to itself at {name}")
        told = found if reference.kind is ReferenceKind.PARENT else reference.format
        below = _format(source, fd, identity, told)
        return resolve(OpenImage(fd, identity), below, beneath=beneath, above=above)[0]
    finally:
        os.close(fd)


def _extents(
    source: ImageSource, found: ImageFormat, facts: ImageFacts, beneath: str | None
) -> tuple[FileIdentity, ...]:
    """The files beside a VMDK descriptor, each as large and as sound as the descriptor says."""
    if beneath is None or found is not ImageFormat.VMDK:
        return ()
    from diskwright.formats import vmdk

    named = [one for one in facts.references if one.kind is ReferenceKind.EXTENT]
    if len(named) > EXTENT_FILES:
        detail = f"a disk in {len(named)} files, of which {EXTENT_FILES} are opened"
        raise source.unsupported("too-many-files", detail)
    sparse: set[tuple[int, int]] = set()
    return tuple(
        _extent(source, reference, line, beneath, sparse)
        for reference, line in zip(named, vmdk.extents_of(source), strict=True)
    )


def _extent(
    source: ImageSource,
    reference: Reference,
    line: ExtentLine,
    beneath: str,
    sparse: set[tuple[int, int]],
) -> FileIdentity:
    """The file of one line. Of `sparse` ones each is a part by itself, and costs time to judge."""
    from diskwright.formats import vmdk

    fd, identity = open_beneath(beneath, source, reference)
    try:
        inode = (identity.device, identity.inode)
        if inode in sparse:
            detail = f"two of its parts are one file: {shown(reference.name)}"
            raise source.broken("header-inconsistent", detail, line.at)
        if reference.format is ImageFormat.VMDK:
            sparse.add(inode)
        vmdk.read_extent_facts(OpenImage(fd, identity).source(), line)
    finally:
        os.close(fd)
    return identity


def _format(
    source: ImageSource, fd: int, identity: FileIdentity, told: ImageFormat | None
) -> ImageFormat:
    """As the file above says it; where it says nothing, or a format with a sign of its own, the
    content decides."""
    if told is ImageFormat.RAW:
        return told
    seen = format_of(fd, identity)
    if told is not None and seen is not told:
        detail = f"{identity.path} is said to be {told.value}, and is {seen.value}"
        raise source.broken("reference-format", detail)
    return seen
