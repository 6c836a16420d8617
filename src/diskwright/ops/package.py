"""A package's digests, computed again before a byte of it is taken as good."""

from __future__ import annotations

import os

from diskwright._values import replace
from diskwright.formats.identity import open_image
from diskwright.formats.package.ova import verify_digests
from diskwright.formats.source import ImageSource
from diskwright.ops.opening import Source
from diskwright.ports import CancelToken, Progress


def checked(
    sources: tuple[Source, ...], *, progress: Progress, cancel: CancelToken
) -> tuple[Source, ...]:
    """`sources`, disks of one file; where that is a package with a manifest, every member that
    stands in it was read and has its digest. Raises ImageBroken (`checksum`), SourceChanged.
    """
    first = sources[0]
    if first.package is None or not first.package.digests:
        return sources
    listed = {digest.name for digest in first.package.digests}
    total = sum(member.size for member in first.package.members if member.name in listed)

    def advance(count: int) -> None:
        cancel.check()
        progress.advance(count)

    fd, identity = open_image(first.path)
    try:
        first.unchanged()
        progress.phase("check package", total)
        image = ImageSource(fd, identity.path, identity.size)
        package = verify_digests(image, first.package, advance)
    finally:
        os.close(fd)
    first.unchanged()
    return tuple(replace(source, package=package) for source in sources)
