"""A package's manifest (.mf): a line `SHA256(name)= hex` for each member (DSP0243 section 6)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping

from diskwright.formats import limits
from diskwright.formats.source import ImageSource, shown
from diskwright.model.package import MemberDigest, PackageMember

_LINE = re.compile(r"(SHA-?(?:1|256|384|512)) ?\((.+)\) ?= ?([0-9A-Fa-f]+)", re.ASCII)
_CODE = "manifest-unreadable"


def read_manifest(
    source: ImageSource, members: Mapping[str, PackageMember]
) -> tuple[MemberDigest, ...]:
    """The lines of the .mf that `source` is. Raises ImageBroken."""
    if source.size > limits.OVA_MANIFEST_BYTES:
        raise source.broken("table-too-large", f"a manifest of {source.size} bytes")
    digests: dict[str, MemberDigest] = {}
    text = source.read(0, source.size).decode("utf-8", "replace").removeprefix("\ufeff")
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise source.broken(_CODE, f"line {number} of the manifest is no digest")
        algorithm = found[1].lower().replace("-", "")
        if len(found[3]) != 2 * hashlib.new(algorithm, usedforsecurity=False).digest_size:
            raise source.broken(_CODE, f"line {number} of the manifest is cut")
        name = found[2]
        if name not in members:
            raise source.broken(_CODE, f"the manifest names {shown(name)}, which is not there")
        if name in digests:
            raise source.broken(_CODE, f"the manifest names {shown(name)} twice")
        digests[name] = MemberDigest(name, algorithm, found[3].lower())
    return tuple(digests.values())


def verify_member(
    source: ImageSource,
    member: PackageMember,
    digest: MemberDigest,
    on_bytes: Callable[[int], None],
) -> None:
    """Reads the member once, a piece at a time. Raises ImageBroken, `checksum`."""
    found = hashlib.new(digest.algorithm, usedforsecurity=False)
    for _, piece in source.pieces(member.offset, member.size):
        found.update(piece)
        on_bytes(len(piece))
    if not hmac.compare_digest(found.hexdigest(), digest.value):
        detail = f"{shown(member.name)} is not what the manifest says: another {digest.algorithm}"
        raise source.broken("checksum", detail, member.offset)
