"""Names at a destination: stems, keys and image ids (layout: docs/layout.md)."""

from __future__ import annotations

import re
import uuid

NAME_LIMIT = 128  # characters of an image's name: the import request takes no more
_STEM_LIMIT = 64
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def stem(name: str) -> str:
    """A safe object stem: bytes outside [A-Za-z0-9._-] become `_`; the target refuses spaces."""
    safe = re.sub(rb"[^A-Za-z0-9._-]", b"_", name.encode("utf-8", "surrogateescape")).decode()
    return safe.lstrip(".-")[:_STEM_LIMIT] or "image"


def uuid7(unix_ms: int, random: bytes) -> str:
    """A UUID version 7 (RFC 9562 section 5.7) of a time and 10 random bytes: sorts by time."""
    value = unix_ms << 80 | int.from_bytes(random, "big")
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0b11 << 62) | 0b10 << 62
    return str(uuid.UUID(int=value))


def uuid7_time(image_id: str) -> float | None:
    """Seconds since 1970 that such a UUID was drawn at; None for one of another version."""
    return int(image_id[:8] + image_id[9:13], 16) / 1000 if image_id[14:15] == "7" else None


def is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def numbered(name: str, number: int) -> str:
    """The name of the image made of a package's disk `number`, from 1: web, web-2, web-3.

    A long name is cut where its number would not fit.
    """
    if number == 1:
        return name
    suffix = f"-{number}"
    return name[: NAME_LIMIT - len(suffix)] + suffix


def image_prefix(image_id: str) -> str:
    return f"images/{image_id}/"


def plain_key(image_id: str, name: str, disk: int, extension: str) -> str:
    return f"{image_prefix(image_id)}{stem(name)}-{disk}.{extension}"


def sealed_key(image_id: str, disk: int) -> str:
    """Tells nothing of the image's name."""
    return f"{image_prefix(image_id)}disk-{disk}.dws"


MANIFESTS = "manifests/"


def manifest_key(image_id: str) -> str:
    return f"{MANIFESTS}{image_id}.json"
