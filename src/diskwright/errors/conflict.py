"""Exit code 14: exists, is in use, changed under us, is not or not uniquely there."""

from __future__ import annotations

from dataclasses import dataclass

from diskwright.errors.base import DiskwrightError


class ConflictError(DiskwrightError):
    exit_code = 14
    kind = "conflict"


@dataclass(eq=False)
class TargetExists(ConflictError):
    target: str
    hint_text: str = ""
    template = "{target} exists already and was left as it is"
    hint_template = "choose another name, or overwrite a file with --force"


@dataclass(eq=False)
class SourceChanged(ConflictError):
    path: str
    what: str
    template = "{path} changed while it was read ({what}); nothing was made of it"
    hint_template = "stop what writes to it, or work on a copy"


@dataclass(eq=False)
class ImageNotFound(ConflictError):
    target: str
    wanted: str
    template = "{target} holds no image {wanted}"
    hint_template = "a sealed image's name needs its key: --key local:FILE; an id always works"


@dataclass(eq=False)
class ImageAmbiguous(ConflictError):
    target: str
    candidates: str
    template = "{target} holds several images that match: {candidates}"
    hint_template = "name one by its id: --image ID"


@dataclass(eq=False)
class TooManyRecipients(ConflictError):
    count: int
    limit_bytes: int
    template = "{count} recipients do not fit a header of {limit_bytes} bytes"
    hint_template = "use fewer recipients"


@dataclass(eq=False)
class Locked(ConflictError):
    what: str
    template = "{what} is in use by another process"
    hint_template = "wait for it to end, then run this again"
