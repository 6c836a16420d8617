"""A real server whose answers are another one's now and then: each says what to do, in one line.

The server refuses by itself where it can be made to (clock, checksum, part, addressing); what only
other services answer is given by the proxy before it.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import botocore.auth
import pytest

from diskwright.adapters.s3 import RetryPolicy, answers
from diskwright.errors import BucketMissing, RemoteRefused, RemoteUnreachable
from support.servers.http_proxy import HttpProxy, Reply, damaged, refused

pytestmark = pytest.mark.s3
PART = 5 << 20
EVERY_ACT = {
    "put": lambda store: store.put("k", b"x"),
    "get": lambda store: store.get("k"),
    "head": lambda store: store.head("k"),
    "list": lambda store: list(store.list("")),
    "create": lambda store: store.create_upload("k", part_size=PART),
    "uploads": lambda store: list(store.list_uploads("")),
}


def each_refused(store, kind=RemoteRefused, match=".", acts=tuple(EVERY_ACT)):
    """Every act fails so, and each error is handed out."""
    for act in acts:
        with pytest.raises(kind, match=match) as caught:
            EVERY_ACT[act](store)
        yield act, caught.value


@pytest.fixture
def proxy(seaweed):
    parts = urlsplit(seaweed.endpoint)
    with HttpProxy(parts.hostname, parts.port) as running:
        yield running


@pytest.fixture
def through(seaweed, proxy):
    """A fresh place through the proxy; its name is the same each time."""
    prefix = seaweed.fresh().url.removeprefix(f"s3://{seaweed.bucket()}/")

    def make(**changes):
        return seaweed.store(seaweed.bucket(), prefix, **{"endpoint_url": proxy.url, **changes})

    return make


@pytest.mark.parametrize(("hours", "words"), [(3, "3 h 0 min ahead"), (-50, "2 d 2 h behind")])
def test_a_clock_that_is_off_is_said_with_by_how_much(seaweed, monkeypatch, hours, words):
    store = seaweed.fresh()
    off = timedelta(hours=hours, seconds=20 if hours > 0 else -20)

    class Clock:
        @staticmethod
        def time():
            return (datetime.now(UTC) + off).timestamp()

    real = botocore.auth.get_current_datetime
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: real() + off)
    monkeypatch.setattr(answers, "time", Clock)
    for _, error in each_refused(store, match=f"clock differs .*: it is {words}"):
        assert "timedatectl" in error.hint


def test_an_expired_session_is_said_and_never_tried_again(proxy, through):
    proxy.rule = lambda seen: refused(400, "ExpiredToken")
    for _, error in each_refused(through(), match="the session has expired"):
        assert "renew" in error.hint
    extra = 2  # a look for the bucket, and one for the reason that HEAD does not say
    assert len(proxy.seen) == len(EVERY_ACT) + extra


def test_credentials_that_run_out_are_renewed_by_the_process_that_gives_them(
    seaweed, proxy, through, tmp_path, monkeypatch
):
    """They expire within the time in which boto3 renews them, so each request asks anew."""
    calls = tmp_path / "calls"
    given = {
        "Version": 1,
        "AccessKeyId": "test-admin",
        "SecretAccessKey": "test-admin-secret",
        "SessionToken": "",
        "Expiration": (datetime.now(UTC) + timedelta(minutes=5)).isoformat(),
    }
    del given["SessionToken"]
    script = tmp_path / "give.py"
    script.write_text(f"open({str(calls)!r}, 'a').write('x'); print({json.dumps(given)!r})")
    config = tmp_path / "config"
    config.write_text(f"[profile short]\ncredential_process = {sys.executable} -S {script}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    store = through(profile="short", access_key=None, secret_key=None)
    store.put("k", b"x")
    first = len(calls.read_text())
    assert store.get("k") == b"x"
    assert len(calls.read_text()) > first


def test_a_process_that_gives_no_credentials_is_said_so(seaweed, tmp_path, monkeypatch):
    config = tmp_path / "config"
    config.write_text("[profile broken]\ncredential_process = /bin/false\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    with pytest.raises(RemoteRefused, match="could not be had or renewed"):
        seaweed.store("any", profile="broken", access_key=None, secret_key=None).get("k")


def busy(*, header=None, times=None):
    left = [times]

    def rule(seen):
        if left[0] == 0:
            return None
        left[0] = left[0] and left[0] - 1
        return refused(503, "SlowDown", headers={"Retry-After": header} if header else {})

    return rule


def test_a_store_that_asks_to_wait_is_left_alone_so_long(proxy, through):
    pauses = []
    policy = RetryPolicy(first_pause_s=0.1, longest_pause_s=0.1, pause=pauses.append)
    store = through(retry=policy)
    store.put("k", b"x")
    proxy.rule = busy(header="7", times=3)
    assert store.get("k") == b"x"
    assert len(pauses) == 3
    assert all(7 <= pause <= 7.1 for pause in pauses)
    assert len({*pauses}) > 1, "with jitter"


def test_a_busy_store_is_asked_until_the_patience_is_over(proxy, through):
    pauses = []
    policy = RetryPolicy(
        attempts=2, first_pause_s=1, longest_pause_s=4, patience_s=20, pause=pauses.append
    )
    proxy.rule = busy()
    with pytest.raises(RemoteUnreachable, match="it kept answering 503 SlowDown") as caught:
        through(retry=policy).get("k")
    assert caught.value.exit_code == 13
    assert len(proxy.seen) == len(pauses) + 1 > 2
    assert 20 <= sum(pauses) <= 24


@pytest.mark.parametrize("kind", ["seconds", "date"])
def test_who_asks_for_more_than_our_patience_is_not_waited_for(proxy, through, kind):
    later = datetime.now(UTC) + timedelta(hours=1)
    header = {"seconds": "3600", "date": later.strftime("%a, %d %b %Y %H:%M:%S GMT")}[kind]
    proxy.rule = busy(header=header)
    with pytest.raises(RemoteUnreachable, match=r"asks to be left alone for 3[56]\d\d"):
        through(retry=RetryPolicy(pause=pytest.fail)).get("k")
    assert len(proxy.seen) == 1


@pytest.mark.parametrize("kind", ["location", "endpoint", "bare"])
def test_a_redirect_is_followed_by_nobody(seaweed, proxy, through, kind):
    with HttpProxy("127.0.0.1", 9) as other:
        place = f"127.0.0.1:{other.port}"
        proxy.rule = {
            "location": lambda seen: Reply(307, headers={"Location": f"{other.url}/x?y"}),
            "endpoint": lambda seen: refused(
                301, "PermanentRedirect", Endpoint=f"{seaweed.bucket()}.{place}"
            ),
            "bare": lambda seen: Reply(301),
        }[kind]
        for act, error in each_refused(through()):
            if kind == "location" or (kind == "endpoint" and act != "head"):  # HEAD has no body
                assert f"sends us to {place}, and nothing was sent there" in error.message
                assert f"--endpoint-url https://{place}" in error.hint
        assert other.seen == []
    assert len(proxy.seen) == len(EVERY_ACT) + 1, "and a look for the bucket"


WRONG_REGION = {
    "body": refused(400, "AuthorizationHeaderMalformed", Region="eu-nl"),
    "header": refused(301, "PermanentRedirect", headers={"x-amz-bucket-region": "eu-nl"}),
    "constraint": refused(
        400, "IllegalLocationConstraintException", headers={"x-amz-bucket-region": "eu-nl"}
    ),
}


@pytest.mark.parametrize("kind", WRONG_REGION)
def test_a_region_that_the_answer_names_is_signed_for(proxy, through, kind):
    def rule(seen):
        ours = "/eu-nl/s3/" in seen.headers["authorization"]
        return None if ours else WRONG_REGION[kind]

    proxy.rule = rule
    store = through()
    store.put("k", b"x")
    assert store.get("k") == b"x"
    asked = len(proxy.seen)
    store.get("k")
    assert len(proxy.seen) == asked + 1, "it is remembered"


@pytest.mark.parametrize("kind", WRONG_REGION)
def test_where_that_does_not_help_the_line_names_the_region(proxy, through, kind):
    proxy.rule = lambda seen: WRONG_REGION[kind]
    for _, error in each_refused(through(), match="the bucket is in the region eu-nl"):
        assert error.hint == "--region eu-nl"
    assert len(proxy.seen) <= 4 * len(EVERY_ACT)


def test_a_region_with_a_lie_in_its_name_is_not_repeated(proxy, through):
    proxy.rule = lambda seen: refused(400, "AuthorizationHeaderMalformed", Region="x; rm -rf ~")
    with pytest.raises(RemoteRefused, match="in another region") as caught:
        through().get("k")
    assert "rm" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("code", ["VirtualHostDomainRequired", "SecondLevelDomainForbidden"])
def test_a_store_for_virtual_hosts_only_says_so(seaweed, proxy, through, code):
    """As OBS does: what comes by path is refused, but for HEAD of a bucket."""

    def rule(seen):
        by_path = not seen.headers["host"].startswith(f"{seaweed.bucket()}.")
        looks = seen.method == "HEAD" and urlsplit(seen.path).path.count("/") == 1
        return refused(403, code) if by_path and not looks else None

    proxy.rule = rule
    for _, error in each_refused(through(addressing="auto"), match="part of the host name only"):
        assert error.hint == "--addressing-style virtual"
    store = through(
        addressing="virtual", endpoint_url="http://s3.test", proxies={"http": proxy.url}
    )
    store.put("k", b"x")
    assert store.get("k") == b"x"


def test_a_store_for_paths_only_says_so(seaweed, proxy):
    """The real server does not know the domain, so the bucket's name is lost on it."""
    store = seaweed.store(
        seaweed.bucket(),
        "x",
        addressing="virtual",
        endpoint_url="http://other.test",
        proxies={"http": proxy.url},
    )
    acts = ("put", "list", "create", "uploads")
    for _, error in each_refused(store, (BucketMissing, RemoteUnreachable), acts=acts):
        assert "--addressing-style path" in error.hint


