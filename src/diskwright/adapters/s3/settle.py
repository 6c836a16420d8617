"""Was it our upload that made this object? Asked when the answer to `complete` was lost."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Sequence

from diskwright.model.stored import ObjectInfo

_MD5 = re.compile(r"[0-9a-f]{32}")


class SentParts:
    """What was sent in one upload. Written by several threads, each its own part."""

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}
        self._odd: set[int] = set()  # parts whose ETag is not their MD5

    def note(self, number: int, size: int, etag: str, digest: bytes | None) -> None:
        self._sizes[number] = size
        if digest is None or etag.strip('"') != digest.hex():
            self._odd.add(number)
        else:
            self._odd.discard(number)

    def made(self, found: ObjectInfo, etags: Sequence[str]) -> bool:
        """Equal size, and the ETag that follows from the parts' (where the store keeps that rule).

        The rule, of AWS S3 and most others: the MD5 of the parts' MD5s, a dash, their number. A
        store that encrypts at rest, or a copied part, breaks it; then size and unique key decide.
        """
        numbers = range(1, len(etags) + 1)
        if all(number in self._sizes for number in numbers):
            if found.size != sum(self._sizes[number] for number in numbers):
                return False
            if self._odd.intersection(numbers):
                return True
        return found.etag == multipart_etag(etags)


class SentUploads:
    """What was sent, by upload id; of uploads that another process began nothing is known."""

    def __init__(self) -> None:
        self._parts: dict[str, SentParts] = {}
        self._lock = threading.Lock()

    def begin(self, upload_id: str) -> None:
        with self._lock:
            self._parts[upload_id] = SentParts()

    def of(self, upload_id: str) -> SentParts:
        with self._lock:
            return self._parts.get(upload_id) or SentParts()

    def end(self, upload_id: str) -> None:
        with self._lock:
            self._parts.pop(upload_id, None)


def multipart_etag(etags: Sequence[str]) -> str | None:
    """None where the parts' ETags are no MD5s."""
    plain = [etag.strip('"') for etag in etags]
    if not all(_MD5.fullmatch(etag) for etag in plain):
        return None
    joined = b"".join(bytes.fromhex(etag) for etag in plain)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(plain)}"
