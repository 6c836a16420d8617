"""What a refusal of a store means, in words, with what to do about it.

A store's answer is not trusted: of it only names in lawful letters, numbers and times are used.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http.client import responses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_RENEW = "renew the session (aws sso login, or new AWS_… variables), then run this again"
_GIVE_CREDENTIALS = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run: aws configure"
)
_VIRTUAL = "--addressing-style virtual"
_PATH = "--addressing-style path"
_SKEW_LIMIT_S = 15 * 60  # AWS S3 and OBS (FAQ 0274) refuse what is signed further off

REASONS = {
    "BadDigest": "the bytes that came there do not have their MD5",
    "AccessDenied": "access denied",
    "AllAccessDisabled": "access to the bucket is disabled",
    "InvalidAccessKeyId": "the access key is not known there",
    "InvalidPart": "a part that it holds is not the one that was sent",
    "NoSuchUpload": "the upload is gone",
    "SignatureDoesNotMatch": "the secret key does not fit the access key",
}
_EXPIRED = {
    "ExpiredToken": "the session has expired",
    "ExpiredTokenException": "the session has expired",
    "RequestExpired": "the session has expired",
    "TokenRefreshRequired": "the session has to be renewed",
    "InvalidToken": "the session token is not valid",
}
_ELSEWHERE = frozenset(
    {
        "301",
        "302",
        "307",
        "308",
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
        "InvalidRegion",
        "PermanentRedirect",
        "Redirect",
        "TemporaryRedirect",
    }
)
# By OBS, Aliyun OSS and Tencent COS, in this order.
_VIRTUAL_ONLY = frozenset(
    {"VirtualHostDomainRequired", "SecondLevelDomainForbidden", "PathStyleDomainForbidden"}
)


def code_of(error: ClientError) -> str:
    """`NoSuchKey`, or the status as digits where the answer has no body (HEAD)."""
    code = str(error.response.get("Error", {}).get("Code") or status_of(error))
    return re.sub(r"[^A-Za-z0-9._-]", "", code)[:64] or "unknown"


def status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def in_words(status: int, code: str) -> str:
    """`503 SlowDown`, or `403 Forbidden` where the answer gives no code."""
    if code != str(status):
        return f"{status} {code}"
    return f"{status} {responses.get(status, '')}".rstrip()


def known(error: ClientError, bucket: str) -> tuple[str, str] | None:
    """Reason and hint (empty: the usual one); None where nothing special is known of it."""
    code = code_of(error)
    if code == "RequestTimeTooSkewed" or (status_of(error) in (400, 403) and _far_off(error)):
        return _skewed(clock_skew(_header(error, "date")))
    if code in _EXPIRED:
        return _EXPIRED[code], _RENEW
    if code in _VIRTUAL_ONLY:
        return "it takes buckets as part of the host name only", _VIRTUAL
    if code in _ELSEWHERE or status_of(error) in (301, 302, 307, 308):
        return _elsewhere(error, bucket)
    return (REASONS[code], "") if code in REASONS else None


def without_credentials(error: Exception) -> tuple[str, str]:
    """Reason and hint where no request could even be signed."""
    from botocore import exceptions

    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return f"{_lacking(error)}, and nothing was sent", _GIVE_CREDENTIALS
    return "the credentials could not be had or renewed", "try: aws sts get-caller-identity"


def _lacking(error: Exception) -> str:
    from botocore import exceptions

    if not isinstance(error, exceptions.PartialCredentialsError):
        return "no credentials were found"
    names = {
        "access_key": "AWS_ACCESS_KEY_ID",
        "secret_key": "AWS_SECRET_ACCESS_KEY",
        "aws_access_key_id": "AWS_ACCESS_KEY_ID",
        "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
    }
    missing = names.get(str(getattr(error, "kwargs", {}).get("cred_var", "")).lower(), "a part")
    return f"of the credentials {missing} is missing"


def other_addressing(addressing: str) -> str:
    """The hint where a bucket is not found: a host name may have been taken for none of it."""
    if addressing != "virtual":
        return ""
    return f"make it, or correct its name; or the store takes buckets in the path: {_PATH}"


def asks_to_wait(error: Exception) -> float:
    """Seconds of Retry-After (RFC 9110 section 10.2.3); 0 where nothing or nonsense is said."""
    from botocore.exceptions import ClientError

    text = _header(error, "retry-after") if isinstance(error, ClientError) else ""
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    moment = _moment(text)
    return max(0.0, moment - time.time()) if moment is not None else 0.0


def clock_skew(date: str) -> float | None:
    """Seconds that this machine's clock is ahead of an answer's Date; None where it has none."""
    moment = _moment(date)
    return time.time() - moment if moment is not None else None


def _skewed(skew: float | None) -> tuple[str, str]:
    far = ""
    if skew is not None and abs(skew) > 1:
        far = f": it is {_duration(abs(skew))} {'ahead' if skew > 0 else 'behind'}"
    return f"this machine's clock differs from the server's by too much{far}", (
        "set the clock: timedatectl set-ntp true"
    )


def _far_off(error: ClientError) -> bool:
    """A refusal that does not say so is of the clock all the same: nothing else would be signed."""
    skew = clock_skew(_header(error, "date"))
    return skew is not None and abs(skew) > _SKEW_LIMIT_S


def _duration(seconds: float) -> str:
    whole = int(seconds)
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def _elsewhere(error: ClientError, bucket: str) -> tuple[str, str]:
    """Another region or host. Nothing was sent there: that is the user's to decide."""
    region = named_region(error.response)
    if region:
        return f"the bucket is in the region {region}", f"--region {region}"
    host = _lawful(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", _said(error, "Endpoint"))
    if not host:
        host = _lawful(
            r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?",
            re.sub(r"^https?://([^/?#]*).*$", r"\1", _header(error, "location")),
        )
    if host:
        host = host.removeprefix(f"{bucket}.")
        return (
            f"it sends us to {host}, and nothing was sent there",
            f"if you know that host: --endpoint-url https://{host}",
        )
    return "the bucket is in another region or at another endpoint", "name it: --region REGION"


def named_region(answer: Mapping[str, Any]) -> str:
    """The region that an answer says the bucket is in; empty where it names none."""
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    named = headers.get("x-amz-bucket-region") or answer.get("Error", {}).get("Region") or ""
    return _lawful(r"[a-z][a-z0-9-]{0,39}", str(named))


def _lawful(pattern: str, text: str) -> str:
    return text if re.fullmatch(pattern, text) else ""


def _header(error: ClientError, name: str) -> str:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return str(headers.get(name, ""))


def _said(error: ClientError, name: str) -> str:
    said: dict[str, object] = dict(error.response.get("Error", {}))
    return str(said.get(name, ""))


def _moment(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
