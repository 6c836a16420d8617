"""An ObjectStore over a bucket: whole objects, and objects that are sent in parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import IO, TYPE_CHECKING, Any, cast

from diskwright._values import replace
from diskwright.adapters.s3.answers import code_of
from diskwright.adapters.s3.body import Body
from diskwright.adapters.s3.objects import S3Objects, base64_of, md5, said
from diskwright.adapters.s3.probe import try_everything
from diskwright.adapters.s3.way import facts_of
from diskwright.errors import Cancelled, DiskwrightError, RemoteUnable
from diskwright.model.stored import Foreign, OpenUpload, StoreCapabilities
from diskwright.ports import ObjectStore

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, ListMultipartUploadsOutputTypeDef


class S3Store(S3Objects):
    """For how one is made see `S3Objects`."""

    def create_upload(self, key: str, *, part_size: int) -> str:
        del part_size  # S3 learns it from the parts
        self.check_bucket()
        answer = self._call(
            "create_upload",
            key,
            lambda: said(
                self._client.create_multipart_upload(
                    Bucket=self._bucket, Key=self._prefix + key, **self._encryption
                ),
                "UploadId",
            ),
        )
        upload_id = answer["UploadId"]
        self._sent.begin(upload_id)
        return upload_id

    def put_part(self, key: str, upload_id: str, number: int, data: memoryview) -> str:
        digest = md5(data)
        answer = self._call(
            "put_part",
            key,
            lambda: said(
                self._client.upload_part(
                    Bucket=self._bucket,
                    Key=self._prefix + key,
                    UploadId=upload_id,
                    PartNumber=number,
                    Body=cast(IO[bytes], Body(data, look=self._call.patience.look)),
                    ContentMD5=base64_of(digest),
                ),
                "ETag",
            ),
            moved=len(data),
        )
        etag = answer["ETag"]
        self._sent.of(upload_id).note(number, len(data), etag, digest)
        return etag

    def copy_part(
        self, key: str, upload_id: str, number: int, source: str | Foreign, offset: int, length: int
    ) -> str:
        whence = Foreign(self._bucket, self._prefix + source) if isinstance(source, str) else source
        answer = self._call(
            "copy_part",
            key,
            lambda: said(
                self._client.upload_part_copy(
                    Bucket=self._bucket,
                    Key=self._prefix + key,
                    UploadId=upload_id,
                    PartNumber=number,
                    CopySource={"Bucket": whence.place, "Key": whence.key},
                    CopySourceRange=f"bytes={offset}-{offset + length - 1}",
                ).get("CopyPartResult", {}),
                "ETag",
            ),
            moved=None,
        )
        etag = answer["ETag"]
        self._sent.of(upload_id).note(number, length, etag, None)
        return etag

    def copy_source(self, other: ObjectStore, key: str) -> Foreign | None:
        """Any bucket of the endpoint, read with the credentials that both were made with."""
        if not isinstance(other, S3Store) or other._reached_by != self._reached_by:
            return None
        return Foreign(other._bucket, other._prefix + key)

    @property
    def _reached_by(self) -> tuple[str, str]:
        return self._way.endpoint, self._way.account

    def complete_upload(self, key: str, upload_id: str, etags: Sequence[str]) -> None:
        """Without a condition: the key is unique. A lost answer is settled by a look at the key."""
        parts: list[CompletedPartTypeDef] = [
            {"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, start=1)
        ]

        def complete() -> None:
            try:
                answer = self._client.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=self._prefix + key,
                    UploadId=upload_id,
                    MultipartUpload={"Parts": parts},
                )
                said(answer, "ETag", "Key", "Location")
            except self._client.exceptions.ClientError as error:
                lost = code_of(error) in ("NoSuchUpload", "404", "PreconditionFailed", "412")
                if not (lost and self._is_there(key, upload_id, etags)):
                    raise

        try:
            self._call("complete_upload", key, complete, moved=None)
        except Cancelled:
            raise
        except DiskwrightError:
            # The last answer may be lost too, and with it the only news of a success.
            if not self._is_there(key, upload_id, etags):
                raise
        self._sent.end(upload_id)

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
        self._sent.end(upload_id)

    def list_uploads(self, prefix: str) -> Iterator[OpenUpload]:
        at: dict[str, str] = {"KeyMarker": "", "UploadIdMarker": ""}
        while True:
            answer = self._call("list_uploads", prefix, partial(self._uploads_page, prefix, at))
            for upload in answer.get("Uploads", []):
                begun = upload.get("Initiated")
                yield OpenUpload(
                    upload["Key"].removeprefix(self._prefix),
                    upload["UploadId"],
                    int(begun.timestamp()) if begun is not None else None,
                )
            following = {
                "KeyMarker": answer.get("NextKeyMarker", ""),
                "UploadIdMarker": answer.get("NextUploadIdMarker", ""),
            }
            if not answer.get("IsTruncated"):
                return
            if following == at:
                raise RemoteUnable(self._url, "list its uploads page by page")
            at = following

    def _uploads_page(self, prefix: str, at: dict[str, str]) -> ListMultipartUploadsOutputTypeDef:
        markers: dict[str, Any] = {name: value for name, value in at.items() if value}
        answer = self._client.list_multipart_uploads(
            Bucket=self._bucket, Prefix=self._prefix + prefix, **markers
        )
        for upload in answer.get("Uploads", []):
            said(said(upload, "Key"), "UploadId")
        return said(answer, "Bucket", "IsTruncated")

    def probe(self) -> StoreCapabilities:
        able = try_everything(self)
        found = self._call("probe", "", partial(facts_of, self._client, self._bucket, self._way))
        return replace(able, endpoint=found)

    def _is_there(self, key: str, upload_id: str, etags: Sequence[str]) -> bool:
        found = self.head(key)
        return found is not None and self._sent.of(upload_id).made(found, etags)
