"""A real OpenBao that refuses, rotates, is sealed and is not there: each failure is said well."""

from __future__ import annotations

import json
import time
import traceback
from urllib.parse import urlsplit

import pytest

from diskwright._values import replace
from diskwright.adapters.kms_vault import TransitKey, VaultSettings
from diskwright.errors import KeyRefused, KeyUnavailable, UsageError
from support.servers.certificates import Authority
from support.servers.faults import Fault, FaultProxy
from support.servers.http_proxy import HttpProxy, Reply
from support.servers.openbao import KEY, OpenBao

DATA_KEY = bytes(range(32))
CONTEXT = b'{"dw":"1","seal":"0190b0f4-6a3e-7c51-9d2b-3f8e5a6b7c8d"}'


@pytest.fixture
def between(openbao: OpenBao):
    parts = urlsplit(openbao.endpoint)
    with HttpProxy(parts.hostname, parts.port) as proxy:
        yield proxy


@pytest.fixture
def line(openbao: OpenBao):
    parts = urlsplit(openbao.endpoint)
    with FaultProxy(parts.hostname, parts.port) as proxy:
        proxy.url = f"http://127.0.0.1:{proxy.port}"
        yield proxy


def refused(key: TransitKey, wrapped, context: bytes = CONTEXT) -> KeyRefused:
    with pytest.raises(KeyRefused) as caught:
        key.unwrap(wrapped, context)
    return said_well(caught.value)


def unavailable(key: TransitKey) -> KeyUnavailable:
    with pytest.raises(KeyUnavailable) as caught:
        key.wrap(DATA_KEY, CONTEXT)
    return said_well(caught.value)


def said_well(error):
    """One line and a hint, code 12."""
    assert error.exit_code == 12
    assert "\n" not in error.message + error.hint
    assert error.hint
    return error


def test_what_is_wrapped_names_the_key_and_no_address(openbao):
    wrapped = openbao.key().wrap(DATA_KEY, CONTEXT)
    assert (wrapped.provider, wrapped.key_id) == ("vault", f"transit/{KEY}")
    assert wrapped.wrapped_key.startswith("vault:v")
    assert wrapped.params == {}
    assert openbao.key(f"transit/{KEY}").unwrap(wrapped, CONTEXT) == DATA_KEY


def test_another_mount_is_another_key(openbao):
    openbao.call("POST", "sys/mounts/team/keys", type="transit")
    openbao.call("POST", f"team/keys/keys/{KEY}", derived=True)
    key = openbao.key(f"team/keys/{KEY}", openbao.root)
    wrapped = key.wrap(DATA_KEY, CONTEXT)
    assert wrapped.key_id == f"team/keys/{KEY}"
    assert key.unwrap(wrapped, CONTEXT) == DATA_KEY
    assert f"vault:team/keys/{KEY}" in refused(openbao.key(), wrapped).reason
    assert "verify" in refused(openbao.key(), replace(wrapped, key_id=f"transit/{KEY}")).reason


def test_a_policy_that_lets_wrap_only(openbao):
    writer = openbao.key(who="seal-only")
    wrapped = writer.wrap(DATA_KEY, CONTEXT)
    error = refused(writer, wrapped)
    assert error.reason == "permission denied"
    assert f"`update` on transit/decrypt/{KEY}" in error.hint
    assert openbao.key().unwrap(wrapped, CONTEXT) == DATA_KEY


def test_a_token_that_was_revoked(openbao):
    wrapped = openbao.key().wrap(DATA_KEY, CONTEXT)
    token = openbao.token("user")
    key = openbao.key(who=token)
    assert key.unwrap(wrapped, CONTEXT) == DATA_KEY
    openbao.call("POST", "auth/token/revoke", token=token)
    assert "permission denied" in refused(key, wrapped).reason
    error = unavailable(key)
    assert "token may have ended" in error.hint
    assert token not in str(error) + error.hint + repr(key) + repr(openbao.settings(token))


def test_a_key_or_a_mount_that_is_not_there(openbao):
    wrapped = openbao.key().wrap(DATA_KEY, CONTEXT)
    gone = refused(openbao.key("gone"), replace(wrapped, key_id="transit/gone"))
    assert "not found" in gone.reason
    unavailable(openbao.key("gone"))
    nowhere = openbao.key("nowhere/gone", openbao.root)
    assert "check the mount" in refused(nowhere, replace(wrapped, key_id="nowhere/gone")).hint
    assert "check the mount" in unavailable(nowhere).hint


def test_a_key_that_binds_no_context_is_not_used(openbao):
    place = openbao.fresh_key("rsa", type="rsa-2048")
    assert "aes256-gcm96" in unavailable(openbao.key(place)).hint


