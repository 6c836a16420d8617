"""Where a key lies beneath the root, and what a temporary file is called.

    ROOT/.uploads/<key, percent-encoded>:<part size>:<16 hex digits>

So whoever finds such a file after a crash knows the key that it was meant for, from its name
alone. A whole object on its way (`put`) has part size 0.
"""

from __future__ import annotations

import os
import secrets
from urllib.parse import quote, unquote

from diskwright._values import Struct
from diskwright.errors import OutputNotWritable

UPLOADS = ".uploads"
_NAME_LIMIT = 255  # bytes of a file name: limits.h, NAME_MAX


def object_path(root: str, key: str) -> str:
    """The file of `key`. Raises OutputNotWritable for a key that would leave the root."""
    segments = key.split("/")
    if any(segment in ("", ".", "..") or "\0" in segment for segment in segments):
        raise OutputNotWritable(os.path.join(root, key), "the key names no file beneath the root")
    if segments[0] == UPLOADS:
        raise OutputNotWritable(os.path.join(root, key), f"{UPLOADS} is kept for open uploads")
    path = os.path.join(root, *segments)
    # A link inside the folder may point elsewhere: what is written stays beneath the root.
    real_root = os.path.realpath(root)
    if os.path.commonpath([real_root, os.path.realpath(os.path.dirname(path))]) != real_root:
        raise OutputNotWritable(path, "a link leads out of the folder")
    return path


class UploadName(Struct, frozen=True):
    """An open upload as its file name tells it; the file name is the upload id."""

    key: str
    part_size: int
    upload_id: str

    @classmethod
    def fresh(cls, key: str, part_size: int) -> UploadName:
        upload_id = f"{quote(key, safe='')}:{part_size}:{secrets.token_hex(8)}"
        if len(upload_id) > _NAME_LIMIT:
            raise OutputNotWritable(key, "the key is too long for a folder")
        return cls(key, part_size, upload_id)

    @classmethod
    def parse(cls, upload_id: str) -> UploadName | None:
        """None for a name that is not ours."""
        parts = upload_id.split(":")
        if len(parts) != 3 or "/" in upload_id or not (parts[1].isascii() and parts[1].isdigit()):
            return None
        return cls(unquote(parts[0]), int(parts[1]), upload_id)