def test_a_bucket_that_has_no_address_of_its_own_says_so(seaweed):
    store = seaweed.store("b-b", endpoint_url="http://s3.invalid", addressing="virtual")
    with pytest.raises(RemoteUnreachable, match="does not resolve") as caught:
        store.get("k")
    assert "--addressing-style path" in caught.value.hint


NO_STORE = {
    "page": Reply(200, b"<!DOCTYPE html><html><body>Sign in<br></body></html>"),
    "xhtml": Reply(200, b"<html><body>Sign in</body></html>"),
    "nothing": Reply(200),
    "noise": Reply(200, bytes(range(256))),
    "cut short": Reply(200, b"<?xml version='1.0'?><ListBucketResult><Name>x</Name>", missing=99),
}


@pytest.mark.parametrize("kind", NO_STORE)
def test_what_is_no_store_is_not_taken_for_an_empty_one(proxy, through, kind):
    proxy.rule = lambda seen: NO_STORE[kind]
    for _, error in each_refused(through(), RemoteUnreachable, "does not speak S3"):
        assert "--endpoint-url" in error.hint


def test_who_may_not_look_at_the_bucket_is_told_of_the_endpoint_all_the_same(proxy, through):
    def rule(seen):
        looks = seen.method == "HEAD" and urlsplit(seen.path).path.count("/") == 1
        return Reply(403) if looks else None

    proxy.rule = rule
    found = through().probe().endpoint
    assert (found.url, found.addressing, found.tls) == (proxy.url, "path", False)
    assert abs(found.clock_skew_s) <= 2