def test_old_versions_open_after_a_rotation_until_they_may_not(openbao):
    place = openbao.fresh_key("rotated", derived=True)
    key = openbao.key(place)
    old = key.wrap(DATA_KEY, CONTEXT)
    openbao.call("POST", "transit/keys/rotated/rotate")
    new = key.wrap(DATA_KEY, CONTEXT)
    assert [w.wrapped_key.split(":")[1] for w in (old, new)] == ["v1", "v2"]
    assert key.unwrap(old, CONTEXT) == key.unwrap(new, CONTEXT) == DATA_KEY
    refused(key, replace(old, wrapped_key=old.wrapped_key.replace(":v1:", ":v2:")))
    refused(key, replace(old, wrapped_key=old.wrapped_key.replace(":v1:", ":v3:")))
    openbao.call("POST", "transit/keys/rotated/config", min_decryption_version=2)
    assert "min_decryption_version" in refused(key, old).hint
    assert key.unwrap(new, CONTEXT) == DATA_KEY


def test_what_is_sealed_opens_again(openbao):
    key = openbao.key()
    wrapped = key.wrap(DATA_KEY, CONTEXT)
    openbao.seal()
    try:
        began = time.monotonic()
        error = unavailable(key)
        with pytest.raises(KeyUnavailable, match="sealed"):
            key.unwrap(wrapped, CONTEXT)
        assert time.monotonic() - began < 5
    finally:
        openbao.unseal()
    assert "sealed" in error.reason
    assert "unseal" in error.hint
    assert key.unwrap(wrapped, CONTEXT) == DATA_KEY


def test_forms_that_no_server_need_see(openbao, between):
    key = openbao.key(address=between.url)
    wrapped = key.wrap(DATA_KEY, CONTEXT)
    asked = len(between.seen)
    for text in ("vault:v0:AAAA", "vault:v1:", "vault:v1:AAAA\n", "vault:v1:" + "A" * 2000):
        refused(key, replace(wrapped, wrapped_key=text))
    refused(key, replace(wrapped, params={"version": "1"}))
    refused(key, replace(wrapped, key_id="other/key"))
    assert len(between.seen) == asked


def test_the_requests_are_what_they_are_documented_to_be(openbao, between):
    key = openbao.key(address=between.url + "/", namespace="")
    key.unwrap(key.wrap(DATA_KEY, CONTEXT), CONTEXT)
    one, two = between.seen
    assert [seen.path for seen in (one, two)] == [
        f"/v1/transit/encrypt/{KEY}",
        f"/v1/transit/decrypt/{KEY}",
    ]
    assert set(json.loads(one.body)) == {"plaintext", "context", "associated_data"}
    assert set(json.loads(two.body)) == {"ciphertext", "context", "associated_data"}
    assert one.headers["x-vault-token"] == openbao.tokens["user"]
    assert "x-vault-namespace" not in one.headers
    with pytest.raises(KeyUnavailable):
        openbao.key(address=between.url, namespace="team").wrap(DATA_KEY, CONTEXT)
    assert between.seen[-1].headers["x-vault-namespace"] == "team"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(openbao, between, status):
    with HttpProxy(*between.server) as elsewhere:
        between.rule = lambda seen: Reply(status, b"", {"Location": elsewhere.url + seen.path})
        error = unavailable(openbao.key(address=between.url))
        assert "redirect" in error.reason
        assert "active node" in error.hint
        assert (len(between.seen), elsewhere.seen) == (1, [])


@pytest.mark.parametrize("status", [429, 473, 502])
def test_a_busy_server_is_asked_again(openbao, between, status):
    answers = iter([Reply(status), Reply(status), None])
    between.rule = lambda seen: next(answers)
    openbao.key(address=between.url).wrap(DATA_KEY, CONTEXT)
    assert len(between.seen) == 3
    between.rule = lambda seen: Reply(status)
    assert str(status) in unavailable(openbao.key(address=between.url)).reason
    assert len(between.seen) == 6


def test_a_token_that_the_server_repeats_is_not_shown(openbao, between):
    token = openbao.tokens["user"]
    body = json.dumps({"errors": [f"bad {token}\n\x1b[2J", "x" * 5000]}).encode()
    for status in (400, 403, 500):
        between.rule = lambda seen, status=status: Reply(status, body)
        error = unavailable(openbao.key(address=between.url))
        shown = "".join(traceback.format_exception(error)) + error.hint
        assert token not in shown
        assert "\x1b" not in shown
        assert len(error.message) < 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"data":1}',
        b'{"data":{}}',
        b'{"data":{"ciphertext":7,"plaintext":7}}',
        b'{"data":{"ciphertext":"vault:v1:","plaintext":"A"}}',
        b"[" * 60_000,
        b" " * (1 << 20),
    ],
)
def test_an_answer_that_is_none(openbao, between, body):
    key = openbao.key(address=between.url)
    wrapped = key.wrap(DATA_KEY, CONTEXT)
    between.rule = lambda seen: Reply(200, body)
    unavailable(key)
    with pytest.raises(KeyUnavailable):
        key.unwrap(wrapped, CONTEXT)


