"""Files that hold what another file holds packed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from diskwright.errors import ImageUnsupported
from diskwright.formats.support import readable_hint
from diskwright.model.image import FileIdentity, ImageFormat


class UnpackedFiles:
    """`Unpacker`."""

    def __init__(self, *, limit: int | None = None, unconfined: bool = False) -> None:
        self._limit = limit
        self._unconfined = unconfined

    @contextmanager
    def unpacked(self, identity: FileIdentity, packing: ImageFormat) -> Iterator[FileIdentity]:
        raise ImageUnsupported(
            identity.path,
            "compressed-container",
            f"its format is {packing.value}: packed, and no disk image itself",
            hint_text=f"unpack it first; {readable_hint()}",
        )

