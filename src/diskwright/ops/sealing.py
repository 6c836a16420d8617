"""One image's seal: its data key, wrapped, and everything that is made with it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Iterator, Sequence

from diskwright._values import Secretive, replace
from diskwright.envelope import header, stream
from diskwright.envelope.keys import KEY_SIZE
from diskwright.envelope.private import seal_private
from diskwright.envelope.recipients import recipient_of
from diskwright.envelope.sealer import seal_chunks, sealed_size
from diskwright.envelope.stream import SegmentSealer
from diskwright.model import codec
from diskwright.model.image import ImageFormat
from diskwright.model.manifest import Manifest, clear_part, encode_body
from diskwright.model.recipient import Recipient
from diskwright.model.stored import Chunk, Layout
from diskwright.ports import KeyWrapper


class DiskSeal(Secretive, frozen=True):
    """What seals one disk: its header, which names its index, and a salt of its own."""

    header: bytes
    j1: bytes
    _sealer: SegmentSealer

    def layout(self, plain: Layout) -> Layout:
        """The layout of the sealed object."""
        return replace(plain, size_limit=sealed_size(plain.size_limit))

    def chunks(self, plain: Iterator[Chunk], workers: int) -> Generator[Chunk, None, None]:
        return seal_chunks(plain, header=self.header, sealer=self._sealer, workers=workers)

    def plain_size(self, stored: int) -> int:
        return stream.plain_size(stored - header.HEADER_SIZE)

    def journal_notes(self) -> dict[str, object]:
        return {"j1": self.j1.decode(), "payload_header": self._sealer.payload_header.hex()}


class Seal(Secretive, frozen=True):
    """Of an image with all its disks. A data key belongs to one image, drawn anew for each."""

    seal_id: str
    recipients: tuple[Recipient, ...]
    disks: tuple[DiskSeal, ...]
    _data_key: bytes

    @classmethod
    def new(
        cls,
        wrapper: KeyWrapper,
        *,
        disks: Sequence[tuple[ImageFormat, int]],
        entropy: Callable[[int], bytes],
    ) -> Seal:
        """`disks`: the stored format and the virtual size of each, in order.

        Raises what the key service raises. The data key stays in this process.
        """
        seal_id = str(uuid.UUID(bytes=entropy(16), version=4))
        data_key = entropy(KEY_SIZE)
        wrapped = wrapper.wrap(data_key, header.context_bytes(seal_id))
        recipients = (recipient_of(wrapped),)
        seals = []
        for index, (image_format, virtual_size) in enumerate(disks):
            j1 = header.DiskSeal(seal_id, index, image_format.value, virtual_size).encode()
            head = header.encode(j1, recipients, data_key)
            seals.append(DiskSeal(head, j1, SegmentSealer.fresh(data_key, j1)))
        return cls(seal_id, recipients, tuple(seals), data_key)

    def close(self, manifest: Manifest) -> Manifest:
        """The manifest with its body sealed into `private` and bound to the clear part."""
        assert manifest.body is not None
        clear = replace(manifest, body=None, seal=self.seal_id, recipients=self.recipients)
        private = seal_private(self._data_key, encode_body(manifest.body), clear_part(clear))
        return replace(clear, private=private)

    def journal_notes(self) -> dict[str, object]:
        """J2 (wrapped keys only), and each disk's J1 and payload header; never the data key."""
        return {
            "j2": codec.encode(self.recipients),
            "disks": [disk.journal_notes() for disk in self.disks],
        }
