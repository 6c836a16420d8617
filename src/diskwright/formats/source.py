"""The bytes of an image file, read in bounds, and the refusals that name it."""

from __future__ import annotations

import errno
import os
import shlex
from collections.abc import Iterator

from diskwright._values import Struct
from diskwright.errors import ImageBroken, ImageUnsafe, ImageUnsupported, InputUnreadable
from diskwright.formats.limits import READ_PIECE
from diskwright.formats.support import readable_hint
from diskwright.model.image import DiskFile, ImageFormat, Reference, ReferenceKind

_FOLLOW = (
    "do not open it with other tools; if what it names is yours, allow the folder that all of it "
    "lies in:"
)


class ImageSource(Struct, frozen=True):
    """An open image file. `size` is what it was when it was opened, in bytes.

    `base` is where the image begins in the file: a member of a package has its own offsets. With
    `follow` it may name other files, which somebody else then finds and judges.
    """

    fd: int
    path: str
    size: int
    base: int = 0
    follow: bool = False

    def refer(self, reference: Reference, offset: int | None = None) -> Reference:
        """`reference`, which stands at byte `offset`. Raises ImageUnsafe unless `follow`."""
        if not self.follow:
            detail = f"it names {named(reference)}"
            raise self.outside(detail, offset, kind=reference.kind)
        return reference

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes. What lies past the end is ImageBroken, `offset-past-end`."""
        if offset < 0 or offset + length > self.size:
            raise self.past_end("the file ends before what its metadata names", offset)
        data = self.read_up_to(offset, length)
        if len(data) < length:
            raise InputUnreadable(path=self.path, reason="it became shorter while it was read")
        return data

    def read_up_to(self, offset: int, length: int) -> bytes:
        """Like `read`, but shorter at the image's end."""
        length = min(length, self.size - offset)
        pieces: list[bytes] = []
        while length > 0:
            try:
                piece = os.pread(self.fd, length, self.base + offset)
            except OSError as error:
                reason = error.strerror or str(error)
                raise InputUnreadable(path=self.path, reason=reason) from error
            if not piece:
                break
            pieces.append(piece)
            offset += len(piece)
            length -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def pieces(self, offset: int, length: int) -> Iterator[tuple[int, bytes]]:
        """`[offset, offset + length)` as (offset, bytes), READ_PIECE at a time."""
        end = offset + length
        while offset < end:
            data = self.read(offset, min(READ_PIECE, end - offset))
            yield offset, data
            offset += len(data)

    def data_in(self, offset: int, length: int) -> Iterator[tuple[int, int]]:
        """`(start, end)` of what the file system holds of this range; the rest is its holes."""
        end = offset + length
        while offset < end:
            try:
                start = os.lseek(self.fd, self.base + offset, os.SEEK_DATA) - self.base
                stop = os.lseek(self.fd, self.base + max(start, offset), os.SEEK_HOLE) - self.base
            except OSError as error:
                if error.errno != errno.ENXIO:  # no such notion here: all of it may be data
                    yield offset, end
                return
            if not offset <= start < stop:  # it makes no sense, and costs only time
                yield offset, end
                return
            if start < end:
                yield start, min(stop, end)
            offset = stop

    def unsafe(self, code: str, detail: str, offset: int | None = None) -> ImageUnsafe:
        return ImageUnsafe(self.path, code, detail, offset)

    def backing(
        self, at: int, length: int, *, code: str, image_format: ImageFormat | None = None
    ) -> Reference:
        """The backing file whose name stands there. Raises ImageUnsafe as `refer`, and ImageBroken
        of that `code` for a name with a NUL.
        """
        name = self.read(at, length)
        named = Reference(ReferenceKind.BACKING, name.decode("utf-8", "replace"), image_format)
        self.refer(named, at)
        if b"\0" in name:
            raise self.broken(code, "a NUL in the name of the backing file", at)
        return named

    def outside(self, detail: str, offset: int | None, *, kind: ReferenceKind) -> ImageUnsafe:
        """`reference-outside`, with the way to have it followed where there is one.

        There is none for a disk that lies in a package.
        """
        way = kind in (ReferenceKind.BACKING, ReferenceKind.EXTENT) and not self.base
        folder = shlex.quote(os.path.dirname(self.path) or ".")
        hint = f"{_FOLLOW} --allow-backing-under {folder}" if way else ""
        return ImageUnsafe(self.path, "reference-outside", detail, offset, hint)

    def broken(self, code: str, detail: str, offset: int | None = None) -> ImageBroken:
        return ImageBroken(self.path, code, detail, offset)

    def past_end(self, detail: str, offset: int | None = None) -> ImageBroken:
        return self.broken("offset-past-end", detail, offset)

    def unsupported(self, code: str, detail: str, offset: int | None = None) -> ImageUnsupported:
        return ImageUnsupported(self.path, code, detail, offset, readable_hint())


def image_of(fd: int, disk: DiskFile) -> ImageSource:
    """A disk's first file, open at `fd`, which was looked at with what it names followed or
    refused: that is not asked again.
    """
    return ImageSource(fd, disk.name, disk.size, base=disk.offset, follow=True)


def named(reference: Reference) -> str:
    """A reference in words: `a backing file: 'x'`."""
    article = "an" if reference.kind[0] in "aeiou" else "a"
    return f"{article} {reference.kind}: {shown(reference.name)}"


def shown(name: str) -> str:
    """At most 80 characters of a name that nobody trusts, without control characters."""
    return ascii(name[:80])
