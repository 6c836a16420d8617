"""What every start script shares: free ports, a readiness wait, and a clean end.

A start script prints one JSON line (endpoint, pid, credentials) when its server
answers, then lives until its stdin closes or it gets SIGTERM or SIGINT. Its server
dies with it, even when the script itself is killed with SIGKILL (Linux only).
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
# Below ip_local_port_range (32768..60999): no outgoing connection can take such a port
# between our look and the server's bind.
PORT_RANGE = range(20000, 32000)


def free_ports(count):
    """Return `count` distinct free loopback TCP ports."""
    ports, held = [], []
    offset = os.getpid() * 7919 + time.monotonic_ns()
    for step in range(len(PORT_RANGE)):
        port = PORT_RANGE[(offset + step) % len(PORT_RANGE)]
        sock = socket.socket()
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            sock.close()
            continue
        ports.append(port)
        held.append(sock)
        if len(ports) == count:
            break
    for sock in held:
        sock.close()
    return ports


def die_with_parent():
    """For `preexec_fn`: the kernel kills us when the thread that started us ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def spawn(argv, log_path, **kwargs):
    """Start `argv` with its output in `log_path`; it dies with this process."""
    log_path = Path(log_path)
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with open(log_path, "ab") as log:
        return subprocess.Popen(
            [str(word) for word in argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - a start script has one thread
            **kwargs,
        )


def wait_http(url, process, timeout_s=60, accept=lambda status: status < 500):
    """Wait until `url` answers with a status that `accept` likes."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"server ended with {process.returncode} before it answered {url}")
        try:
            with urllib.request.urlopen(url, timeout=2) as reply:
                status = reply.status
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError:
            status = None
        if status is not None and accept(status):
            return
        time.sleep(0.05)
    raise TimeoutError(f"no answer from {url} in {timeout_s} s")


def stop(process, timeout_s=10):
    """SIGTERM, then SIGKILL; returns when the process is gone."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout_s)
    if process.poll() is None:
        process.kill()
    process.wait()


def announce_and_wait(info, processes, grace_s=10):
    """Print `info` as one JSON line; end the servers when asked to, or when one of them ends."""
    asked = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: asked.append(number))
    print(json.dumps(info), flush=True)
    try:
        while not asked:
            if select.select([0], [], [], 0.1)[0] and not os.read(0, 4096):
                break
            ended = [process for process in processes if process.poll() is not None]
            if ended:
                raise SystemExit(f"server ended with {ended[0].returncode}")
    finally:
        for process in processes:
            stop(process, grace_s)
