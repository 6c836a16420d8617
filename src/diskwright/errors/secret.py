"""Exit code 12: keys, and data that was tampered with."""

from __future__ import annotations

from diskwright.errors.base import DiskwrightError


class SecretError(DiskwrightError):
    exit_code = 12
    kind = "secret"


class KeyUnreadable(SecretError):
    key: str
    reason: str
    hint_text: str = ""
    template = "key {key}: {reason}"
    hint_template = (
        "name the file of the key; a new one (diskwright key new FILE) opens nothing that is "
        "sealed already"
    )


class KeyRefused(SecretError):
    """The key service would not unwrap: another key, another context, or a changed wrapped key."""

    key: str
    reason: str
    hint_text: str = ""
    template = "key {key} does not open this: {reason}"
    hint_template = (
        "name the key that it was sealed with: --key local:FILE, receiver:FILE or vault:KEY"
    )


class KeyUnavailable(SecretError):
    """The key service can't be asked: not reached, sealed, no token, or it may not be used."""

    key: str
    reason: str
    hint_text: str = ""
    template = "key {key} can't be used: {reason}"
    hint_template = "try again when the key service answers; look at its status and its log"


class KeyMissing(SecretError):
    image: str
    recipients: str
    template = "{image} is sealed and no key was given"
    hint_template = (
        "add --key local:FILE, receiver:FILE or vault:KEY; its recipients are: {recipients}"
    )


class DataTampered(SecretError):
    what: str
    detail: str
    template = "{what}: {detail}: it was changed after it was written"
    hint_template = "do not use it; get another copy, and find out who can write there"


class ImageNotSealed(SecretError):
    """A key was named, so a sealed image was expected: this one can be anybody's."""

    what: str
    template = "{what}: is not sealed, though a key was given"
    hint_template = (
        "if it was sealed, do not use it; an image that never was is restored without a key: "
        "leave --key out, and `key` in the configuration"
    )
