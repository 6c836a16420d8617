"""A manifest as a change of its image needs it: without the digests of its parts.

These are nearly all of a large image's manifest, and nothing but its data is held against them. As
a manifest never changes, a catalog keeps the rest, and a change reads none of it again.
"""

from __future__ import annotations

import hashlib

from diskwright._values import Struct, replace
from diskwright.model import canonical, codec
from diskwright.model.manifest import Manifest, clear_part


class Commit(Struct, frozen=True):
    """`digest` (SHA-256) and `size` are of the whole manifest as it lies there, `bound` is what its
    private part is bound to: the SHA-256 of all else, empty where it has none."""

    digest: str
    size: int
    bound: str
    manifest: Manifest  # no object has digests of parts


def commit_of(manifest: Manifest, data: bytes) -> Commit:
    """Of a manifest and its bytes."""
    bound = hashlib.sha256(clear_part(manifest)).hexdigest() if manifest.sealed else ""
    bare = replace(
        manifest, objects=tuple(replace(one, part_digests=()) for one in manifest.objects)
    )
    return Commit(hashlib.sha256(data).hexdigest(), len(data), bound, bare)


def encode(commit: Commit) -> str:
    return canonical.encode(codec.encode(commit)).decode()


def decode(text: str) -> Commit | None:
    """None for what another version wrote."""
    try:
        return codec.decode(Commit, canonical.decode(text.encode()))
    except (canonical.NotCanonical, codec.DecodeError):
        return None
