"""The real server behind TLS and behind forward proxies, as workplaces have them."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from diskwright.errors import RemoteUnreachable, UsageError
from support.servers.certificates import Authority
from support.servers.http_proxy import HttpProxy

pytestmark = pytest.mark.s3
HOST = "s3.test"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("AWS_CA_BUNDLE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def serve(seaweed):
    """Starts proxies before the server, and ends them."""
    parts = urlsplit(seaweed.endpoint)
    running = []

    def start(**options):
        running.append(HttpProxy(parts.hostname, parts.port, **options).__enter__())
        return running[-1]

    yield start
    for proxy in running:
        proxy.__exit__()


def round_trip(store):
    store.put("k", b"over TLS")
    assert store.get("k") == b"over TLS"
    store.delete("k")


def test_a_ca_of_ones_own_is_trusted_when_it_is_named(seaweed, serve, authority):
    end = serve(tls=authority.server())
    store = seaweed.fresh(endpoint_url=end.url, ca_bundle=str(authority.bundle))
    round_trip(store)
    found = store.probe().endpoint
    assert (found.tls, found.ca_bundle) == (True, str(authority.bundle))
    assert len(end.seen) > 5


def test_what_is_wrong_with_a_certificate_is_said_and_nothing_is_sent(
    seaweed, serve, authority, tmp_path
):
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "another CA")
    ours = str(authority.bundle)
    cases = [
        (authority.server(), None, "of a CA that is not trusted here", "ca_bundle"),
        (other.server(), ours, "of a CA that is not trusted here", "ca_bundle"),
        (authority.server(self_signed=True), ours, "is self-signed", "ca_bundle"),
        (authority.server(since=-3, until=-1), ours, "has expired", "clock"),
        (authority.server(since=1, until=2), ours, "not valid yet", "clock"),
        (authority.server(host="else.test"), ours, "for another host name", "--endpoint-url"),
    ]
    for tls, bundle, words, hint in cases:
        end = serve(tls=tls)
        with pytest.raises(RemoteUnreachable, match=words) as caught:
            seaweed.fresh(endpoint_url=end.url, ca_bundle=bundle).put("k", b"x")
        assert hint in caught.value.hint
        assert end.seen == []


def test_an_endpoint_without_tls_is_told_from_one_that_is_not_trusted(seaweed):
    url = seaweed.endpoint.replace("http:", "https:")
    with pytest.raises(RemoteUnreachable, match="it speaks no TLS") as caught:
        seaweed.fresh(endpoint_url=url).put("k", b"x")
    assert "http://" in caught.value.hint


def test_a_ca_bundle_that_is_none_is_said_before_anything_is_sent(seaweed, tmp_path):
    (tmp_path / "empty").write_text("no certificate")
    for name, words in (("absent", "No such file"), ("empty", "holds no certificate")):
        with pytest.raises(UsageError, match=words):
            seaweed.fresh(ca_bundle=str(tmp_path / name))


@pytest.fixture
def behind(seaweed, serve, authority):
    """An endpoint https://s3.test that only a proxy can reach, and a way to make its store."""
    end = serve(tls=authority.server(host=HOST))
    connects = {f"{HOST}:443": ("127.0.0.1", end.port)}

    def store(proxy=None, **changes):
        return seaweed.fresh(
            endpoint_url=f"https://{HOST}",
            ca_bundle=str(authority.bundle),
            proxies={"https": proxy, "http": proxy} if proxy else {},
            **changes,
        )

    return end, connects, store


def test_tls_goes_through_a_proxy_that_reads_none_of_it(serve, behind):
    end, connects, store = behind
    proxy = serve(connects=connects)
    made = store(proxy.url)
    round_trip(made)
    assert set(proxy.connected) == {f"{HOST}:443"}
    assert proxy.seen == []
    assert end.seen
    assert made.probe().endpoint.proxy == f"127.0.0.1:{proxy.port}"


def test_a_proxys_login_is_given_and_never_shown(serve, behind):
    _, connects, store = behind
    proxy = serve(connects=connects, login=("me", "p@ss/word"))
    port = proxy.port
    made = store(f"http://me:p%40ss%2Fword@127.0.0.1:{port}")
    round_trip(made)
    assert made.probe().endpoint.proxy == f"127.0.0.1:{port}"
    for url in (proxy.url, f"http://me:wrong@127.0.0.1:{port}"):
        with pytest.raises(RemoteUnreachable, match="wants a user name and a password") as caught:
            store(url).get("k")
        assert "wrong" not in caught.value.message + caught.value.hint
        assert "USER:PASSWORD" in caught.value.hint


def test_a_plain_request_that_the_proxy_wants_a_login_for_is_said_so(seaweed, serve):
    proxy = serve(login=("me", "secret"))
    for url in (f"http://me:secret@127.0.0.1:{proxy.port}", proxy.url):
        store = seaweed.fresh(endpoint_url=f"http://{HOST}", proxies={"http": url})
        if url == proxy.url:
            with pytest.raises(RemoteUnreachable, match="wants a user name"):
                round_trip(store)
        else:
            round_trip(store)


def test_a_proxy_that_refuses_or_is_dead_is_told_from_the_endpoint(serve, behind):
    _, _, store = behind
    proxy = serve(connects={})
    with pytest.raises(RemoteUnreachable, match=r"refuses to connect to it \(403\)") as caught:
        store(proxy.url).get("k")
    assert "NO_PROXY" in caught.value.hint
    assert len(proxy.connected) == 1, "not asked again"
    with pytest.raises(RemoteUnreachable, match="the proxy does not answer"):
        store("http://127.0.0.1:9").get("k")


def test_the_environments_proxy_is_used_unless_it_is_excepted(seaweed, serve, behind, monkeypatch):
    _, connects, store = behind
    proxy = serve(connects=connects)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    made = store()
    round_trip(made)
    assert proxy.connected
    assert made.probe().endpoint.proxy == f"127.0.0.1:{proxy.port}"
    monkeypatch.setenv("NO_PROXY", HOST)
    with pytest.raises(RemoteUnreachable, match="does not resolve"):
        store().get("k")
