"""A TCP proxy that misbehaves on request: latency, bandwidth, cut, reset, HTTP 503.

    from support.servers.faults import FaultProxy, Fault
    with FaultProxy("127.0.0.1", 9000) as proxy:      # listens on proxy.port
        proxy.fault = Fault(cut_after_bytes=1_000_000, times=2)
        ...
        assert proxy.connections == 3 and proxy.hits == 2

Bytes pass unread, so TLS and HTTP pass alike; `http_status` alone speaks plain HTTP.
"""

import contextlib
import socket
import struct
import threading
import time
from dataclasses import dataclass

BLOCK = 16384


@dataclass(frozen=True)
class Fault:
    """What happens to the next `times` connections (all if None), chosen when one is made."""

    delay_s: float = 0.0  # before each block, each way
    bytes_per_s: int | None = None  # each way
    cut_after_bytes: int | None = None  # orderly close once so many bytes went `direction`
    reset_after_bytes: int | None = None  # the same with RST
    stall_after_bytes: int | None = (
        None  # the same, but nothing more is passed until `stall_s` is over
    )
    stall_s: float = 60.0
    direction: str = "up"  # "up": client to server; "down": server to client
    http_status: int | None = None  # answer the request head with it; the server never sees it
    refuse: bool = False  # reset at once
    times: int | None = None


class FaultProxy:
    def __init__(self, host, port, fault=None):
        self.target = (host, port)
        self.fault = fault or Fault()
        self.connections = self.hits = 0
        self._used = (self.fault, 0)
        self._open = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in [self._listener, *self._open]:
            self._end(sock)

    def drop(self):
        """End all connections that are open: the next request needs one with the next fault."""
        for sock in list(self._open):
            self._end(sock)

    def _take_fault(self):
        self.connections += 1
        if self._used[0] is not self.fault:
            self._used = (self.fault, 0)
        fault, used = self._used
        if fault == Fault() or (fault.times or used + 1) <= used:
            return Fault()
        self._used = (fault, used + 1)
        self.hits += 1
        return fault

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                threading.Thread(
                    target=self._serve, args=(client, self._take_fault()), daemon=True
                ).start()

    def _serve(self, client, fault):
        if fault.refuse:
            self._end(client, reset=True)
            return
        if fault.http_status:
            client.recv(65536)
            client.sendall(
                b"HTTP/1.1 %d Fault\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                % fault.http_status
            )
            client.shutdown(socket.SHUT_WR)
            client.settimeout(2)
            # Swallow the body, or the client gets RST before it reads the status.
            with contextlib.suppress(OSError):
                while client.recv(BLOCK):
                    pass
            self._end(client)
            return
        try:
            server = socket.create_connection(self.target)
        except OSError:
            self._end(client, reset=True)
            return
        for sock in (client, server):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.add(sock)
        down = threading.Thread(
            target=self._pump, args=(server, client, fault, "down"), daemon=True
        )
        down.start()
        self._pump(client, server, fault, "up")
        down.join()
        for sock in (client, server):
            self._end(sock)

    def _pump(self, source, sink, fault, direction):
        mine = fault.direction == direction
        limits = [
            n
            for n in (fault.cut_after_bytes, fault.reset_after_bytes, fault.stall_after_bytes)
            if n is not None
        ]
        left = min(limits) if mine and limits else None
        with contextlib.suppress(OSError):
            while left != 0:
                block = source.recv(BLOCK if left is None else min(BLOCK, left))
                if not block:
                    sink.shutdown(socket.SHUT_WR)
                    return
                time.sleep(
                    fault.delay_s + (len(block) / fault.bytes_per_s if fault.bytes_per_s else 0)
                )
                sink.sendall(block)
                left = None if left is None else left - len(block)
            if fault.stall_after_bytes is not None:
                time.sleep(fault.stall_s)
            for sock in (source, sink):
                self._end(sock, reset=fault.reset_after_bytes is not None)

    def _end(self, sock, reset=False):
        with contextlib.suppress(OSError):
            if reset:  # linger 0: close sends RST, once no other thread waits in recv
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
        self._open.discard(sock)
        sock.close()
