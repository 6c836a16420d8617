"""A bucket, with what the settings say of S3."""

from __future__ import annotations

from diskwright.config import S3Settings
from diskwright.ports import CancelToken, ObjectStore


def bucket(url: str, given: S3Settings, *, sse: str, cancel: CancelToken | None) -> ObjectStore:
    """`s3://BUCKET[/PREFIX]`; `sse` is what new objects are encrypted with at rest."""
    from diskwright.adapters import s3

    return s3.connect(
        url,
        s3.S3Settings(
            endpoint_url=given.endpoint_url or None,
            region=given.region or None,
            addressing=given.addressing_style,
            ca_bundle=given.ca_bundle or None,
            proxies={"http": given.proxy, "https": given.proxy} if given.proxy else {},
            profile=given.credentials_profile or None,
            connect_timeout_s=given.connect_timeout_s,
            read_timeout_s=given.read_timeout_s,
            retry=s3.RetryPolicy(patience_s=given.patience_s),
            sse=sse,
            kms_key_id=given.kms_key_id or None,
        ),
        cancel=cancel,
    )
