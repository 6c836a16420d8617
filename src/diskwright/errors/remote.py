"""Exit code 13: the other side of the network."""

from __future__ import annotations

from diskwright.errors.base import DiskwrightError


class RemoteError(DiskwrightError):
    exit_code = 13
    kind = "remote"


class RemoteUnreachable(RemoteError):
    endpoint: str
    reason: str
    hint_text: str = ""
    template = "{endpoint} can't be reached: {reason}"
    hint_template = "check the endpoint and the network: diskwright doctor --to s3://BUCKET"


class RemoteRefused(RemoteError):
    endpoint: str
    operation: str
    reason: str
    hint_text: str = ""
    template = "{endpoint} refused {operation}: {reason}"
    hint_template = "check credentials and their rights: diskwright doctor --to s3://BUCKET"


class NoCredentials(RemoteRefused):
    """No request could be signed, so none was sent."""

    template = "{endpoint} can't be asked: {reason}"
    hint_template = "try: aws sts get-caller-identity"


class BucketMissing(RemoteError):
    bucket: str
    hint_text: str = ""
    template = "there is no bucket {bucket}"
    hint_template = "make it, or correct the name in s3://BUCKET/PREFIX"


class ObjectMissing(RemoteError):
    key: str
    template = "{key} is not there"
    hint_template = (
        "find out what else is missing: diskwright library check; of what prepare made, look for "
        "the image id in the target's manifests/"
    )


class RemoteUnable(RemoteError):
    """The endpoint lacks something that the verb needs (conditional puts, multipart copy)."""

    endpoint: str
    what: str
    template = "{endpoint} can't do {what}"
    hint_template = "see what it can do: diskwright doctor --to s3://BUCKET"
