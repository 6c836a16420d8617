"""What goes to a destination and what is there afterwards."""

from __future__ import annotations

from diskwright._values import Struct
from diskwright.model.units import MIB, round_up

HEAD_LIMIT = 64 << 10  # the head of an image, which a writer may emit last, is at most this
LATE_LIMIT = 2 * MIB  # sealing makes the head grow to its header and first segment: below this
PART_MINIMUM = 8 * MIB
PARTS_MAXIMUM = 9_000  # S3 allows 10,000 parts; the bound on the output is not exact


class Chunk(Struct, frozen=True):
    """Bytes for `[offset, offset + len(data))` of the output.

    Chunks come strictly forward; what lies between two of them reads as zeros, and the sink makes
    it so. Two exceptions: chunks that lie wholly below `LATE_LIMIT` may come last (so a sink that
    uploads parts holds part 1 to the end), and an empty chunk at offset n makes the output at
    least n bytes long (a trailing hole). Format writers keep what comes late below `HEAD_LIMIT`.
    """

    offset: int
    data: bytes | bytearray | memoryview


class Layout(Struct, frozen=True):
    """What a writer is going to make. `size_limit` is an upper bound of the output in bytes."""

    format: str
    virtual_size: int
    size_limit: int
    data_bytes: int  # bytes of extents that have to be read: what progress counts

    @property
    def part_size(self) -> int:
        return part_size_for(self.size_limit)


def part_size_for(size_limit: int) -> int:
    """max(8 MiB, the bound / 9,000 rounded up to 1 MiB): fixed once, all parts but the last."""
    return max(PART_MINIMUM, round_up(-(-size_limit // PARTS_MAXIMUM), MIB))


class ObjectInfo(Struct, frozen=True):
    key: str
    size: int
    etag: str | None = None


class StoredObject(Struct, frozen=True):
    """An object as it was stored: SHA-256 (hex) of each part, all `part_size` long but the last."""

    key: str
    size: int
    part_size: int
    part_digests: tuple[str, ...]
    digest: str  # SHA-256 over the parts' 32-byte digests in order, hex


class Foreign(Struct, frozen=True):
    """An object of a store that another store can read by itself: a bucket or a folder, and the
    whole key or the key beneath that folder.
    """

    place: str
    key: str


class OpenUpload(Struct, frozen=True):
    """`begun` in seconds since 1970, None where it is not known; of a folder's, when it was last
    written to.
    """

    key: str
    upload_id: str
    begun: int | None = None


class EndpointFacts(Struct, frozen=True):
    """How an endpoint was reached. `clock_skew_s`: this machine's clock is so far ahead of its."""

    url: str
    addressing: str  # path or virtual
    region: str
    clock_skew_s: int | None
    tls: bool
    ca_bundle: str  # empty: the usual certificate authorities
    proxy: str  # empty: none


class StoreCapabilities(Struct, frozen=True):
    """What an endpoint was seen to do. None: not tried."""

    multipart: bool | None = None
    conditional_put: bool | None = None  # If-None-Match: * is honoured
    part_copy: bool | None = None
    checksum_verified: bool | None = None  # a wrong Content-MD5 is refused
    list_uploads: bool | None = None
    endpoint: EndpointFacts | None = None  # of what lies behind a network


class WrappedKey(Struct, frozen=True):
    """A data key as a key service wrapped it; `params` are the provider's own fields."""

    provider: str
    key_id: str
    wrapped_key: str  # text: base64, or as the key service gave it
    params: dict[str, str]
