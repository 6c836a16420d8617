"""Everything that can go wrong, drawn once.

    DiskwrightError                      exit code
    ├── UsageError                        2
    ├── ValidationFailed                  3
    ├── InputError                       10
    │   ├── InputMissing, InputUnreadable, InputNotAFile
    │   └── ImageRefused (kind, code, offset)
    │       ├── ImageUnsafe              names another file, or two formats match
    │       ├── ImageBroken              contradicts itself or lacks bytes
    │       └── ImageUnsupported         well formed, asks for what is not supported
    ├── ToolError                        11
    │   └── ToolMissing, ToolFailed, ToolStalled, ConfinementUnavailable
    ├── SecretError                      12
    │   └── KeyUnreadable, KeyRefused, KeyMissing, DataTampered
    ├── RemoteError                      13
    │   └── RemoteUnreachable, RemoteRefused, BucketMissing, ObjectMissing, RemoteUnable
    ├── ConflictError                    14
    │   └── TargetExists, SourceChanged, ImageNotFound, ImageAmbiguous, TooManyRecipients, Locked
    ├── OutputError                      15
    │   └── OutputNotWritable, DiskFull
    └── Cancelled                       130 (143 when told to terminate)

An error holds facts as fields. `template` and `hint_template` are filled from those fields, and
only the CLI prints them. "Not mine" is no error: a parser that does not know a file returns None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class DiskwrightError(Exception):
    """The root. A subclass is a dataclass whose fields are the facts of what happened."""

    exit_code: ClassVar[int] = 1
    kind: ClassVar[str] = "bug"
    template: ClassVar[str] = "something went wrong inside diskwright"
    hint_template: ClassVar[str] = "run again with --debug and report the traceback"

    def facts(self) -> dict[str, object]:
        """The fields by name, as they were given."""
        return {name: getattr(self, name) for name in getattr(self, "__dataclass_fields__", ())}

    @property
    def code(self) -> str:
        """A short stable name for machines: the class name in kebab case, unless a field says."""
        given = self.facts().get("code_name")
        return given if isinstance(given, str) else _kebab(type(self).__name__)

    @property
    def message(self) -> str:
        return self.template.format_map(self.facts())

    @property
    def hint(self) -> str:
        given = self.facts().get("hint_text")
        if isinstance(given, str) and given:
            return given
        return self.hint_template.format_map(self.facts())

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.facts()))


def _rebuild(cls: type[DiskwrightError], facts: dict[str, object]) -> DiskwrightError:
    return cls(**facts)


def _kebab(name: str) -> str:
    return "".join("-" + c.lower() if c.isupper() else c for c in name).lstrip("-")


@dataclass(eq=False)
class UsageError(DiskwrightError):
    problem: str
    hint_text: str = ""
    exit_code = 2
    kind = "usage"
    template = "{problem}"
    hint_template = "see diskwright COMMAND --help"


@dataclass(eq=False)
class ValidationFailed(DiskwrightError):
    """Findings failed; they have been reported already, so this carries the count only."""

    image: str
    failures: int
    exit_code = 3
    kind = "validation"
    template = "{image}: {failures} finding(s) stand against an import"
    hint_template = "mend what failed, or accept it: --accept ID --reason TEXT"


# --- 10: the input ----------------------------------------------------------------------------


class InputError(DiskwrightError):
    exit_code = 10
    kind = "input"


@dataclass(eq=False)
class InputMissing(InputError):
    path: str
    template = "{path}: no such file"
    hint_template = "check the path: ls -l -- {path}"


@dataclass(eq=False)
class InputUnreadable(InputError):
    path: str
    reason: str
    template = "{path}: can't be read: {reason}"
    hint_template = "check its permissions: ls -l -- {path}"


@dataclass(eq=False)
class InputNotAFile(InputError):
    path: str
    what: str
    template = "{path}: is a {what}, not an image file"
    hint_template = "name the image file itself"


@dataclass(eq=False)
class ImageRefused(InputError):
    """`code_name` is a stable short name (`reference-outside`); `offset` is the byte, if known."""

    path: str
    code_name: str
    detail: str
    offset: int | None = None
    hint_text: str = ""

    @property
    def message(self) -> str:
        at = f" (at byte {self.offset})" if self.offset is not None else ""
        return f"{self.path}: {self.kind}: {self.detail}{at} [{self.code_name}]"


@dataclass(eq=False)
class ImageUnsafe(ImageRefused):
    kind = "unsafe"
    hint_template = (
        "do not open it with other tools; ask its sender for a flat image without references"
    )


@dataclass(eq=False)
class ImageBroken(ImageRefused):
    kind = "broken"
    hint_template = "get the file again and compare its checksum with the sender's"


@dataclass(eq=False)
class ImageUnsupported(ImageRefused):
    kind = "unsupported"
    hint_template = "formats that are read: raw, qcow2"


# --- 11: tools and confinement ----------------------------------------------------------------


class ToolError(DiskwrightError):
    exit_code = 11
    kind = "tool"


@dataclass(eq=False)
class ToolMissing(ToolError):
    tool: str
    package: str
    template = "{tool} is not installed"
    hint_template = "apt-get install {package}"


@dataclass(eq=False)
class ToolFailed(ToolError):
    tool: str
    reason: str
    template = "{tool} failed: {reason}"
    hint_template = "run diskwright doctor, then again with --debug"


@dataclass(eq=False)
class ToolStalled(ToolError):
    tool: str
    seconds: float
    template = "{tool} gave no answer for {seconds:g} s and was stopped"
    hint_template = "the file may be made to stall readers, or its disk is failing: check both"


@dataclass(eq=False)
class ConfinementUnavailable(ToolError):
    reason: str
    template = "the readers can't be confined here: {reason}"
    hint_template = "use Linux 5.13 or newer (Landlock), or --unconfined for a file you trust"


# --- 12: keys and tampering -------------------------------------------------------------------


class SecretError(DiskwrightError):
    exit_code = 12
    kind = "secret"


@dataclass(eq=False)
class KeyUnreadable(SecretError):
    key: str
    reason: str
    hint_text: str = ""
    template = "key {key}: {reason}"
    hint_template = "make one with: diskwright key new FILE"


@dataclass(eq=False)
class KeyRefused(SecretError):
    """The key service would not unwrap: another key, another context, or a changed wrapped key."""

    key: str
    reason: str
    hint_text: str = ""
    template = "key {key} does not open this: {reason}"
    hint_template = "name the key that it was sealed with: --key local:FILE"


@dataclass(eq=False)
class KeyMissing(SecretError):
    image: str
    recipients: str
    template = "{image} is sealed and no key was given"
    hint_template = "add --key local:FILE; its recipients are: {recipients}"


@dataclass(eq=False)
class DataTampered(SecretError):
    what: str
    detail: str
    template = "{what}: {detail}: it was changed after it was written"
    hint_template = "do not use it; get another copy, and find out who can write there"


# --- 13: the remote ---------------------------------------------------------------------------


class RemoteError(DiskwrightError):
    exit_code = 13
    kind = "remote"


@dataclass(eq=False)
class RemoteUnreachable(RemoteError):
    endpoint: str
    reason: str
    template = "{endpoint} can't be reached: {reason}"
    hint_template = "check the endpoint and the network: diskwright doctor --to URL"


@dataclass(eq=False)
class RemoteRefused(RemoteError):
    endpoint: str
    operation: str
    reason: str
    template = "{endpoint} refused {operation}: {reason}"
    hint_template = "check credentials and their rights: diskwright doctor --to URL"


@dataclass(eq=False)
class BucketMissing(RemoteError):
    bucket: str
    template = "there is no bucket {bucket}"
    hint_template = "make it, or correct the name in s3://BUCKET/PREFIX"


@dataclass(eq=False)
class ObjectMissing(RemoteError):
    key: str
    template = "{key} is not there"
    hint_template = "list the target's manifests/ and look for the image id"


@dataclass(eq=False)
class RemoteUnable(RemoteError):
    """The endpoint lacks something that the verb needs (conditional puts, multipart copy)."""

    endpoint: str
    what: str
    template = "{endpoint} can't do {what}"
    hint_template = "see what it can do: diskwright doctor --to URL"


# --- 14: conflicts ----------------------------------------------------------------------------


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


# --- 15: local output -------------------------------------------------------------------------


class OutputError(DiskwrightError):
    exit_code = 15
    kind = "output"


@dataclass(eq=False)
class OutputNotWritable(OutputError):
    path: str
    reason: str
    template = "{path}: can't be written: {reason}"
    hint_template = "check the folder and its permissions"


@dataclass(eq=False)
class DiskFull(OutputError):
    path: str
    needed_bytes: int = 0
    template = "{path}: no space left on the device"
    hint_template = "free some space (df -h), or write elsewhere"


# --- cancelled --------------------------------------------------------------------------------


@dataclass(eq=False)
class Cancelled(DiskwrightError):
    """Asked to stop: `signal` 2 (Ctrl-C) or 15 (terminate)."""

    signal: int = 2
    kind = "cancelled"
    template = "cancelled; nothing was left behind"
    hint_template = "run the same command again to start anew"
    exit_code = 130

    @property
    def status(self) -> int:
        return 128 + self.signal
