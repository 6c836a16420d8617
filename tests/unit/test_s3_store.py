"""What of the bucket store can be told without a server: addresses, pauses, bodies, ETags."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from diskwright.adapters.s3 import S3Settings, connect, parse_url
from diskwright.adapters.s3.body import Body
from diskwright.adapters.s3.retry import RetryPolicy
from diskwright.adapters.s3.settle import SentParts, multipart_etag
from diskwright.errors import RemoteUnreachable, UsageError
from diskwright.model.stored import ObjectInfo

MD5_A, MD5_B = "0cc175b9c0f1b6a831c399e269772661", "92eb5ffee6ae2fec3ad71c777531578f"


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("s3://bucket", ("bucket", "")),
        ("s3://bucket/", ("bucket", "")),
        ("s3://bucket/a/b/", ("bucket", "a/b")),
    ],
)
def test_a_url_names_bucket_and_prefix(url, wanted):
    assert parse_url(url) == wanted


@pytest.mark.parametrize("url", ["s3://", "s3:///x", "http://b", "s3://b/../c", "bucket"])
def test_other_urls_are_refused_with_a_hint(url):
    with pytest.raises(UsageError) as caught:
        parse_url(url)
    assert "s3://BUCKET" in caught.value.hint


@pytest.mark.parametrize(
    "changes",
    [{"endpoint_url": "not a url"}, {"addressing": "sideways"}, {"sse": "rot13"}],
)
def test_settings_that_make_no_sense_are_errors_of_usage(changes):
    with pytest.raises(UsageError):
        connect("s3://bucket", S3Settings(region="us-east-1", **changes))


def test_no_setting_shows_a_secret_when_it_is_printed():
    text = repr(
        S3Settings(
            access_key="AK1", secret_key="SK1", session_token="ST1", proxies={"http": "u:PW1@h"}
        )
    )
    assert not [secret for secret in ("AK1", "SK1", "ST1", "PW1") if secret in text]


def test_an_endpoints_password_is_in_no_message():
    settings = S3Settings(
        endpoint_url="http://user:PW1@127.0.0.1:9",
        region="us-east-1",
        access_key="a",
        secret_key="b",
        retry=RetryPolicy(attempts=1),
    )
    with pytest.raises(RemoteUnreachable) as caught:
        connect("s3://bucket", settings).head("k")
    assert "PW1" not in caught.value.message
    assert "127.0.0.1:9" in caught.value.message


def test_pauses_grow_up_to_a_cap_and_are_drawn_at_random():
    policy = RetryPolicy(first_pause_s=1, longest_pause_s=4)
    seen = [policy.length(attempt) for attempt in (1, 2, 3, 4, 5) * 200]
    for attempt, cap in enumerate((1, 2, 4, 4, 4)):
        pauses = seen[attempt::5]
        assert all(0 <= pause <= cap for pause in pauses)
        assert max(pauses) > 0.8 * cap
        assert min(pauses) < 0.2 * cap


def test_a_body_reads_and_seeks_over_its_bytes_without_a_copy():
    data = bytearray(range(256)) * 4096
    body = Body(memoryview(data))
    assert len(body) == len(data)
    assert b"".join(iter(lambda: body.read(1000), b"")) == data
    assert (body.seek(-5, io.SEEK_END), bytes(body.read())) == (len(data) - 5, data[-5:])
    assert (body.seek(3), body.tell(), body.read(1).obj is data) == (3, 3, True)


def test_an_etag_of_parts_follows_from_theirs():
    # printf a | md5sum; printf b | md5sum; both digests joined, as bytes, through md5sum
    assert multipart_etag([f'"{MD5_A}"', MD5_B]) == "96e024ba2074fe77e8e965ba43a704be-2"
    assert multipart_etag(["opaque"]) is None


@pytest.mark.parametrize(
    ("size", "etag", "made"),
    [(2, "right", True), (3, "right", False), (2, "wrong", False)],
)
def test_a_lost_answer_is_a_success_if_size_and_etag_are_ours(size, etag, made):
    sent = SentParts()
    for number, digest in ((1, MD5_A), (2, MD5_B)):
        sent.note(number, 1, f'"{digest}"', bytes.fromhex(digest))
    right = multipart_etag([MD5_A, MD5_B])
    found = ObjectInfo("k", size, right if etag == "right" else "0" * 32 + "-2")
    assert sent.made(found, [MD5_A, MD5_B]) is made


def test_where_parts_have_other_etags_than_their_md5_the_size_decides():
    sent = SentParts()
    sent.note(1, 7, '"opaque"', bytes.fromhex(MD5_A))
    assert sent.made(ObjectInfo("k", 7, "anything"), ["opaque"])
    assert not sent.made(ObjectInfo("k", 8, "anything"), ["opaque"])


def test_importing_the_adapter_does_not_import_boto3():
    code = "import sys, diskwright.adapters.s3; sys.exit('boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_same_bucket_at_another_endpoint_is_another_place():
    """A dead run's upload is looked for where it was made, and its entry kept until then."""
    here, there = (
        connect("s3://images/web", S3Settings(endpoint_url=url, region="r"))
        for url in ("http://one.example", "http://two.example")
    )
    assert here.url == there.url
    assert here.place != there.place
