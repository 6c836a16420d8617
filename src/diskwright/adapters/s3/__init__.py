"""A bucket of an S3-compatible store: the `s3://BUCKET[/PREFIX]` destination.

Importing this package does not import boto3 (0.4 s); `connect` does.
"""

from diskwright.adapters.s3.client import S3Settings, connect, parse_url
from diskwright.adapters.s3.retry import RetryPolicy
from diskwright.adapters.s3.store import S3Store

__all__ = ["RetryPolicy", "S3Settings", "S3Store", "connect", "parse_url"]
