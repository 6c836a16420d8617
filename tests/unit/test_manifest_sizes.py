"""A disk in a manifest has a format that is stored, and an object as large as that makes it."""

from __future__ import annotations

import pytest

from diskwright.errors import DataTampered
from diskwright.model.image import ImageFacts, ImageFormat
from diskwright.model.manifest import Manifest, ManifestBody, ManifestDisk
from diskwright.model.names import plain_key
from diskwright.model.stored import StoredObject
from diskwright.ops.manifest_checks import check_body
from diskwright.writers import FORWARD

IMAGE = "0190b0f4-0000-7000-8000-000000000001"
SIZE = 1 << 20


def check(image_format: str, stored_size: int) -> None:
    key = plain_key(IMAGE, "web", 0, image_format)
    stored = StoredObject(key, stored_size, 8 << 20, ("ab" * 32,), "cd" * 32)
    disk = ManifestDisk(key, image_format, False, SIZE, SIZE, "ef" * 32, stored_size)
    facts = ImageFacts(ImageFormat.RAW, SIZE, SIZE, SIZE)
    body = ManifestBody("web", (disk,), "w", "raw", facts, None, "p", (), (), None, {})
    check_body(Manifest(IMAGE, "2026-01-02T03:04:05Z", (stored,), body=body), body)


@pytest.mark.parametrize(
    ("image_format", "stored_size"), [("raw", SIZE), ("vhd", SIZE + 512), ("qcow2", 4096)]
)
def test_an_object_of_the_right_size_is_taken(image_format: str, stored_size: int) -> None:
    check(image_format, stored_size)


@pytest.mark.parametrize(
    ("image_format", "stored_size"),
    [("raw", SIZE + 512), ("raw", SIZE - 512), ("vhd", SIZE), ("vhd", SIZE + 1024)],
)
def test_an_object_of_another_size_is_not(image_format: str, stored_size: int) -> None:
    with pytest.raises(DataTampered, match="another size"):
        check(image_format, stored_size)


@pytest.mark.parametrize("image_format", sorted(set(ImageFormat) - FORWARD))
def test_a_format_that_is_never_stored_is_refused(image_format: ImageFormat) -> None:
    with pytest.raises(DataTampered, match="never stored"):
        check(image_format.value, SIZE)
