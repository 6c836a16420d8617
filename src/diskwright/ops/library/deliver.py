"""export and download: an image's disks as files of their own, each with its SHA-256 beside it.

sealed, as it lies         \
opened, in its format       > forward, hashed on the way --> file, or upload under an exact key
another format, or a delta: a local file first, verified --/
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass

from diskwright.errors import IllegalState, ImageNotSealed, UsageError
from diskwright.model.image import ImageFormat
from diskwright.model.outcome_copies import Delivered
from diskwright.model.stored import Chunk, Layout, StoredObject
from diskwright.ops.fetch import plain_chunks, stored_chunks
from diskwright.ops.images import Found
from diskwright.ops.library.chain import Chain
from diskwright.ops.library.source import found_of
from diskwright.ops.restore import RestoreRequest, restored
from diskwright.ops.stored_file import RestoreTools, verify
from diskwright.ports import CancelToken, Progress


@dataclass(frozen=True, slots=True)
class DeliverRequest:
    """`disk` from 1, None: all of them. `sealed`: as it lies. `output_format` None: the stored one.
    `verify`: what was made is read back as a disk first."""

    disk: int | None = None
    output_format: ImageFormat | None = None
    sealed: bool = False
    verify: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """One disk that is going to be delivered. `found` is None of an image that is not opened."""

    image: str
    name: str
    number: int  # from 1
    of: int  # how many disks the image has
    stored: StoredObject
    format: str
    virtual_size: int
    digest: str  # dw1
    found: Found | None
    disk: str = ""  # its name in a package


class Delivery:
    """Where one disk goes; `write` is called with what is whole and verified at `end` alone."""