def test_an_answer_that_ends_early_or_comes_in_drips(openbao, between):
    key = openbao.key(address=between.url, read_timeout_s=0.5)
    between.rule = lambda seen: Reply(200, b'{"data":', missing=100)
    unavailable(key)
    between.rule = lambda seen: Reply(200, b'{"data":', drip_s=0.1)
    began = time.monotonic()
    assert "in time" in unavailable(key).reason
    assert time.monotonic() - began < 5


def test_a_lost_answer_is_asked_for_again(openbao, line):
    key = openbao.key(address=line.url)
    line.fault = Fault(reset_after_bytes=20, direction="down", times=2)
    assert key.unwrap(key.wrap(DATA_KEY, CONTEXT), CONTEXT) == DATA_KEY
    assert line.hits == 2


def test_a_server_that_does_not_answer(openbao, line):
    line.fault = Fault(stall_after_bytes=0, direction="down", stall_s=30)
    key = openbao.key(address=line.url, read_timeout_s=0.2)
    error = unavailable(key)
    assert "no answer in time" in error.reason
    assert "VAULT_ADDR" in error.hint
    line.drop()


@pytest.mark.parametrize(
    ("address", "word"),
    [("http://127.0.0.1:1", "refused"), ("http://vault.invalid:8200", "name|Name")],
)
def test_a_server_that_is_not_there(openbao, address, word):
    error = unavailable(openbao.key(address=address))
    assert address in error.reason
    assert any(each in error.reason for each in word.split("|"))


def test_tls_is_verified_by_the_system_or_by_a_ca_of_ones_own(openbao, tmp_path):
    authority, parts = Authority(tmp_path), urlsplit(openbao.endpoint)
    with HttpProxy(parts.hostname, parts.port, tls=authority.server()) as end:
        key = openbao.key(address=end.url, ca_cert=str(authority.bundle))
        assert key.unwrap(key.wrap(DATA_KEY, CONTEXT), CONTEXT) == DATA_KEY
        seen = len(end.seen)
        assert "TLS: unable to get local issuer" in unavailable(openbao.key(address=end.url)).reason
        assert len(end.seen) == seen
    with HttpProxy(parts.hostname, parts.port, tls=authority.server(host="vault.test")) as end:
        error = unavailable(openbao.key(address=end.url, ca_cert=str(authority.bundle)))
        assert "TLS: IP address mismatch" in error.reason
        assert "VAULT_CACERT" in error.hint
    plain = "https" + openbao.endpoint.removeprefix("http")
    assert "TLS: " in unavailable(openbao.key(address=plain)).reason


@pytest.mark.parametrize("text", [None, b"", b"no certificate"])
def test_a_ca_that_is_none(tmp_path, text):
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(UsageError, match=r"ca\.pem") as caught:
        TransitKey(KEY, VaultSettings("https://127.0.0.1:1", "token", ca_cert=str(path)))
    assert "VAULT_CACERT" in caught.value.hint


@pytest.mark.parametrize(
    "address",
    ["", "127.0.0.1:8200", "ftp://host", "https://", "https://user:secret@host", "https://host?a",
     "https://host#a", "https://host:port", "https://host:0", "https://ho st", "https://h\n", "https://[::"],
)  # fmt: skip
def test_an_address_that_is_none_is_not_repeated(address):
    with pytest.raises(UsageError) as caught:
        TransitKey(KEY, VaultSettings(address, "token"))
    assert "VAULT_ADDR" in caught.value.hint
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("namespace", ["a b", "a\n", "é", "x" * 2000])
def test_a_namespace_that_is_none(namespace):
    with pytest.raises(UsageError, match="namespace"):
        TransitKey(KEY, VaultSettings("https://host", "token", namespace=namespace))


@pytest.mark.parametrize(
    "place", ["/", "a/", "../sys", "a/../b", "a//b", "a b", "a?b", "a%2fb", "é", "a\n", "/a", "-a"]
)
def test_a_place_that_is_none(place):
    with pytest.raises(UsageError):
        TransitKey(place, VaultSettings("https://host", "token"))


@pytest.mark.parametrize("token", ["", "has space", "two\nlines", "\x7f", "é", "x" * 9000])
def test_a_token_that_is_none_is_not_shown(token):
    with pytest.raises(KeyUnavailable) as caught:
        TransitKey(KEY, VaultSettings("https://host", token))
    assert "VAULT_TOKEN" in caught.value.hint
    assert not token or token not in caught.value.message
