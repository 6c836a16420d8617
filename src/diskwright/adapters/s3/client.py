"""The one place that builds a boto3 client.

What is set here and why:
  checksums `when_required`   several stores refuse boto3's own trailing checksums, and some keep
                              them inside the object (boto3 issue 4435); we send Content-MD5
  payload not signed          OBS takes UNSIGNED-PAYLOAD (its FAQ 0274); Content-MD5 guards it
  one attempt                 retries are ours: `retry.py` alone decides how often and how long
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlsplit

from diskwright._values import Secretive, field
from diskwright.adapters.s3.answers import named_region
from diskwright.adapters.s3.errors import translate
from diskwright.adapters.s3.retry import RetryPolicy
from diskwright.adapters.s3.store import S3Store
from diskwright.adapters.s3.way import Way, proxy_for
from diskwright.errors import UsageError
from diskwright.ports import CancelToken

if TYPE_CHECKING:
    from botocore.loaders import Loader

ADDRESSING = ("auto", "path", "virtual")
SSE = ("", "sse-kms", "sse-obs")
_CONNECTIONS = 16  # kept open: an upload's workers and whatever else asks meanwhile


class S3Settings(Secretive, frozen=True):
    """What is None or empty is left to boto3: its files, variables and defaults."""

    endpoint_url: str | None = None
    region: str | None = None
    addressing: str = "auto"  # one of ADDRESSING
    ca_bundle: str | None = None
    proxies: Mapping[str, str] = field(default_factory=dict)  # may hold passwords
    profile: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    session_token: str | None = None
    connect_timeout_s: float = 10
    read_timeout_s: float = 60
    sse: str = ""  # one of SSE: encrypted at rest with a key of the key service, or the store's own
    kms_key_id: str | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)


def parse_url(url: str) -> tuple[str, str]:
    """Bucket and prefix of `s3://BUCKET[/PREFIX]`. Raises UsageError."""
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    prefix = prefix.strip("/")
    if not url.startswith("s3://") or not bucket or ".." in prefix.split("/"):
        raise UsageError(f"not a bucket: {url}", "write s3://BUCKET or s3://BUCKET/PREFIX")
    return bucket, prefix


def connect(url: str, settings: S3Settings, *, cancel: CancelToken | None = None) -> S3Store:
    """A store over `url`; nothing is sent yet. Raises UsageError (also: no such profile).

    With `cancel` no request outlasts the user's wish to stop.
    """
    bucket, prefix = parse_url(url)
    _check("addressing style", settings.addressing, ADDRESSING)
    _check("server-side encryption", settings.sse, SSE)
    if settings.ca_bundle:
        _check_bundle(settings.ca_bundle)

    import boto3
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    addressing = cast(Literal["auto", "path", "virtual"], settings.addressing)
    config = Config(
        signature_version="s3v4",
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=settings.connect_timeout_s,
        read_timeout=settings.read_timeout_s,
        max_pool_connections=_CONNECTIONS,
        proxies=dict(settings.proxies) or None,
        s3={"addressing_style": addressing, "payload_signing_enabled": False},
    )
    try:
        own = botocore.session.get_session()
        own.register_component("data_loader", _data(own.get_config_variable("data_path")))
        session = boto3.session.Session(
            botocore_session=own, profile_name=settings.profile, region_name=settings.region
        )
        client = session.client(
            "s3",
            endpoint_url=settings.endpoint_url,
            verify=settings.ca_bundle,
            aws_access_key_id=settings.access_key,
            aws_secret_access_key=settings.secret_key,
            aws_session_token=settings.session_token,
            config=config,
        )
    except BotoCoreError as error:
        raise translate(error, endpoint=url, bucket=bucket, operation="connect", key="") from error
    except ValueError as error:  # an endpoint that is no URL
        raise UsageError(
            "the endpoint is not a URL", "write it as https://HOST[:PORT], without the bucket"
        ) from error
    client.meta.events.register_first("needs-retry.s3", _only_to_a_named_region)
    return S3Store(
        client,
        bucket=bucket,
        prefix=prefix,
        url=url.rstrip("/"),
        way=Way(
            endpoint=_without_secrets(client.meta.endpoint_url),
            addressing=settings.addressing,
            proxy=proxy_for(client.meta.endpoint_url, dict(settings.proxies)),
            ca_bundle=settings.ca_bundle or "",
            stall_s=settings.connect_timeout_s + settings.read_timeout_s,
            account=f"{settings.access_key or ''} {settings.profile or ''}",
        ),
        sse=settings.sse,
        kms_key_id=settings.kms_key_id,
        retry=settings.retry,
        cancel=cancel,
    )


@cache
def _data(path: str | None) -> Loader:
    """botocore's descriptions of the service, for all sessions of the process: each would read its
    own, which takes longer than a request. Nobody changes what it gives."""
    from botocore.loaders import Loader, create_loader

    class Data(Loader):
        @property
        def search_paths(self) -> list[str]:
            return list(super().search_paths)  # boto3 adds its own with each session

    found = create_loader(path).search_paths
    return Data(extra_search_paths=found, include_default_search_paths=False)


def _check(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"{what}: {value!r} is not known", f"use {', '.join(filter(None, known))}")


def _check_bundle(path: str) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError as error:  # ssl.SSLError is one
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise UsageError(
            f"ca_bundle: {path}: can't be used: {reason}", "name a file of certificates in PEM"
        ) from error


def _only_to_a_named_region(
    request_dict: dict[str, Any], response: tuple[Any, dict[str, Any]] | None, **_: object
) -> None:
    """Let botocore sign again for another region only where the answer itself names one.

    Otherwise it looks for the region by HEAD, whose answer makes it look again: a server that
    redirects every request gets hundreds of them, until the stack is full (botocore 1.44).
    """
    redirect = request_dict.get("context", {}).get("s3_redirect")
    if redirect is not None and response is not None and not named_region(response[1]):
        redirect["redirected"] = True


def _without_secrets(endpoint_url: str) -> str:
    parts = urlsplit(endpoint_url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
