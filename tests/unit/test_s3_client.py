"""What connecting costs."""

from __future__ import annotations

from diskwright.adapters.s3 import client
from diskwright.adapters.s3.client import S3Settings, connect

SETTINGS = S3Settings("http://127.0.0.1:1", "us-east-1", access_key="none", secret_key="none")


def test_what_botocore_describes_is_read_once_a_process():
    connect("s3://one", SETTINGS)
    paths = list(client._data(None).search_paths)
    one, other = (connect(f"s3://{name}", SETTINGS)._client for name in ("one", "other"))
    assert one.meta.service_model.metadata is other.meta.service_model.metadata
    assert client._data(None).search_paths == paths
