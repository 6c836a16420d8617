"""Entries are those that bootctl lists, in its order."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from diskwright.guest.bls import menu_order, parse_entry

ENTRIES = {
    "deb-6.1.0-9+3.conf": "title Deb\nversion 6.1.0-9\nsort-key debian\nlinux /k\ninitrd /a\n",
    "deb-6.1.0-56+0-3.conf": "title Deb\nversion 6.1.0-56\nsort-key debian\nlinux /k\n",
    "deb-6.1.0-10+2-1.conf": "version 6.1.0-10\nsort-key debian\nlinux /k\n"
    "options a\noptions b c\n",
    "b-1.conf": "sort-key debian\nmachine-id 4098b3f648d74c13b1f04ccfba7798e8\n"
    "version 99\nlinux /k\n",
    "tabs.conf": "title\tA  title \nlinux\t/k\ninitrd\t/a\ninitrd /b\narchitecture x64\n",
    "plain-9.conf": "title x\nlinux /k\n",
    "plain-10.conf": "title x\nlinux /k\n",
    "rc-1.conf": "title y\nsort-key arch\nversion 6.9~rc1\nlinux /k\n",
    "rc.conf": "title y\nsort-key arch\nversion 6.9\nlinux /k\n",
    "memtest.conf": "title Memtest\nefi /k\n",
}


def listed(folder: Path) -> list[dict[str, Any]]:
    """By bootctl, which wants the ESP to be a file system of its own."""
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


def test_entries_and_their_order(tmp_path: Path) -> None:
    esp = tmp_path / "esp"
    (esp / "loader/entries").mkdir(parents=True)
    for name in ("k", "a", "b"):
        (esp / name).write_bytes(b"x")
    for name, text in ENTRIES.items():
        (esp / "loader/entries" / name).write_text(text)
    theirs = listed(esp)
    ours = menu_order(parse_entry(text, name) for name, text in ENTRIES.items())
    assert [entry.id for entry in ours] == [entry["id"] for entry in theirs]
    for mine, said in zip(ours, theirs, strict=True):
        assert mine.title == said.get("title", ""), mine.id
        assert mine.version == said.get("version", "")
        assert mine.sort_key == said.get("sortKey", "")
        assert mine.machine_id == said.get("machineId", "").replace("-", "")
        assert mine.options == said.get("options", "")
        assert mine.linux == said.get("linux", "")
        assert mine.efi == said.get("efi", "")
        assert list(mine.initrds) == said.get("initrd", [])
        assert mine.architecture == said.get("architecture", "")
        assert mine.tries_left == said.get("triesLeft")
