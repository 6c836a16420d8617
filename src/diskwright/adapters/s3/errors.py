"""botocore's errors as ours, in one place.

No message of the server or of botocore goes into ours: it may hold addresses with passwords, keys
or terminal codes. The code of an answer (`SlowDown`) is kept, cut to its lawful letters.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from diskwright.errors import (
    BucketMissing,
    DiskwrightError,
    ObjectMissing,
    RemoteRefused,
    RemoteUnable,
    RemoteUnreachable,
    TargetExists,
    UsageError,
)

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

# Answers that may be other ones a moment later. BadDigest: the body was damaged on its way.
TRANSIENT_CODES = frozenset(
    {
        "BadDigest",
        "ConditionalRequestConflict",
        "IncompleteBody",
        "InternalError",
        "OperationAborted",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
    }
)

REASONS = {
    "BadDigest": "the bytes that came there do not have their MD5",
    "AccessDenied": "access denied",
    "AllAccessDisabled": "access to the bucket is disabled",
    "AuthorizationHeaderMalformed": "the bucket is in another region",
    "ExpiredToken": "the session token has expired",
    "InvalidAccessKeyId": "the access key is not known there",
    "InvalidToken": "the session token is not valid",
    "IllegalLocationConstraintException": "the bucket is in another region",
    "PermanentRedirect": "the bucket is at another endpoint or in another region",
    "RequestTimeTooSkewed": "this machine's clock differs from the server's by too much",
    "SignatureDoesNotMatch": "the secret key does not fit the access key",
    "NoSuchUpload": "the upload is gone",
}


def code_of(error: ClientError) -> str:
    """`NoSuchKey`, or the status as digits where the answer has no body (HEAD)."""
    code = str(error.response.get("Error", {}).get("Code") or status_of(error))
    return re.sub(r"[^A-Za-z0-9._-]", "", code)[:64] or "unknown"


def status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


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
        | ResponseParserError,
    )


def translate(
    error: Exception, *, endpoint: str, bucket: str, operation: str, key: str
) -> DiskwrightError:
    """`error` is any of botocore's; the answer is never one of botocore's."""
    from botocore import exceptions
    from botocore.parsers import ResponseParserError

    if isinstance(error, exceptions.ClientError):
        return _answered(error, endpoint, bucket, operation, key)
    name = type(error).__name__
    if isinstance(
        error,
        exceptions.NoCredentialsError
        | exceptions.PartialCredentialsError
        | exceptions.CredentialRetrievalError,
    ):
        return RemoteRefused(endpoint, operation, "no credentials were found")
    if isinstance(error, exceptions.ProfileNotFound):
        return UsageError("there is no such profile in the AWS configuration", "aws configure list")
    if isinstance(error, exceptions.ParamValidationError | exceptions.InvalidRegionError):
        return UsageError(f"{bucket} or its region is not a valid name", "check s3://BUCKET/PREFIX")
    if isinstance(error, exceptions.SSLError):
        return RemoteUnreachable(endpoint, "its certificate is not trusted, or it speaks no TLS")
    if isinstance(error, exceptions.ProxyConnectionError):
        return RemoteUnreachable(endpoint, "the proxy does not answer")
    if isinstance(error, exceptions.ConnectTimeoutError):
        return RemoteUnreachable(endpoint, "no connection within the time limit")
    if isinstance(error, exceptions.ReadTimeoutError):
        return RemoteUnreachable(endpoint, "no answer within the time limit")
    if isinstance(error, exceptions.EndpointConnectionError):
        return RemoteUnreachable(endpoint, "the name does not resolve, or nothing listens there")
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
        return RemoteUnreachable(endpoint, f"the connection broke ({name})")
    if isinstance(error, exceptions.IncompleteReadError | ResponseParserError):
        return RemoteUnreachable(endpoint, f"its answer was damaged or cut short ({name})")
    return RemoteRefused(endpoint, operation, name)


def _answered(
    error: ClientError, endpoint: str, bucket: str, operation: str, key: str
) -> DiskwrightError:
    code, status = code_of(error), status_of(error)
    if code == "NoSuchBucket":
        return BucketMissing(bucket)
    if code == "NoSuchUpload":
        return RemoteRefused(endpoint, operation, REASONS[code])
    if code in ("NoSuchKey", "404") or status == 404:
        return ObjectMissing(key)
    if code in ("PreconditionFailed", "412") or status == 412:
        return TargetExists(key)
    if code == "NotImplemented" or status == 501:
        return RemoteUnable(endpoint, operation)
    if code in REASONS:
        return RemoteRefused(endpoint, operation, REASONS[code])
    if is_transient(error):
        return RemoteUnreachable(endpoint, f"it kept answering {status} {code}")
    return RemoteRefused(endpoint, operation, f"{status} {code}")
