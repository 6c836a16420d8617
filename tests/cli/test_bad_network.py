"""The command behind a network that is in the way: code 13, one line, a hint; and over TLS."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from support.command import FIXTURE, one_line_and_a_hint
from support.servers.certificates import Authority
from support.servers.http_proxy import HttpProxy, Reply, refused

pytestmark = pytest.mark.s3


@pytest.fixture
def proxy(seaweed):
    parts = urlsplit(seaweed.endpoint)
    with HttpProxy(parts.hostname, parts.port) as running:
        yield running


def test_credentials_that_expire_in_the_middle_leave_what_the_next_run_cleans_up(
    s3, s3_place, proxy, data_disk
):
    straight = s3.environment["DISKWRIGHT_S3_ENDPOINT_URL"]
    s3.environment["DISKWRIGHT_S3_ENDPOINT_URL"] = proxy.url
    expired = []

    def rule(seen):
        if "partNumber" in seen.query:
            expired.append(True)
        return refused(400, "ExpiredToken") if expired else None

    proxy.rule = rule
    prepare = ["prepare", data_disk, "--data", "--to", s3.target, "--name", "d", "-O", "raw"]
    ended = s3(*prepare)
    assert ended.code == 13, ended.err
    line = one_line_and_a_hint(ended)
    assert "the session has expired" in line
    assert "the next run will do it" in line
    assert "renew the session" in ended.err
    assert len(list(s3_place.store.list_uploads(""))) == 1

    proxy.rule = lambda seen: None
    ended = s3("uploads", "list", "--to", s3.target)
    assert "of a dead run of here" in ended.out
    ended = s3("uploads", "abort", "--to", s3.target, "--yes")
    assert (ended.code, "cleaned dead run" in ended.out) == (0, True), ended.err
    assert s3_place.leftovers() == []
    s3.environment["DISKWRIGHT_S3_ENDPOINT_URL"] = straight


REFUSALS = {
    "region": (refused(400, "AuthorizationHeaderMalformed", Region="eu-nl"), "--region eu-nl"),
    "virtual": (refused(403, "VirtualHostDomainRequired"), "--addressing-style virtual"),
    "redirect": (
        Reply(307, headers={"Location": "https://elsewhere.test/"}),
        "--endpoint-url https://elsewhere.test",
    ),
    "busy": (refused(503, "SlowDown", headers={"Retry-After": "30"}), "doctor"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_is_one_line_and_the_option_to_paste(s3, proxy, kind):
    reply, paste = REFUSALS[kind]
    proxy.rule = lambda seen: reply
    s3.environment.update(DISKWRIGHT_S3_ENDPOINT_URL=proxy.url, DISKWRIGHT_S3_PATIENCE_S="1")
    ended = s3("prepare", FIXTURE, "--to", s3.target)
    assert ended.code == 13, ended.err
    one_line_and_a_hint(ended)
    assert paste in ended.err


def test_the_round_trip_over_tls_through_the_environments_proxy(s3, proxy, folder, tmp_path):
    authority = Authority(tmp_path)
    with HttpProxy(*proxy.server, tls=authority.server(host="s3.test")) as end:
        proxy.connects = {"s3.test:443": ("127.0.0.1", end.port)}
        s3.environment.update(
            DISKWRIGHT_S3_ENDPOINT_URL="https://s3.test",
            DISKWRIGHT_S3_CA_BUNDLE=str(authority.bundle),
            HTTPS_PROXY=proxy.url,
        )
        key = folder / "kek.json"
        assert s3("key", "new", key).code == 0
        sealed = ["--key", f"local:{key}"]
        ended = s3("prepare", FIXTURE, "--to", s3.target, "--name", "web", *sealed)
        assert ended.code == 0, ended.err
        out = folder / "back.qcow2"
        ended = s3("restore", s3.target, out, "--verify", *sealed)
        assert ended.code == 0, ended.err
        assert "read back as a disk, and equal" in ended.out
        ended = s3("doctor", "--to", s3.target)
        assert f"TLS, trusting {authority.bundle}" in ended.out
        assert f"127.0.0.1:{proxy.port}" in ended.out
        assert proxy.seen == []
        assert end.seen

        del s3.environment["DISKWRIGHT_S3_CA_BUNDLE"]
        ended = s3("restore", s3.target, folder / "again", *sealed)
        assert ended.code == 13
        assert "not trusted" in one_line_and_a_hint(ended)
        assert "ca_bundle" in ended.err
