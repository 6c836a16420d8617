"""A proxy that reads HTTP: it sees each request, may answer in the server's place, or alter.

    with HttpProxy(host, port) as proxy:              # an endpoint at proxy.url
        proxy.rule = lambda seen: refused(503, "SlowDown") if seen.method == "PUT" else None
        ...
        assert proxy.seen[0].headers["x-amz-server-side-encryption"] == "aws:kms"

With `tls` it is a TLS endpoint. It also serves as a forward proxy: `GET http://name/…` goes to the
server whatever the name, and `CONNECT name:port` to where `connects` says.
"""

from __future__ import annotations

import contextlib
import http.client
import select
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_HOP = {"connection", "transfer-encoding", "content-length", "expect", "keep-alive"}


@dataclass(frozen=True)
class Seen:
    """A request; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def query(self) -> str:
        return urlsplit(self.path).query


@dataclass(frozen=True)
class Reply:
    """`missing`: bytes that the length promises and that do not come. `drip_s`: between two bytes
    of the body, which has no end then."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    missing: int = 0
    drip_s: float = 0.0


def refused(status: int, code: str, *, headers: dict[str, str] | None = None, **more: str) -> Reply:
    """An answer as S3 gives it; `more` are elements beside the code."""
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in more.items())
    body = f"<Error><Code>{code}</Code><Message>no</Message>{inner}</Error>"
    return Reply(status, body.encode(), {"Content-Type": "application/xml", **(headers or {})})


class HttpProxy:
    """`rule` answers in the server's place, or None; `tamper` changes what the server gets;
    `alter` changes what it answered. `connects`: name to (host, port), others are refused.
    `login`: user and password that a forward proxy wants."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        connects: dict[str, tuple[str, int]] | None = None,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.server = (host, port)
        self.tls = tls
        self.connects = connects or {}
        self.login = login
        self.rule: Callable[[Seen], Reply | None] = lambda seen: None
        self.tamper: Callable[[Seen], Seen] = lambda seen: seen
        self.alter: Callable[[Seen, Reply], Reply] = lambda seen, reply: reply
        self.without_length = False  # no Content-Length; the connection's end is the answer's
        self.seen: list[Seen] = []
        self.connected: list[str] = []
        self.ended = threading.Event()
        self._listener = _Server(("127.0.0.1", 0), _Handler)
        self._listener.proxy = self
        self.port = self._listener.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> HttpProxy:
        threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._listener.shutdown()
        self._listener.server_close()

    def lets_in(self, headers: dict[str, str]) -> bool:
        wanted = self.login and b64encode(":".join(self.login).encode()).decode()
        return not wanted or headers.get("proxy-authorization") == f"Basic {wanted}"

    def answer(self, seen: Seen) -> Reply:
        self.seen.append(seen)
        reply = self.rule(seen)
        return reply if reply is not None else self.alter(seen, self._forward(self.tamper(seen)))

    def _forward(self, seen: Seen) -> Reply:
        connection = http.client.HTTPConnection(*self.server, timeout=60)
        with contextlib.closing(connection):
            connection.putrequest(seen.method, seen.path, skip_host=True, skip_accept_encoding=True)
            for name, value in seen.headers.items():
                if name not in _HOP and not name.startswith("proxy-"):
                    connection.putheader(name, value)
            connection.putheader("content-length", str(len(seen.body)))
            connection.endheaders(seen.body)
            answer = connection.getresponse()
            return Reply(answer.status, answer.read(), dict(answer.getheaders()))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    proxy: HttpProxy

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away, or does not trust our certificate, is what tests are for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        if self.server.proxy.tls is not None:
            self.request.settimeout(10)
            self.request = self.server.proxy.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        self.request.close()

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        proxy = self.server.proxy
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        if not proxy.lets_in(headers):
            self._send(Reply(407, b"", {"Proxy-Authenticate": "Basic"}))
            return
        parts = urlsplit(self.path)
        path = self.path if not parts.netloc else self.path.split(parts.netloc, 1)[1] or "/"
        self._send(proxy.answer(Seen(self.command, path, headers, body)))

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _serve

    def do_CONNECT(self) -> None:
        proxy = self.server.proxy
        self.close_connection = True
        proxy.connected.append(self.path)
        if not proxy.lets_in({name.lower(): value for name, value in self.headers.items()}):
            self._send(Reply(407, b"", {"Proxy-Authenticate": "Basic"}))
        elif self.path not in proxy.connects:
            self._send(Reply(403))
        else:
            with socket.create_connection(proxy.connects[self.path]) as far:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _pump(self.connection, far, proxy.ended)

    def _send(self, reply: Reply) -> None:
        known = {name.lower(): value for name, value in reply.headers.items()}
        length = str(len(reply.body) + reply.missing)
        if self.command == "HEAD":
            length = known.get("content-length", "0")
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        if self.server.proxy.without_length:
            self.close_connection = True
        else:
            self.send_header("Content-Length", length if not reply.drip_s else "1000000")
        if "date" not in known:
            self.send_header("Date", self.date_time_string())
        self.end_headers()
        if reply.missing:
            self.close_connection = True
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        while reply.drip_s and not self.server.proxy.ended.wait(reply.drip_s):
            self.wfile.write(b" ")
            self.wfile.flush()


def _pump(one: socket.socket, other: socket.socket, ended: threading.Event) -> None:
    across = {one: other, other: one}
    while not ended.is_set():
        for source in select.select([one, other], [], [], 0.1)[0]:
            block = source.recv(65536)
            if not block:
                return
            across[source].sendall(block)


def damaged(seen: Seen) -> Seen:
    """With one byte of its body changed on the way."""
    return replace(seen, body=bytes([seen.body[0] ^ 1]) + seen.body[1:])
