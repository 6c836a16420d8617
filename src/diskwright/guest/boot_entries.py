"""Boot loader entries of the other forms: Boot Loader Specification files, and GRUB legacy's menu.

BLS: https://uapi-group.org/specifications/specs/boot_loader_specification (type 1), with the
variables that Fedora's GRUB puts into them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from diskwright.guest.grub import GrubPath, MenuItem

MAX_ENTRIES = 500
MAX_OPTIONS = 16  # lines of one entry
MAX_VARIABLES = 8  # of one line

_VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)\}")
_LEGACY_DEVICE = re.compile(r"\(?hd(\d+),(\d+)\)?")


def parse_bls(text: str, name: str, device: str, variables: Mapping[str, str]) -> MenuItem | None:
    """One entry; `name` is its file's without `.conf`. None where it loads no kernel of Linux."""
    item = MenuItem(title=name, id=name, line=1)
    options: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        key, _, value = line.strip().partition(" ")
        value = _VARIABLE.sub(
            lambda m: variables.get(m[1] or m[2], ""), value.strip(), count=MAX_VARIABLES
        )
        if key == "title":
            item.title = value
        elif key == "linux":
            item.kernel = GrubPath(device, value)
            item.line = number
        elif key == "initrd":
            item.initrds += [GrubPath(device, path) for path in value.split()]
        elif key == "options" and len(options) < MAX_OPTIONS:
            options.append(value)
            item.line = number
    item.arguments = " ".join(" ".join(options).split())
    return item if item.kernel else None


def bls_order(name: str) -> list[tuple[int, int, str]]:
    """Sort key of an entry's name: the newest version is the first of the menu, when reversed."""
    return version_key(name)


def version_key(version: str) -> list[tuple[int, int, str]]:
    """Numbers count as numbers: 6.1.0-56 is newer than 6.1.0-9."""
    parts = re.findall(r"\d+|[^\d.]+", version)
    return [(1, int(p[:18]), "") if p[0].isdecimal() else (0, 0, p) for p in parts]


def parse_legacy(text: str) -> tuple[list[MenuItem], str]:
    """The entries of a menu.lst or grub.conf, and the number of the default one."""
    items: list[MenuItem] = []
    default, device = "0", ""
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.replace("=", " ", 1).split() if line.startswith("default") else line.split()
        if not words or words[0].startswith("#"):
            continue
        command, arguments = words[0], words[1:]
        if command == "title" and len(items) < MAX_ENTRIES:
            items.append(MenuItem(" ".join(arguments), "", number))
            device = ""
        elif command == "default" and arguments and arguments[0].isdecimal():
            default = arguments[0]
        elif command in ("root", "rootnoverify") and arguments:
            device = _legacy_device(arguments[0])
        elif command == "uuid" and arguments:
            device = f"uuid:{arguments[0]}"
        elif command == "kernel" and items:
            paths = [a for a in arguments if not a.startswith("--")]
            if paths:
                items[-1].kernel = _legacy_path(paths[0], device)
                items[-1].arguments = " ".join(paths[1:])
                items[-1].line = number
        elif command == "initrd" and items:
            items[-1].initrds += [_legacy_path(argument, device) for argument in arguments]
    return items, default


def _legacy_path(text: str, device: str) -> GrubPath:
    if text.startswith("(") and ")" in text:
        device, _, text = text[1:].partition(")")
        device = _legacy_device(device)
    return GrubPath(device, text)


def _legacy_device(name: str) -> str:
    """`(hd0,0)` is GRUB 2's `hd0,1`."""
    match = _LEGACY_DEVICE.fullmatch(name)
    return f"hd{match[1]},{int(match[2]) + 1}" if match else name.strip("()")
