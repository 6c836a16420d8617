"""Entries are those that bootctl lists, in its order."""

from __future__ import annotations

from pathlib import Path

from diskwright.guest.bls import menu_order, parse_entry
from support.bootctl import listed

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
