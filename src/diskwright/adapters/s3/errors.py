"""botocore's errors as ours, in one place.

No message of the server or of botocore goes into ours: it may hold addresses with passwords, keys
or terminal codes. The code of an answer (`SlowDown`) is kept, cut to its lawful letters; what else
a line says of an answer is in `answers.py`, of a connection in `network.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diskwright.adapters.s3 import answers, network
from diskwright.adapters.s3.answers import code_of, status_of
from diskwright.errors import (
    BucketMissing,
    DiskwrightError,
    NoCredentials,
    ObjectMissing,
    RemoteRefused,
    RemoteUnable,
    RemoteUnreachable,
    TargetExists,
    UsageError,
)

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

# "Come again later": a store that is busy, not one that is broken.
BUSY_CODES = frozenset(
    {"ServiceUnavailable", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequests"}
)
# Answers that may be other ones a moment later. BadDigest: the body was damaged on its way.
TRANSIENT_CODES = BUSY_CODES | {
    "BadDigest",
    "ConditionalRequestConflict",
    "IncompleteBody",
    "InternalError",
    "OperationAborted",
    "RequestTimeout",
    "RequestTimeoutException",
}


class NotAStore(Exception):
    """An answer without what every S3 service says: a portal's, a console's, or one of which the
    network has cut all but the status.
    """


class TooSlow(Exception):
    """A request took longer than its bytes can need."""


OURS = (NotAStore, TooSlow)


def is_busy(error: Exception) -> bool:
    """Does the store ask to be left alone for a while?"""
    from botocore.exceptions import ClientError

    return isinstance(error, ClientError) and (
        status_of(error) in (429, 503) or code_of(error) in BUSY_CODES
    )


def is_transient(error: Exception) -> bool:
    """Is it worth to ask again?"""
    from botocore import exceptions
    from botocore.parsers import ResponseParserError

    if isinstance(error, exceptions.ClientError):
        status = status_of(error)
        overloaded = status == 429 or (status >= 500 and status != 501)
        return overloaded or code_of(error) in TRANSIENT_CODES
    if isinstance(error, exceptions.SSLError | exceptions.ProxyConnectionError):
        return False
    return isinstance(
        error,
        exceptions.HTTPClientError
        | exceptions.ConnectionError
        | exceptions.IncompleteReadError
        | ResponseParserError
        | NotAStore
        | TooSlow,
    )


def translate(
    error: Exception,
    *,
    endpoint: str,
    bucket: str,
    operation: str,
    key: str,
    addressing: str = "auto",
) -> DiskwrightError:
    """`error` is any of botocore's or of `OURS`; the answer is never one of them."""
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        return _answered(error, endpoint, bucket, operation, key, addressing)
    if isinstance(
        error,
        exceptions.NoCredentialsError
        | exceptions.PartialCredentialsError
        | exceptions.CredentialRetrievalError
        | exceptions.RefreshWithMFAUnsupportedError
        | exceptions.SSOError
        | exceptions.TokenRetrievalError,
    ):
        reason, hint = answers.without_credentials(error)
        return NoCredentials(endpoint, operation, reason, hint)
    if isinstance(error, exceptions.ProfileNotFound):
        return UsageError("there is no such profile in the AWS configuration", "aws configure list")
    if isinstance(error, exceptions.ParamValidationError | exceptions.InvalidRegionError):
        return UsageError(f"{bucket} or its region is not a valid name", "check s3://BUCKET/PREFIX")
    if isinstance(error, NotAStore):
        hint = answers.other_addressing(addressing) or network.CHECK_ENDPOINT
        return RemoteUnreachable(endpoint, network.NO_STORE, hint)
    if isinstance(error, TooSlow):
        return RemoteUnreachable(endpoint, "its answers come too slowly to be waited for")
    told = network.broken(error, addressing)
    if told is not None:
        return RemoteUnreachable(endpoint, *told)
    return RemoteRefused(endpoint, operation, type(error).__name__)


def _answered(
    error: ClientError, endpoint: str, bucket: str, operation: str, key: str, addressing: str
) -> DiskwrightError:
    code, status = code_of(error), status_of(error)
    if code == "NoSuchBucket" or (code == "InvalidBucketName" and addressing == "virtual"):
        return BucketMissing(bucket, answers.other_addressing(addressing))
    told = answers.known(error, bucket)
    if told is not None:
        return RemoteRefused(endpoint, operation, *told)
    if code in ("NoSuchKey", "404") or status == 404:
        return ObjectMissing(key)
    if code in ("PreconditionFailed", "412") or status == 412:
        return TargetExists(key)
    if code == "NotImplemented" or status == 501:
        return RemoteUnable(endpoint, operation)
    if status == 407:
        return RemoteUnreachable(endpoint, network.PROXY_WANTS_LOGIN, network.PROXY_LOGIN)
    mute = code == str(status) and not error.operation_name.startswith("Head")
    if mute and status == 500:  # so botocore calls a page that is no XML, whatever its status
        return RemoteUnreachable(endpoint, network.NO_STORE, network.CHECK_ENDPOINT)
    what = answers.in_words(status, code)
    if is_transient(error):
        later = answers.asks_to_wait(error)
        wish = f" and asks to be left alone for {later:g} s" if later else ""
        return RemoteUnreachable(endpoint, f"it kept answering {what}{wish}")
    return RemoteRefused(endpoint, operation, what, network.CHECK_ENDPOINT if mute else "")
