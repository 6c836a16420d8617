"""The payload: Tink's AES-GCM-HKDF streaming AEAD, AES256_GCM_HKDF_1MB, segment by segment.

    payload  = header | segment 0 | segment 1 | …          segment n ends at (n + 1) MiB
    header   = 0x28 | salt (32) | nonce prefix (7)          40 bytes
    segment  = AES-256-GCM of its plaintext, then the tag   (no associated data of its own)
    nonce    = nonce prefix | u32be n | 1 in the last segment, 0 in all others
    key      = HKDF-SHA256(data key, salt, info = SHA-256 of J1)

Source: developers.google.com/tink/streaming-aead/aes_gcm_hkdf_streaming. Only an empty plaintext
has an empty last segment; Tink writes none else, and none else is read here.
"""

from __future__ import annotations

import hashlib
import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from diskwright.envelope import keys
from diskwright.errors import DataTampered

SEGMENT_SIZE = 1 << 20
PAYLOAD_HEADER_SIZE = 40
SALT_SIZE = 32
PREFIX_SIZE = 7
TAG_SIZE = 16
FIRST_PLAIN = SEGMENT_SIZE - PAYLOAD_HEADER_SIZE - TAG_SIZE
OTHER_PLAIN = SEGMENT_SIZE - TAG_SIZE

_SEGMENTS_MAXIMUM = 1 << 32  # the nonce counts in 32 bits
_NONCE_END = struct.Struct(">IB")


def segment_count(plain: int) -> int:
    """How many segments `plain` bytes make: at least one."""
    return 1 + max(0, -(-(plain - FIRST_PLAIN) // OTHER_PLAIN))


def payload_size(plain: int) -> int:
    """Bytes of the payload, its header included, that `plain` bytes make."""
    return PAYLOAD_HEADER_SIZE + plain + TAG_SIZE * segment_count(plain)


def plain_size(payload: int) -> int:
    """The reverse of `payload_size`. Raises ValueError for a size that no payload has."""
    count = -(-payload // SEGMENT_SIZE)
    plain = payload - PAYLOAD_HEADER_SIZE - TAG_SIZE * count
    if plain < 0 or count > _SEGMENTS_MAXIMUM or segment_count(plain) != count:
        raise ValueError(f"no payload has {payload} bytes")
    return plain


def segment_of(offset: int) -> tuple[int, int]:
    """The segment that holds byte `offset` of the plaintext, and the place in it."""
    if offset < FIRST_PLAIN:
        return 0, offset
    index, inside = divmod(offset - FIRST_PLAIN, OTHER_PLAIN)
    return index + 1, inside


def plain_start(index: int) -> int:
    """Where segment `index` begins in the plaintext."""
    return FIRST_PLAIN + (index - 1) * OTHER_PLAIN if index else 0


def stored_start(index: int) -> int:
    """Where segment `index` begins in the payload."""
    return index * SEGMENT_SIZE if index else PAYLOAD_HEADER_SIZE


class _Segments:
    """The cipher of one payload. Its methods may be called from several threads at once."""

    def __init__(self, data_key: bytes, j1: bytes, *, salt: bytes, prefix: bytes) -> None:
        if len(salt) != SALT_SIZE or len(prefix) != PREFIX_SIZE:
            raise ValueError("the salt has 32 bytes, the nonce prefix 7")
        self.payload_header = bytes((PAYLOAD_HEADER_SIZE,)) + salt + prefix
        self._prefix = prefix
        self._cipher = AESGCM(keys.derive(data_key, hashlib.sha256(j1).digest(), salt=salt))

    def _nonce(self, index: int, last: bool) -> bytes:
        return self._prefix + _NONCE_END.pack(index, last)


class SegmentSealer(_Segments):
    """Encrypts the segments of one payload.

    One (data key, salt, prefix) belongs to one plaintext, ever: two plaintexts under one nonce
    give both away. Give `salt` and `prefix` only to repeat the very same payload.
    """

    _begun = False

    @classmethod
    def fresh(cls, data_key: bytes, j1: bytes) -> SegmentSealer:
        """With a new random salt and prefix."""
        return cls(data_key, j1, salt=os.urandom(SALT_SIZE), prefix=os.urandom(PREFIX_SIZE))

    def begin(self) -> None:
        """Raises RuntimeError the second time: whoever has a plaintext to seal calls this first."""
        if self._begun:
            raise RuntimeError("a sealer seals one payload, not a second one")
        self._begun = True

    def seal(self, index: int, plain: bytes | bytearray | memoryview, *, last: bool) -> bytes:
        """The segment as it is stored, 16 bytes longer than `plain`."""
        return self._cipher.encrypt(self._nonce(index, last), plain, None)


class SegmentOpener(_Segments):
    """Decrypts them. `what` names the payload in errors."""

    def __init__(self, data_key: bytes, j1: bytes, payload_header: bytes, *, what: str) -> None:
        if len(payload_header) != PAYLOAD_HEADER_SIZE or payload_header[0] != PAYLOAD_HEADER_SIZE:
            raise DataTampered(what, "its payload does not begin as one does")
        salt, prefix = payload_header[1 : 1 + SALT_SIZE], payload_header[1 + SALT_SIZE :]
        super().__init__(data_key, j1, salt=salt, prefix=prefix)
        self._what = what

    def open(self, index: int, stored: bytes | memoryview, *, last: bool) -> bytes:
        """The segment's plaintext. Raises DataTampered unless it is that very segment."""
        try:
            return self._cipher.decrypt(self._nonce(index, last), stored, None)
        except InvalidTag as error:
            raise DataTampered(self._what, f"segment {index} does not verify") from error
