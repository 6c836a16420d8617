"""A real browser, headless, spoken to over two pipes by the Chrome DevTools Protocol.

Messages are JSON, each ended by a zero byte (https://chromedevtools.github.io/devtools-protocol/,
`--remote-debugging-pipe`): the browser reads descriptor 3 and writes descriptor 4.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "google-chrome")
WAIT_S = 60.0
_FLAGS = [
    "--headless",
    "--no-sandbox",  # tests may run as root, in a container without user namespaces
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
]

# Of every text: is it seen (inside the page, not empty), and how well is it told from its ground
TEXTS = """
(() => {
  const HIDDEN = "svg, script, details:not([open]) > :not(summary)";
  const rgb = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = (c) => {
    const [r, g, b] = c.slice(0, 3).map((v) => {
      v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const c = rgb(getComputedStyle(node).backgroundColor);
      if (c.length && (c.length < 4 || c[3] > 0)) return c;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, box = node.parentElement;
    if (!node.data.trim() || box.closest(HIDDEN)) continue;
    const range = document.createRange(); range.selectNodeContents(node);
    const r = range.getBoundingClientRect();
    const [a, b] = [light(rgb(getComputedStyle(box).color)), light(ground(box))];
    found.push({
      text: node.data.trim().slice(0, 60), width: r.width, height: r.height, left: r.left,
      right: r.right, scrolls: !!box.closest(".wide"),
      contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05),
    });
  }
  return JSON.stringify(found);
})()
"""


class Page:
    """One tab. `requests`: the addresses that it asked for; `complaints`: what its console said."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._numbers = itertools.count(1)
        self._rest = b""
        self._session: str | None = None
        self._events: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.complaints: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def open(self, path: Path, *, dark: bool = False, width: int = 1000, height: int = 900) -> None:
        """Whole, in this look; what was seen of an earlier one is forgotten."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.requests.clear()
        self.complaints.clear()
        self._events.clear()
        self.call("Page.navigate", url=path.as_uri())
        self._until("Page.loadEventFired")

    def value(self, script: str) -> Any:
        """What an expression of JavaScript is worth, as JSON."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def picture(self, path: Path, *, whole: bool = True) -> None:
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def paper(self) -> bytes:
        """The page as it would be printed: a PDF."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=False)["data"])

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def _until(self, event: str) -> None:
        while not any(seen["method"] == event for seen in self._events):
            self._next()

    def _next(self) -> dict[str, Any]:
        deadline = time.monotonic() + WAIT_S
        while b"\0" not in self._rest:
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([self._from], [], [], left)[0]
            assert ready, "the browser says nothing"
            data = os.read(self._from, 1 << 20)
            assert data, "the browser ended"
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\0")
        message = json.loads(line)
        if "method" in message:
            self._note(message)
        return message

    def _note(self, event: dict[str, Any]) -> None:
        self._events.append(event)
        told = event["params"]
        match event["method"]:
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Log.entryAdded":
                self.complaints.append(told["entry"]["text"])
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown":
                self.complaints.append(str(told))


def installed() -> str | None:
    return next((name for name in NAMES if shutil.which(name)), None)


@contextmanager
def browser() -> Iterator[Page]:
    """Started with an empty profile, and gone with it."""
    our_end, its_answers = os.pipe()
    its_orders, our_orders = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        name = installed()
        assert name is not None, f"none of {', '.join(NAMES)} is installed"
        command = [name, *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
        # bash, as the numbers are given: exec keeps 3 and 4
        process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{its_orders} 4>&{its_answers}', "bash", *command],
            pass_fds=[its_orders, its_answers],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(its_orders)
        os.close(its_answers)
        try:
            yield Page(our_orders, our_end)
        finally:
            os.close(our_orders)
            os.close(our_end)
            os.killpg(process.pid, 9)
            process.wait()
