"""One Vault server by HTTP: verified, bounded, patient for a while, and never led elsewhere.

A redirect is never followed: the token would go along. What is asked here changes nothing there,
so a request whose answer was lost is made again.
"""

from __future__ import annotations

import errno
import json
import re
import ssl
import time
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, SSLError
from urllib3.exceptions import TimeoutError as NoAnswer

from diskwright._values import Secretive, Struct
from diskwright.errors import UsageError

_TOKEN = re.compile(r"[!-~]{1,8192}", re.ASCII)  # what a header can carry
_NAMESPACE = re.compile(r"[!-~]{0,1024}", re.ASCII)
_COUNTED = re.compile(r"^[0-9]+ errors? occurred: \* ", re.ASCII)
_ANSWER_LIMIT = 64 << 10  # bytes; one has some 500
_REASON_LIMIT = 200  # characters of somebody else's words
_ATTEMPTS = 3
_CONNECTIONS = 4
_BUSY = {412, 429, 472, 473, 502, 504}  # busy, or not the node that can answer now


class VaultSettings(Secretive, frozen=True):
    """How to reach the server. The token is shown nowhere."""

    address: str  # https://HOST:PORT
    token: str
    namespace: str = ""
    ca_cert: str = ""  # a PEM file; empty: the system's
    connect_timeout_s: float = 5
    read_timeout_s: float = 15
    pause_s: float = 0.2  # before the second attempt; twice that before the third


class Answer(Struct, frozen=True):
    """`body` is empty where it was no JSON object, or too long to be one of Vault's."""

    status: int
    body: dict[str, object]
    words: str  # the server's own on an error: one short line, without the token


class Unreached(Exception):
    """No answer; the text says why, in one line."""


class BadToken(ValueError):
    """The token can't be sent; the text does not show it."""


class Line:
    """Safe for many threads. Nothing is sent before `post`."""

    def __init__(self, settings: VaultSettings) -> None:
        """Raises UsageError for an address, a namespace or a CA that is none, BadToken."""
        self.address = _address(settings.address)
        if _NAMESPACE.fullmatch(settings.namespace) is None:
            raise UsageError("the namespace of Vault is none", "correct VAULT_NAMESPACE")
        if _TOKEN.fullmatch(settings.token) is None:
            raise BadToken(
                "the token has characters that none has" if settings.token else "no token"
            )
        self._settings = settings
        self._pool = urllib3.PoolManager(
            ssl_context=_tls(settings.ca_cert),
            timeout=urllib3.Timeout(
                connect=settings.connect_timeout_s, read=settings.read_timeout_s
            ),
            retries=False,  # made here: urllib3 would tell each on stderr
            maxsize=_CONNECTIONS,
            block=True,
        )

    def post(self, path: str, body: dict[str, str]) -> Answer:
        """Raises Unreached where several attempts got no answer."""
        for attempt in range(1, _ATTEMPTS):
            try:
                answer = self._once(path, body)
            except SSLError as error:  # it would be the same again
                raise Unreached(_why(error)) from error
            except (HTTPError, OSError):
                pass
            else:
                if answer.status not in _BUSY:
                    return answer
            time.sleep(self._settings.pause_s * attempt)
        try:
            return self._once(path, body)
        except (HTTPError, OSError) as error:
            raise Unreached(_why(error)) from error

    def _once(self, path: str, body: dict[str, str]) -> Answer:
        headers = {"X-Vault-Token": self._settings.token, "X-Vault-Request": "true"}
        if self._settings.namespace:
            headers["X-Vault-Namespace"] = self._settings.namespace
        reply = self._pool.request(
            "POST",
            f"{self.address}/v1/{path}",
            json=body,
            headers=headers,
            redirect=False,
            preload_content=False,
        )
        with reply:
            parsed = _parsed(_read(reply, self._settings.read_timeout_s))
        return Answer(reply.status, parsed, self._words(parsed))

    def _words(self, body: dict[str, object]) -> str:
        errors = body.get("errors")
        said = "; ".join(str(each) for each in errors) if isinstance(errors, list) else ""
        return _line(_COUNTED.sub("", _line(said.replace(self._settings.token, "…"))))


def _address(text: str) -> str:
    """Without its last slash. Raises UsageError."""
    hint = "set VAULT_ADDR to https://HOST:PORT, or `address` in [vault] of the configuration"
    if not text:
        raise UsageError("no address of Vault is given", hint)
    try:
        parts = urlsplit(text)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    if (
        not named
        or parts.scheme not in ("https", "http")
        or parts.username is not None
        or parts.query
        or parts.fragment
        or not all("!" <= c <= "~" for c in text)
    ):
        raise UsageError("the address of Vault is none", hint)
    return text.rstrip("/")


def _tls(ca_cert: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_cert or None)
    except OSError as error:  # ssl.SSLError is one
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
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


def _parsed(text: bytes) -> dict[str, object]:
    try:
        answer = json.loads(text) if len(text) <= _ANSWER_LIMIT else None
    except (ValueError, RecursionError):
        answer = None
    return answer if isinstance(answer, dict) else {}


def _why(error: Exception) -> str:
    if isinstance(error, NoAnswer) and not isinstance(error, NewConnectionError):
        return "no answer in time"
    inner = error.args[0] if error.args else error
    if isinstance(error, SSLError):
        detail = getattr(inner, "verify_message", "") or getattr(inner, "reason", "") or inner
        return _line(f"TLS: {detail}")
    for each in (error, error.__cause__, inner):
        if isinstance(each, OSError) and each.strerror:
            return each.strerror
    return _line(str(error))


def _line(text: str) -> str:
    """Short, in one line, and nothing in it that moves a cursor."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:_REASON_LIMIT]
