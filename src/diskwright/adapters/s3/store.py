"""An ObjectStore over a bucket. Every request carries what the server needs to verify its bytes."""

from __future__ import annotations

import hashlib
import threading
from base64 import b64encode
from collections.abc import Iterator, Sequence
from functools import partial
from typing import IO, TYPE_CHECKING, Any, cast

from diskwright.adapters.s3.body import Body
from diskwright.adapters.s3.errors import code_of, status_of
from diskwright.adapters.s3.probe import try_everything
from diskwright.adapters.s3.retry import Caller, RetryPolicy
from diskwright.adapters.s3.settle import SentParts
from diskwright.errors import DiskwrightError, ObjectMissing, RemoteUnable
from diskwright.model.stored import ObjectInfo, OpenUpload, StoreCapabilities

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef


class S3Store:
    """`client` makes one attempt a call; retries are made here. Safe for many threads.

    `endpoint` is for messages, so it holds no user name and no password.
    """

    def __init__(
        self,
        client: S3Client,
        *,
        bucket: str,
        prefix: str = "",
        url: str = "",
        endpoint: str = "",
        sse: str = "",
        kms_key_id: str | None = None,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._url = url or "/".join(filter(None, ("s3:/", bucket, prefix)))
        self._call = Caller(retry or RetryPolicy(), endpoint=endpoint or self._url, bucket=bucket)
        self._encryption = _encryption(sse, kms_key_id)
        self._sent: dict[str, SentParts] = {}
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return self._url

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
        condition: dict[str, Any] = {"IfNoneMatch": "*"} if if_absent else {}
        self._call(
            "put",
            key,
            lambda: self._client.put_object(
                Bucket=self._bucket,
                Key=self._prefix + key,
                Body=data,
                ContentMD5=_base64(content_md5),
                **self._encryption,
                **condition,
            ),
            attempts=attempts,
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
            return answer["Body"].read()

        return self._call("get", key, fetch)

    def head(self, key: str) -> ObjectInfo | None:
        try:
            answer = self._call(
                "head",
                key,
                lambda: self._client.head_object(Bucket=self._bucket, Key=self._prefix + key),
            )
        except ObjectMissing:
            return None
        return ObjectInfo(key, answer["ContentLength"], answer.get("ETag", "").strip('"') or None)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """By version 1 of the request: OBS documents no other. Not every store keeps an order."""
        marker = ""
        while True:
            answer = self._call(
                "list",
                prefix,
                partial(
                    self._client.list_objects,
                    Bucket=self._bucket,
                    Prefix=self._prefix + prefix,
                    Marker=marker,
                ),
            )
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

    def create_upload(self, key: str, *, part_size: int) -> str:
        del part_size  # S3 learns it from the parts
        answer = self._call(
            "create_upload",
            key,
            lambda: self._client.create_multipart_upload(
                Bucket=self._bucket, Key=self._prefix + key, **self._encryption
            ),
        )
        upload_id = answer["UploadId"]
        with self._lock:
            self._sent[upload_id] = SentParts()
        return upload_id

    def put_part(self, key: str, upload_id: str, number: int, data: memoryview) -> str:
        digest = md5(data)
        answer = self._call(
            "put_part",
            key,
            lambda: self._client.upload_part(
                Bucket=self._bucket,
                Key=self._prefix + key,
                UploadId=upload_id,
                PartNumber=number,
                Body=cast(IO[bytes], Body(data)),
                ContentMD5=_base64(digest),
            ),
        )
        etag = answer["ETag"]
        self._sent_parts(upload_id).note(number, len(data), etag, digest)
        return etag

    def copy_part(
        self, key: str, upload_id: str, number: int, source: str, offset: int, length: int
    ) -> str:
        answer = self._call(
            "copy_part",
            key,
            lambda: self._client.upload_part_copy(
                Bucket=self._bucket,
                Key=self._prefix + key,
                UploadId=upload_id,
                PartNumber=number,
                CopySource={"Bucket": self._bucket, "Key": self._prefix + source},
                CopySourceRange=f"bytes={offset}-{offset + length - 1}",
            ),
        )
        etag = answer["CopyPartResult"]["ETag"]
        self._sent_parts(upload_id).note(number, length, etag, None)
        return etag

    def complete_upload(self, key: str, upload_id: str, etags: Sequence[str]) -> None:
        """Without a condition: the key is unique. A lost answer is settled by a look at the key."""
        parts: list[CompletedPartTypeDef] = [
            {"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, start=1)
        ]

        def complete() -> None:
            try:
                self._client.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=self._prefix + key,
                    UploadId=upload_id,
                    MultipartUpload={"Parts": parts},
                )
            except self._client.exceptions.ClientError as error:
                lost = code_of(error) in ("NoSuchUpload", "404", "PreconditionFailed", "412")
                if not (lost and self._is_there(key, upload_id, etags)):
                    raise

        try:
            self._call("complete_upload", key, complete)
        except DiskwrightError:
            # The last answer may be lost too, and with it the only news of a success.
            if not self._is_there(key, upload_id, etags):
                raise
        with self._lock:
            self._sent.pop(upload_id, None)

    def abort_upload(self, key: str, upload_id: str) -> None:
        def abort() -> None:
            try:
                self._client.abort_multipart_upload(
                    Bucket=self._bucket, Key=self._prefix + key, UploadId=upload_id
                )
            except self._client.exceptions.ClientError as error:
                if code_of(error) not in ("NoSuchUpload", "NoSuchKey", "404"):
                    raise

        self._call("abort_upload", key, abort)
        with self._lock:
            self._sent.pop(upload_id, None)

    def list_uploads(self, prefix: str) -> Iterator[OpenUpload]:
        at: dict[str, str] = {"KeyMarker": "", "UploadIdMarker": ""}
        while True:
            markers: dict[str, Any] = {name: value for name, value in at.items() if value}
            answer = self._call(
                "list_uploads",
                prefix,
                partial(
                    self._client.list_multipart_uploads,
                    Bucket=self._bucket,
                    Prefix=self._prefix + prefix,
                    **markers,
                ),
            )
            for upload in answer.get("Uploads", []):
                yield OpenUpload(upload["Key"].removeprefix(self._prefix), upload["UploadId"])
            following = {
                "KeyMarker": answer.get("NextKeyMarker", ""),
                "UploadIdMarker": answer.get("NextUploadIdMarker", ""),
            }
            if not answer.get("IsTruncated"):
                return
            if following == at:
                raise RemoteUnable(self._url, "list its uploads page by page")
            at = following

    def probe(self) -> StoreCapabilities:
        return try_everything(self)

    def _is_there(self, key: str, upload_id: str, etags: Sequence[str]) -> bool:
        found = self.head(key)
        return found is not None and self._sent_parts(upload_id).made(found, etags)

    def _sent_parts(self, upload_id: str) -> SentParts:
        with self._lock:
            return self._sent.get(upload_id) or SentParts()  # begun elsewhere: nothing is known


def md5(data: bytes | memoryview) -> bytes:
    """What Content-MD5 wants: a guard against damage on the way, not against people."""
    return hashlib.md5(data, usedforsecurity=False).digest()


def _base64(digest: bytes) -> str:
    return b64encode(digest).decode()


def _encryption(sse: str, kms_key_id: str | None) -> dict[str, Any]:
    """Encryption at rest by the store: SSE-KMS, or with the store's own keys (SSE-OBS, SSE-S3)."""
    if sse == "sse-kms":
        key = {"SSEKMSKeyId": kms_key_id} if kms_key_id else {}
        return {"ServerSideEncryption": "aws:kms", **key}
    return {"ServerSideEncryption": "AES256"} if sse == "sse-obs" else {}
