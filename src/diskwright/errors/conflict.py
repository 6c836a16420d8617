"""Exit code 14: exists, is in use, changed under us, is not or not uniquely there."""

from __future__ import annotations

from diskwright.errors.base import DiskwrightError


class ConflictError(DiskwrightError):
    exit_code = 14
    kind = "conflict"


class TargetExists(ConflictError):
    target: str
    hint_text: str = ""
    template = "{target} exists already and was left as it is"
    hint_template = "choose another name, or overwrite a file with --force"


class SourceChanged(ConflictError):
    path: str
    what: str
    template = "{path} changed while it was read ({what}); nothing was made of it"
    hint_template = "stop what writes to it, or work on a copy"


class ImageNotFound(ConflictError):
    target: str
    wanted: str
    hint_text: str = ""
    template = "{target} holds no image {wanted}"
    hint_template = "a sealed image's name needs its key: --key local:FILE; an id always works"


class ImageAmbiguous(ConflictError):
    target: str
    candidates: str
    hint_text: str = ""
    template = "{target} holds several images that match: {candidates}"
    hint_template = "name one by its id: --image ID"


class TooManyRecipients(ConflictError):
    count: int
    limit_bytes: int
    template = "{count} recipients do not fit a header of {limit_bytes} bytes"
    hint_template = "use fewer recipients"


class Locked(ConflictError):
    what: str
    template = "{what} is in use by another process"
    hint_template = "wait for it to end, then run this again"


class IllegalState(ConflictError):
    what: str
    state: str
    wanted: str
    hint_text: str = ""
    template = "{what} is {state}: it can't be {wanted}"
    hint_template = "see where it stands: diskwright image show, diskwright image list"


class ChangedMeanwhile(ConflictError):
    """The loser of a race: nothing of its own was written."""

    what: str
    by: str
    template = "{what} was changed meanwhile ({by}); nothing was done"
    hint_template = "look at it again (diskwright image history ID), then repeat what still holds"


class NameTaken(ConflictError):
    name: str
    by: str
    template = "the name {name} is that of image {by}"
    hint_template = "choose another one, or add --allow-duplicate"


class ReadOnlyImage(ConflictError):
    what: str
    why: str
    template = "{what} can't be changed: {why}"
    hint_template = "make one of your own of it: diskwright image replicate ID --name NAME"


class ImageInUse(ConflictError):
    what: str
    users: str
    template = "{what} is in use by {users}"
    hint_template = "delete what uses it first"


class NotShared(ConflictError):
    """Another's image that we can't use, or not any more."""

    what: str
    why: str
    template = "{what} is not shared with us: {why}"
    hint_template = "ask its owner to share it, then: diskwright library sync"


class ServerNotFound(ConflictError):
    wanted: str
    template = "there is no {wanted} on this workstation"
    hint_template = "see which are there: diskwright server list, diskwright volume list"


class ServerAmbiguous(ConflictError):
    wanted: str
    candidates: str
    template = "{wanted} may be one of several: {candidates}"
    hint_template = "name one by its id"
