"""How a store is reached: what messages name, and what `doctor` says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from diskwright._values import Secretive
from diskwright.adapters.s3.answers import clock_skew
from diskwright.model.stored import EndpointFacts

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Way(Secretive, frozen=True):
    """`endpoint` and `proxy` hold no user name and no password; empty: none is known, or used.

    `account` tells whose requests they are: what the credentials were asked for by.
    A request takes no longer than `stall_s` and what its bytes need; None: no limit.
    """

    endpoint: str = ""
    addressing: str = "auto"
    proxy: str = ""
    ca_bundle: str = ""
    stall_s: float | None = None
    account: str = ""


def facts_of(client: S3Client, bucket: str, way: Way) -> EndpointFacts:
    """One request: HEAD of the bucket, whose answer has the server's time, a refusal's too."""
    try:
        answer = client.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]
    except client.exceptions.ClientError as error:
        answer = error.response["ResponseMetadata"]["HTTPHeaders"]
    skew = clock_skew(answer.get("date", ""))
    return EndpointFacts(
        url=way.endpoint,
        addressing=_addressing(client, bucket),
        region=answer.get("x-amz-bucket-region") or client.meta.region_name or "",
        clock_skew_s=round(skew) if skew is not None else None,
        tls=way.endpoint.startswith("https:"),
        ca_bundle=way.ca_bundle,
        proxy=way.proxy,
    )


def proxy_for(endpoint: str, given: dict[str, str]) -> str:
    """The proxy that requests to `endpoint` go through: the given one, else the environment's.

    boto3 reads HTTPS_PROXY, HTTP_PROXY and NO_PROXY where none was given, as curl does.
    """
    from botocore.utils import get_environ_proxies

    proxies = given or get_environ_proxies(endpoint)
    chosen = proxies.get(urlsplit(endpoint).scheme, "")
    return chosen.rpartition("@")[2].rpartition("//")[2].rstrip("/")


def _addressing(client: S3Client, bucket: str) -> str:
    """As boto3 addresses the bucket: `auto` is its choice, by endpoint and by name."""
    signed = client.generate_presigned_url("head_bucket", Params={"Bucket": bucket})
    return "virtual" if (urlsplit(signed).hostname or "").startswith(f"{bucket}.") else "path"