HALF_SAID = {
    "head": Reply(200, headers={"ETag": '"e"'}),
    "list": Reply(
        200,
        b"<ListBucketResult><Name>n</Name><IsTruncated>false</IsTruncated>"
        b"<Contents><Size>1</Size></Contents></ListBucketResult>",
    ),
    "uploads": Reply(
        200,
        b"<ListMultipartUploadsResult><Bucket>b</Bucket><IsTruncated>false</IsTruncated>"
        b"<Upload><Key>k</Key></Upload></ListMultipartUploadsResult>",
    ),
    "copy": Reply(200, b"<CopyPartResult></CopyPartResult>"),
}


def test_an_answer_that_says_half_of_it_is_no_bug_of_ours(proxy, through):
    store = through()
    acts = {**EVERY_ACT, "copy": lambda store: store.copy_part("k", "u", 1, "j", 0, 5)}
    for act, reply in HALF_SAID.items():
        proxy.rule = lambda seen, reply=reply: reply
        proxy.without_length = act == "head"
        with pytest.raises(RemoteUnreachable, match="does not speak S3"):
            acts[act](store)


def test_a_gate_that_wants_a_login_is_no_store(proxy, through):
    proxy.rule = lambda seen: Reply(401, b"<html>who are you?</html>")
    with pytest.raises(RemoteRefused, match="401 Unauthorized") as caught:
        through().get("k")
    assert "--endpoint-url" in caught.value.hint


