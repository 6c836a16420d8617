"""What the console takes as a name, a description, tags and memory of a private image.

Open Telekom Cloud, image-management-service: api-ref image_attributes, updating_an_image,
image_tag_format; umn constraints (10 tags an image).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from unicodedata import category

from diskwright.errors import UsageError
from diskwright.model.names import NAME_LIMIT, is_uuid
from diskwright.model.text import printable

DESCRIPTION_LIMIT = 1024  # characters
TAGS_LIMIT = 10
MEMORY_LIMIT_MIB = 16 << 20  # 16 TiB: past any server
_KEY = re.compile(r"[0-9A-Za-z_-]{1,36}")
_VALUE = re.compile(r"[0-9A-Za-z_-]{0,43}")
_CHANNEL = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")


def check_name(name: str) -> None:
    """1 to 128 characters, none of them a control character or half a pair; and of ours, that it is
    neither an id nor begins as an option does. UsageError."""
    if not 1 <= len(name) <= NAME_LIMIT or any(category(char) in {"Cc", "Cs"} for char in name):
        raise UsageError(
            f"--name {printable(name[: NAME_LIMIT + 1])}: not a name",
            f"give 1 to {NAME_LIMIT} characters, without control characters",
        )
    if name.startswith("-") or is_uuid(name.lower()):
        what = "an option" if name.startswith("-") else "an id"
        raise UsageError(f"--name {printable(name)}: it would be taken for {what}", "give another")


def check_description(text: str) -> None:
    """At most 1,024 characters, no control character but a line's end, no `<` or `>`."""
    wrong = any(char in "<>" or (category(char) in {"Cc", "Cs"} and char != "\n") for char in text)
    if wrong or len(text) > DESCRIPTION_LIMIT:
        raise UsageError(
            f"--description of {len(text)} characters: not a description",
            f"give at most {DESCRIPTION_LIMIT} characters, without < > and control characters",
        )


def check_tags(tags: Mapping[str, str]) -> None:
    """All the tags that an image is going to have. Raises UsageError."""
    for key, value in tags.items():
        if not _KEY.fullmatch(key) or not _VALUE.fullmatch(value):
            raise UsageError(
                f"tag {printable(key)}={printable(value)}: not a tag",
                "letters, digits, _ and -: 1 to 36 before the =, at most 43 after it",
            )
    if len(tags) > TAGS_LIMIT:
        raise UsageError(
            f"{len(tags)} tags: an image has at most {TAGS_LIMIT}", "take some off: image untag"
        )


def check_channel(channel: str) -> None:
    """Empty takes it out of its channel. Raises UsageError."""
    if channel and not _CHANNEL.fullmatch(channel):
        raise UsageError(
            f"--channel {printable(channel)}: not a channel",
            "give 1 to 64 letters, digits, . _ and -, the first a letter or digit",
        )


def check_memory(minimum_mib: int, maximum_mib: int) -> None:
    """A maximum of 0 is no limit. Raises UsageError."""
    if max(minimum_mib, maximum_mib) > MEMORY_LIMIT_MIB:
        raise UsageError("no server has so much memory", f"at most {MEMORY_LIMIT_MIB >> 20} TiB")
    if maximum_mib and maximum_mib < minimum_mib:
        raise UsageError(
            f"the maximum memory ({maximum_mib} MiB) is below the minimum ({minimum_mib} MiB)",
            "give a larger --max-memory, or 0 for no limit",
        )
