"""What bootctl, of systemd, lists."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest


def listed(folder: Path) -> list[dict[str, Any]]:
    """Its entries of the ESP `folder`, which for it has to be a file system of its own."""
    bootctl = shutil.which("bootctl")
    if bootctl is None:
        pytest.skip("bootctl is not installed")
    root = folder.parent / "root"
    (root / "efi").mkdir(parents=True)
    script = (
        f"mount -t tmpfs none {shlex.quote(str(root))}/efi"
        f" && cp -r {shlex.quote(str(folder))}/. {shlex.quote(str(root))}/efi"
        f" && exec {bootctl} --root={shlex.quote(str(root))} --esp-path=/efi list --json=short"
    )
    ran = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SYSTEMD_RELAX_ESP_CHECKS": "1"},
    )
    if "unshare" in ran.stderr or "mount:" in ran.stderr:
        pytest.skip("no mount namespace here")
    assert ran.returncode == 0, ran.stderr
    decoder, text, found = json.JSONDecoder(), ran.stdout.strip(), []
    while text:
        value, end = decoder.raw_decode(text)
        found += value if isinstance(value, list) else [value]
        text = text[end:].strip()
    return found