@pytest.mark.parametrize("what", ["list", "object"])
def test_an_answer_that_drips_is_not_waited_for(proxy, through, what):
    whole = through()
    whole.put("k", b"x")
    dripping = Reply(200, b"<", headers={"ETag": '"e"'}, drip_s=0.02)
    proxy.rule = lambda seen: dripping
    store = through(read_timeout_s=0.2, connect_timeout_s=0.1, retry=RetryPolicy(attempts=1))
    with pytest.raises(RemoteUnreachable, match="too slowly"):
        list(store.list("")) if what == "list" else store.get("k", 0, 1)
    proxy.rule = lambda seen: None
    assert store.get("k") == b"x"


def uploaded(store, data=b"data", key="k"):
    upload_id = store.create_upload(key, part_size=PART)
    etag = store.put_part(key, upload_id, 1, memoryview(data))
    return upload_id, etag


@pytest.mark.parametrize("code", ["InternalError", "SlowDown"])
def test_a_complete_that_says_200_and_an_error_is_tried_again(proxy, through, code):
    store = through()
    upload_id, etag = uploaded(store)
    left = [2]

    def rule(seen):
        if seen.method == "POST" and left[0]:
            left[0] -= 1
            return replace(refused(200, code), status=200)
        return None

    proxy.rule = rule
    store.complete_upload("k", upload_id, [etag])
    assert (left, store.get("k")) == ([0], b"data")


def test_a_complete_that_goes_on_to_say_so_is_no_success(proxy, through):
    store = through()
    upload_id, etag = uploaded(store)
    proxy.rule = lambda seen: refused(200, "InternalError") if seen.method == "POST" else None
    with pytest.raises(RemoteUnreachable, match="InternalError"):
        store.complete_upload("k", upload_id, [etag])
    assert sum(seen.method == "POST" for seen in proxy.seen) == 1 + 4
    store.abort_upload("k", upload_id)


def test_bytes_that_are_damaged_on_the_way_are_sent_again(proxy, through):
    left = [2]

    def tamper(seen):
        if seen.method == "PUT" and left[0]:
            left[0] -= 1
            return damaged(seen)
        return seen

    store = through()
    proxy.tamper = tamper
    data = os.urandom(1000)
    upload_id, etag = uploaded(store, data)
    store.complete_upload("k", upload_id, [etag])
    assert (left, store.get("k")) == ([0], data)


def test_an_etag_that_is_not_the_parts_ends_in_no_object(proxy, through):
    store = through()

    def alter(seen, reply):
        if "partNumber" not in seen.query:
            return reply
        return replace(reply, headers={**reply.headers, "ETag": f'"{"0" * 32}"'})

    proxy.alter = alter
    upload_id, etag = uploaded(store)
    with pytest.raises(RemoteRefused, match="is not the one that was sent"):
        store.complete_upload("k", upload_id, [etag])
    assert store.head("k") is None
    store.abort_upload("k", upload_id)


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"sse": "sse-kms"}, {"": "aws:kms"}),
        ({"sse": "sse-kms", "kms_key_id": "id-1"}, {"": "aws:kms", "-aws-kms-key-id": "id-1"}),
        ({"sse": "sse-obs"}, {"": "AES256"}),
        ({}, {}),
    ],
)
def test_encryption_at_rest_is_asked_for_in_what_is_sent(proxy, through, settings, wanted):
    """The answer is the proxy's: the server here has no key service."""
    name = "x-amz-server-side-encryption"
    proxy.rule = lambda seen: (
        Reply(200, b"<InitiateMultipartUploadResult><UploadId>u</UploadId>"
              b"</InitiateMultipartUploadResult>", {"ETag": '"e"'})
    )  # fmt: skip
    store = through(**settings)
    store.put("k", b"x")
    store.create_upload("k", part_size=PART)
    sent = [seen for seen in proxy.seen if seen.method in ("PUT", "POST")]
    assert len(sent) == 2
    for seen in sent:
        found = {key.removeprefix(name): value for key, value in seen.headers.items()}
        assert {key: found.get(key) for key in wanted} == wanted
        assert bool(wanted) == (name in seen.headers)
