"""Reading bytes as a format's parser does, without a file's name or detection."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import contextmanager
from typing import TypeVar

import pytest

from diskwright.errors import ImageRefused
from diskwright.formats.source import ImageSource

Read = TypeVar("Read")


@contextmanager
def source_of(content: bytes, *, follow: bool = False, size: int | None = None):
    """`size` makes the file longer, with a hole."""
    fd = os.memfd_create("image")
    try:
        os.pwrite(fd, content, 0)
        os.ftruncate(fd, len(content) if size is None else size)
        yield ImageSource(fd, "image", os.fstat(fd).st_size, follow=follow)
    finally:
        os.close(fd)


def read(reader: Callable[[ImageSource], Read], content: bytes, *, follow: bool = False) -> Read:
    with source_of(content, follow=follow) as source:
        return reader(source)


def refused(
    reader: Callable[[ImageSource], object], content: bytes, *, follow: bool = False
) -> ImageRefused:
    with pytest.raises(ImageRefused) as caught:
        read(reader, content, follow=follow)
    return caught.value


def ending(reader: Callable[[ImageSource], Read], content: bytes) -> Read | ImageRefused:
    """What is read, or the refusal; nothing else may be raised."""
    try:
        return read(reader, content)
    except ImageRefused as refusal:
        return refusal
