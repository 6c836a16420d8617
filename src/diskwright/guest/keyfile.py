"""The `[Section]` and `key=value` form of systemd's units and NetworkManager's profiles."""

from __future__ import annotations

from diskwright._values import Struct


class Key(Struct, frozen=True):
    """`line` counts from 1. A key may come several times, also in several sections of one name."""

    section: str
    key: str
    value: str
    line: int


def parse_keyfile(text: str) -> tuple[Key, ...]:
    """Keys in order; comments (`#`, `;`) and lines of another form are passed over."""
    keys = []
    section = ""
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif line and line[0] not in "#;" and "=" in line:
            key, _, value = line.partition("=")
            keys.append(Key(section, key.strip(), value.strip(), number))
    return tuple(keys)
