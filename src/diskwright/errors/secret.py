"""Exit code 12: keys, and data that was tampered with."""

from __future__ import annotations

from dataclasses import dataclass

from diskwright.errors.base import DiskwrightError


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
