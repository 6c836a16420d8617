"""An ext2 with room behind every file, and where each file's bytes are."""

from __future__ import annotations

import random
import re
import struct
import tempfile
from pathlib import Path

from support.fuzzing.guests import makers
from support.fuzzing.guests.seed import Slot
from support.fuzzing.guests.tree import Files, Link

BLOCK = 1024
_LARGE = re.compile(r"initrd|grub\.cfg|\.yaml$")
_PLACE = re.compile(r"Inode (\d+) is part of .*?located at block (\d+), offset (0x[0-9a-f]+)", re.S)


def slots(files: Files) -> tuple[bytearray, list[Slot]]:
    """The file system, and its files and links; places from its start."""
    noise = random.Random(1)
    padded: dict[str, bytes | Link] = {}
    for path, content in files.items():
        room = len(content) + (40 if _LARGE.search(path) else 3) * BLOCK
        padded[path] = (
            content if isinstance(content, Link) else noise.randbytes(room - room % BLOCK)
        )
    data = makers.ext(padded, "-t", "ext2", "-b", str(BLOCK), size=1 << 20)
    inodes = _inodes(data, [*files])
    found = []
    for path, content in files.items():
        raw = content.encode() if isinstance(content, Link) else content
        blocks = () if isinstance(content, Link) else _blocks(data, padded[path])
        slot = Slot(path, raw, inodes[path], blocks)
        if blocks:
            slot.put(data, raw)
        found.append(slot)
    return data, found


def _blocks(data: bytearray, noise: bytes | Link) -> tuple[int, ...]:
    assert isinstance(noise, bytes)
    pieces = (noise[at : at + BLOCK] for at in range(0, len(noise), BLOCK))
    return tuple(data.index(piece) for piece in pieces)


def _inodes(data: bytearray, paths: list[str]) -> dict[str, int]:
    """Where their inodes are, as debugfs says."""
    with tempfile.NamedTemporaryFile() as image:
        image.write(data)
        image.flush()
        commands = "".join(f"imap {path}\n" for path in paths)
        commands_file = Path(image.name + ".commands")
        commands_file.write_text(commands)
        said = makers.tool("debugfs", "-f", commands_file, image.name)
        commands_file.unlink()
    places = [int(block) * BLOCK + int(offset, 16) for _, block, offset in _PLACE.findall(said)]
    assert len(places) == len(paths)
    (size,) = struct.unpack_from("<H", data, 1024 + 88)
    assert all(place % size == 0 for place in places)
    return dict(zip(paths, places, strict=True))
