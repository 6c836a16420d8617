"""The transit engine of HashiCorp Vault or OpenBao (docs/sealed-format.md, "Vault").

Two calls: `encrypt` and `decrypt`. The context is sent twice: as `context`, which a derived key
needs and another ignores, and as `associated_data`, which binds it whatever the key's kind. So
nothing has to be asked about the key, which a policy need not allow.

Neither call changes anything there, so one whose answer was lost is made again. A redirect is
never followed: the token would go along.
"""

from __future__ import annotations

import errno
import json
import re
import ssl
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError

from diskwright.envelope import box
from diskwright.errors import KeyRefused, KeyUnavailable, UsageError
from diskwright.model.stored import WrappedKey

PROVIDER = "vault"

_WRAPPED = re.compile(r"vault:v[1-9][0-9]{0,8}:[A-Za-z0-9+/]{1,1024}={0,2}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_TOKEN = re.compile(r"[!-~]{1,8192}", re.ASCII)
_ANSWER_LIMIT = 64 << 10  # bytes; one has some 500
_REASON_LIMIT = 200  # characters of a server's own words
_ATTEMPTS = 3
_PAUSE_S = 0.2  # before the third attempt, doubled with each
_BUSY = (412, 429, 472, 473, 502, 504)  # busy, or not the node that can answer now
_AUTHENTICATION = "message authentication failed"
_OLD = "too old"


@dataclass(frozen=True, slots=True)
class VaultSettings:
    """How to reach the server. The token is shown nowhere."""

    address: str  # https://HOST:PORT
    token: str = field(repr=False)
    namespace: str = ""
    ca_cert: str = ""  # a PEM file; empty: the system's
    connect_timeout_s: float = 5
    read_timeout_s: float = 20


class TransitKey:
    """A KeyWrapper. Its key never leaves the server; safe for many threads."""

    def __init__(self, place: str, settings: VaultSettings) -> None:
        """`place` is MOUNT/KEY, or KEY in the mount `transit`. Nothing is sent yet.

        Raises UsageError for a place, an address or a CA that is none, KeyUnavailable where there
        is no token.
        """
        mount, _, key = place.rpartition("/")
        self.key_id = f"{mount or 'transit'}/{key}"
        self.name = f"{PROVIDER}:{self.key_id}"
        if not all(_NAME.fullmatch(part) for part in self.key_id.split("/")):
            raise UsageError(f"{PROVIDER}:{place}: not a key", "write vault:[MOUNT/]KEY")
        self._base = _base(settings.address)
        self._settings = settings
        if _TOKEN.fullmatch(settings.token) is None:
            what = "the token has characters that none has" if settings.token else "no token"
            hint = "set VAULT_TOKEN, or log in: vault login (bao login)"
            raise KeyUnavailable(self.name, what, hint)
        self._pool = urllib3.PoolManager(
            ssl_context=_tls(settings.ca_cert),
            timeout=urllib3.Timeout(
                connect=settings.connect_timeout_s, read=settings.read_timeout_s
            ),
            retries=urllib3.Retry(
                total=_ATTEMPTS - 1,
                redirect=False,
                allowed_methods=None,  # all: both calls can be repeated
                status_forcelist=_BUSY,
                backoff_factor=_PAUSE_S / 2,
                raise_on_status=False,
                respect_retry_after_header=False,
            ),
        )

    def wrap(self, data_key: bytes, context: bytes) -> WrappedKey:
        """Raises KeyUnavailable where the server can't be asked or will not."""
        try:
            answer = self._call("encrypt", context, plaintext=box.encode_base64(data_key))
        except KeyRefused as refusal:
            raise KeyUnavailable(self.name, refusal.reason, refusal.hint) from refusal
        wrapped = answer.get("ciphertext")
        if not isinstance(wrapped, str) or _WRAPPED.fullmatch(wrapped) is None:
            raise self._unavailable("its answer has no wrapped key")
        return WrappedKey(PROVIDER, self.key_id, wrapped, {})

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """Raises KeyRefused where the key, the context or the wrapped key is another, or a policy
        forbids it, KeyUnavailable where the server can't be asked."""
        if wrapped.provider != PROVIDER or wrapped.key_id != self.key_id:
            owner = f"{wrapped.provider}:{wrapped.key_id}"
            raise KeyRefused(self.name, f"the data key is for {owner!r}", f"try --key {self.name}")
        if wrapped.params:
            raise KeyRefused(self.name, "the wrapped key has parameters that none of Vault's has")
        if _WRAPPED.fullmatch(wrapped.wrapped_key) is None:
            raise KeyRefused(self.name, "the wrapped key is none of Vault's: it was changed")
        answer = self._call("decrypt", context, ciphertext=wrapped.wrapped_key)
        plain = answer.get("plaintext")
        try:
            return box.decode_base64(plain if isinstance(plain, str) else "-")
        except box.BoxRefused as error:
            raise self._unavailable("its answer has no data key") from error

    def _call(self, verb: str, context: bytes, **body: str) -> dict[str, object]:
        """`data` of the answer."""
        mount, _, key = self.key_id.rpartition("/")
        bound = box.encode_base64(context)
        headers = {"X-Vault-Token": self._settings.token, "X-Vault-Request": "true"}
        if self._settings.namespace:
            headers["X-Vault-Namespace"] = self._settings.namespace
        try:
            reply = self._pool.request(
                "POST",
                f"{self._base}/v1/{mount}/{verb}/{key}",
                json={**body, "context": bound, "associated_data": bound},
                headers=headers,
                redirect=False,
                preload_content=False,
            )
            with reply:
                text = _read(reply, self._settings.read_timeout_s)
        except (HTTPError, OSError) as error:
            hint = "check VAULT_ADDR, VAULT_CACERT and the network"
            raise self._unavailable(f"{self._base}: {_why(error)}", hint) from error
        answer = _parsed(text)
        if reply.status != 200:
            raise self._refusal(verb, reply.status, answer)
        data = answer.get("data")
        if not isinstance(data, dict):
            raise self._unavailable(f"{self._base} does not answer as Vault does")
        return data

    def _refusal(
        self, verb: str, status: int, answer: dict[str, object]
    ) -> KeyRefused | KeyUnavailable:
        """What an answer other than 200 means."""
        said = self._words(answer)
        path = "/".join((*self.key_id.split("/")[:-1], verb, self.key_id.split("/")[-1]))
        if status == 403:
            hint = f"its token may have ended, or its policy lacks `update` on {path}"
            return KeyRefused(self.name, said or "permission denied", hint)
        if status == 404:
            return KeyRefused(self.name, said or "not found", "check the mount: vault:MOUNT/KEY")
        if status == 400 and _AUTHENTICATION in said:
            reason = "the wrapped key does not verify: it was changed, or is of another seal"
            return KeyRefused(self.name, reason)
        if status == 400:
            hint = f"min_decryption_version of {self.key_id} is above it" if _OLD in said else ""
            return KeyRefused(self.name, said or "bad request", hint)
        if status == 503:
            hint = "unseal it: vault operator unseal"
            return self._unavailable(f"{self._base}: {said or 'sealed or not ready'}", hint)
        if 300 <= status < 400:
            reason = f"{self._base} answers by a redirect, which is not followed"
            return self._unavailable(reason, "set VAULT_ADDR to the address of the active node")
        return self._unavailable(f"{self._base}: status {status} {said}".rstrip())

    def _unavailable(self, reason: str, hint: str = "") -> KeyUnavailable:
        return KeyUnavailable(self.name, reason, hint)

    def _words(self, answer: dict[str, object]) -> str:
        """The server's own, short, in one line, and without the token whatever it says."""
        errors = answer.get("errors")
        said = "; ".join(str(each) for each in errors) if isinstance(errors, list) else ""
        said = " ".join(said.replace(self._settings.token, "…").split())
        return "".join(c for c in said if c.isprintable())[:_REASON_LIMIT]


def _base(address: str) -> str:
    """The address without its last slash. Raises UsageError."""
    hint = "set VAULT_ADDR to https://HOST:PORT, or `address` in [vault] of the configuration"
    try:
        parts = urlsplit(address)
        named = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        named = None
    if not address:
        raise UsageError("no address of Vault is given", hint)
    if (
        not named
        or parts.scheme not in ("https", "http")
        or parts.username is not None
        or parts.query
        or parts.fragment
        or not all("!" <= c <= "~" for c in address)
    ):
        raise UsageError("the address of Vault is none", hint)
    return address.rstrip("/")


def _tls(ca_cert: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_cert or None)
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror or "it holds no certificate"
        raise UsageError(f"{ca_cert}: can't be read: {reason}", "correct VAULT_CACERT") from error


def _read(reply: urllib3.BaseHTTPResponse, patience_s: float) -> bytes:
    """The body, to one byte past the limit. Raises TimeoutError where it comes in drips."""
    text, end = b"", time.monotonic() + patience_s
    while piece := reply.read1(_ANSWER_LIMIT + 1 - len(text), decode_content=False):
        text += piece
        if len(text) > _ANSWER_LIMIT:
            break
        if time.monotonic() > end:
            raise TimeoutError(errno.ETIMEDOUT, "no whole answer in time")
    return text


def _why(error: Exception) -> str:
    """The cause in one line."""
    cause = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    if isinstance(cause, urllib3.exceptions.TimeoutError) and not isinstance(
        cause, urllib3.exceptions.NewConnectionError
    ):
        return "no answer in time"
    below = cause.__cause__
    if isinstance(cause, urllib3.exceptions.SSLError):
        detail = getattr(below, "verify_message", "") or getattr(below, "reason", "") or "failed"
        return f"TLS: {detail}"
    for each in (cause, below):
        if isinstance(each, OSError) and each.strerror:
            return each.strerror
    return " ".join(str(cause).split())[:_REASON_LIMIT]


def _parsed(text: bytes) -> dict[str, object]:
    """Empty where it is no JSON object, or too long to be one of Vault's."""
    try:
        answer = json.loads(text) if len(text) <= _ANSWER_LIMIT else None
    except (ValueError, RecursionError):
        answer = None
    return answer if isinstance(answer, dict) else {}
