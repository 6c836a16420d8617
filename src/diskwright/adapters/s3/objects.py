"""Whole objects of a bucket. Every request carries what the server needs to verify its bytes."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from diskwright.adapters.s3.answers import status_of
from diskwright.adapters.s3.errors import NotAStore
from diskwright.adapters.s3.retry import Caller, RetryPolicy
from diskwright.adapters.s3.settle import SentUploads
from diskwright.adapters.s3.way import Way
from diskwright.errors import BucketMissing, ObjectMissing, RemoteRefused, RemoteUnable
from diskwright.model.stored import ObjectInfo
from diskwright.ports import CancelToken

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef, ListObjectsOutputTypeDef

T = TypeVar("T", bound=Mapping[str, Any])


class S3Objects:
    """`client` makes one attempt a call; retries are made here. Safe for many threads."""

    def __init__(
        self,
        client: S3Client,
        *,
        bucket: str,
        way: Way,
        prefix: str = "",
        url: str = "",
        sse: str = "",
        kms_key_id: str | None = None,
        retry: RetryPolicy | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._url = url or "/".join(filter(None, ("s3:/", bucket, prefix)))
        self._place = f"s3://{bucket}/{prefix} at {way.endpoint}"
        self._way = way
        self._call = Caller(
            retry or RetryPolicy(),
            endpoint=way.endpoint or self._url,
            bucket=bucket,
            cancel=cancel,
            addressing=way.addressing,
            stall_s=way.stall_s,
        )
        self._encryption = _encryption(sse, kms_key_id)
        self._sent = SentUploads()
        self._bucket_seen = False

    @property
    def url(self) -> str:
        return self._url

    @property
    def place(self) -> str:
        return self._place

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        self.put_checked(key, data, md5(data), if_absent=if_absent)

    def put_checked(
        self,
        key: str,
        data: bytes,
        content_md5: bytes,
        *,
        if_absent: bool = False,
        attempts: int | None = None,
    ) -> None:
        """`put` with the digest that the server is to find (`probe` gives a wrong one, once)."""
        self.check_bucket()
        condition: dict[str, Any] = {"IfNoneMatch": "*"} if if_absent else {}
        self._call(
            "put",
            key,
            lambda: said(
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=self._prefix + key,
                    Body=data,
                    ContentMD5=base64_of(content_md5),
                    **self._encryption,
                    **condition,
                ),
                "ETag",
            ),
            attempts=attempts,
            moved=len(data),
        )

    def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        if length == 0:
            if self.head(key) is None:
                raise ObjectMissing(key)
            return b""
        last = "" if length is None else str(offset + length - 1)
        wanted: dict[str, Any] = {"Range": f"bytes={offset}-{last}"} if offset or last else {}

        def fetch() -> bytes:
            try:
                answer = self._client.get_object(
                    Bucket=self._bucket,
                    Key=self._prefix + key,
                    **wanted,
                )
            except self._client.exceptions.ClientError as error:
                if status_of(error) == 416:  # RFC 9110 section 15.5.17: it begins past the end
                    return b""
                raise
            return said(answer, "ETag")["Body"].read()

        return self._call("get", key, fetch, moved=length)

    def head(self, key: str) -> ObjectInfo | None:
        try:
            answer = self._call(
                "head",
                key,
                partial(self._head, key),
            )
        except ObjectMissing:
            return None
        return ObjectInfo(key, answer["ContentLength"], answer.get("ETag", "").strip('"') or None)

    def _head(self, key: str) -> HeadObjectOutputTypeDef:
        """A refusal of HEAD has no body, and so no reason: GET says it."""
        try:
            answer = self._client.head_object(Bucket=self._bucket, Key=self._prefix + key)
        except self._client.exceptions.ClientError as error:
            if status_of(error) in (400, 403):
                self._client.get_object(
                    Bucket=self._bucket, Key=self._prefix + key, Range="bytes=0-0"
                )["Body"].close()
            raise
        return said(said(answer, "ETag"), "ContentLength")

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """By version 1 of the request: OBS documents no other. Not every store keeps an order."""
        marker = ""
        while True:
            answer = self._call("list", prefix, partial(self._page, prefix, marker))
            found = answer.get("Contents", [])
            for item in found:
                etag = item.get("ETag", "").strip('"') or None
                yield ObjectInfo(item["Key"].removeprefix(self._prefix), item["Size"], etag)
            following = answer.get("NextMarker") or (found[-1]["Key"] if found else "")
            if not answer.get("IsTruncated"):
                return
            if following == marker:
                raise RemoteUnable(self._url, "list its objects page by page")
            marker = following

    def _page(self, prefix: str, marker: str) -> ListObjectsOutputTypeDef:
        answer = self._client.list_objects(
            Bucket=self._bucket, Prefix=self._prefix + prefix, Marker=marker
        )
        for item in answer.get("Contents", []):
            said(said(item, "Key"), "Size")
        return said(answer, "Name", "IsTruncated")

    def delete(self, key: str) -> None:
        """One by one: deletion in bulk wants a checksum header that OBS does not take."""
        try:
            self._call(
                "delete",
                key,
                lambda: self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key),
            )
        except ObjectMissing:
            return

    def check_bucket(self) -> None:
        """Once, before the first write: some servers make a bucket of any name that is written to.

        Who may not look is let through: the write will show.
        """
        if self._bucket_seen:
            return
        try:
            self._call(
                "look for the bucket", "", partial(self._client.head_bucket, Bucket=self._bucket)
            )
        except ObjectMissing as error:
            raise BucketMissing(self._bucket) from error
        except RemoteRefused:
            pass
        self._bucket_seen = True


def said(answer: T, *names: str) -> T:
    """`answer`, if it says one of `names`, as every S3 service does. Raises NotAStore.

    Another web server's page may well come with status 200, and read as an empty answer.
    """
    if not any(name in answer for name in names):
        raise NotAStore
    return answer


def md5(data: bytes | memoryview) -> bytes:
    """What Content-MD5 wants: a guard against damage on the way, not against people."""
    return hashlib.md5(data, usedforsecurity=False).digest()


def base64_of(digest: bytes) -> str:
    return b64encode(digest).decode()


def _encryption(sse: str, kms_key_id: str | None) -> dict[str, Any]:
    """Encryption at rest by the store: SSE-KMS, or with the store's own keys (SSE-OBS, SSE-S3)."""
    if sse == "sse-kms":
        key = {"SSEKMSKeyId": kms_key_id} if kms_key_id else {}
        return {"ServerSideEncryption": "aws:kms", **key}
    return {"ServerSideEncryption": "AES256"} if sse == "sse-obs" else {}
