"""ISOs with bytes changed where it hurts: descriptors, directory records, extensions first.

python -m support.iso_mutants --seconds 60        (in tests/; prints the seeds of what it finds)
"""

from __future__ import annotations

import argparse
import binascii
import os
import random
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from unittest import mock

from diskwright.adapters.extracted_folder import ExtractedFolder
from diskwright.errors import DiskwrightError
from diskwright.model.image import FileIdentity
from diskwright.model.iso import IsoTree
from diskwright.model.nulls import NeverCancelled, NullProgress
from diskwright.ops.iso_extract import ExtractRequest, extract_iso
from support.iso_maker import SECTOR, entry, link, rock_ridge, write
from support.iso_reading import ReaderHere, snapshot

_NUMBERS = (0, 1, 2, 20, 21, 255, 2048, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
_TEXTS = (b"..", b".", b"/", b"../..", b"/etc", b"a/../..", b"\0", b"\x1b[2J", b"\n", b"~")
UNWANTED = ("unreadable", "bug", "tool-failed")  # a reader that broke down
_FILE_IDENTIFIER = b"\1\1"
_UDF_TAGS = (*(struct.pack("<H", n) for n in (1, 2, 5, 6, 8, 256, 261, 266)), _FILE_IDENTIFIER)
_SIGNATURES = (b"NM", b"SL", b"PX", b"CE", b"CL", b"RE", b"TF", b"SP", b"ER", b"ST", b"ZF", b"SF")


@cache
def originals() -> tuple[bytes, ...]:
    """Whole discs with every tree, and one with links that lead everywhere."""
    ways: tuple[dict[str, object], ...] = (
        {"rock_ridge": "1.09"},
        {"rock_ridge": "1.12", "joliet": 3, "udf": "2.60", "boot": True},
        {"joliet": 3},
        {"udf": "2.60"},
    )
    when = mock.patch("time.time", return_value=1_700_000_000.0)
    unique = mock.patch("random.getrandbits", return_value=7)
    with tempfile.TemporaryDirectory() as folder, when, unique:
        made = [write(Path(folder) / "disc.iso", **dict(how)).read_bytes() for how in ways]
    links = (
        link(b"up", "../.."),
        link(b"root", "/"),
        link(b"here", "."),
        link(b"through", "here/../../etc"),
        entry(b"up", 0o100644),
        entry(b"here", 0o104777),
    )
    return (*made, rock_ridge(*links))


def mutant(seed: int) -> bytes:
    """One of the originals with one to eight changes; the same seed, the same bytes."""
    chance = random.Random(seed)
    data = bytearray(chance.choice(originals()))
    places = interesting(bytes(data))
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        at = chance.choice(places) if chance.random() < 0.9 else chance.randrange(len(data))
        _change(data, at, chance)
    if chance.random() < 0.7:
        _sign(data)
    if chance.random() < 0.05:
        del data[chance.randrange(16 * SECTOR, len(data)) :]
    return bytes(data)


def _sign(data: bytearray) -> None:
    """Make the tags of UDF's descriptors right again, so that readers look behind them."""
    for start in range(0, len(data) - SECTOR + 1, SECTOR):
        at = start
        while at < start + SECTOR - 38 and data[at : at + 2] in _UDF_TAGS and data[at + 5] == 0:
            length = min(int.from_bytes(data[at + 10 : at + 12], "little"), len(data) - at - 16)
            crc = binascii.crc_hqx(bytes(data[at + 16 : at + 16 + length]), 0)
            data[at + 8 : at + 12] = struct.pack("<HH", crc, length)
            data[at + 4] = (sum(data[at : at + 16]) - data[at + 4]) & 0xFF
            if data[at : at + 2] != _FILE_IDENTIFIER:
                break
            used = 38 + data[at + 19] + int.from_bytes(data[at + 36 : at + 38], "little")
            at += (used + 3) & ~3


def interesting(data: bytes) -> list[int]:
    """Bytes of sectors that are not empty and hold metadata by their looks."""
    found: list[int] = []
    for start in range(16 * SECTOR, len(data), SECTOR):
        sector = data[start : start + SECTOR]
        used = len(sector.rstrip(b"\0"))
        directory = sector[:1] and 34 <= sector[0] <= 254 and sector[25:26] == b"\2"
        descriptor = sector[1:6] in (b"CD001", b"BEA01", b"NSR02", b"NSR03", b"TEA01")
        udf = sector[:2] in _UDF_TAGS and sector[5] == 0
        rock_ridge = sector[:2] in _SIGNATURES
        if directory or descriptor or udf or rock_ridge:
            found += range(start, start + used)
    return found


def _change(data: bytearray, at: int, chance: random.Random) -> None:
    kind = chance.randrange(6)
    if kind == 0:
        data[at] = chance.randrange(256)
    elif kind == 1:
        data[at] ^= 1 << chance.randrange(8)
    elif kind == 2:
        new = struct.pack(chance.choice(("<I", ">I", "<H")), chance.choice(_NUMBERS) & 0xFFFF)
        data[at : at + len(new)] = new
    elif kind == 3:
        new = struct.pack("<I", chance.choice(_NUMBERS))
        data[at : at + 4] = new
    elif kind == 4:
        new = chance.choice((*_TEXTS, *_SIGNATURES))
        data[at : at + len(new)] = new
    else:
        length = chance.randrange(1, 64)
        other = chance.randrange(len(data) - length)
        data[at : at + length] = data[other : other + length]


def identity_of(path: Path) -> FileIdentity:
    status = path.stat()
    return FileIdentity(str(path), status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def extracted(data: bytes, image: Path, target: Path, tree: IsoTree | None = None) -> str:
    """How an extraction into `target` ends: "done", or the error's code."""
    image.write_bytes(data)

    def folder(name: str, source: FileIdentity) -> ExtractedFolder:
        return ExtractedFolder(name, force=False, source=source)

    try:
        extract_iso(
            ExtractRequest(str(image), str(target), (), tree, None),
            reader=ReaderHere(),
            folder=folder,
            progress=NullProgress(),
            cancel=NeverCancelled(),
        )
    except DiskwrightError as error:
        end = error.code
    else:
        return "done"
    assert end not in UNWANTED, end
    assert not target.exists(), "a failed run left its folder"
    return end


def escapes(target: Path) -> list[str]:
    """Links below the folder that a user who follows them would leave it by."""
    inside = os.path.realpath(target)
    found = []
    for path in target.rglob("*"):
        led = os.path.realpath(path) if path.is_symlink() else inside
        if led != inside and not led.startswith(inside + os.sep):
            found.append(f"{path} -> {os.readlink(path)}")
    return found


def run(seeds: Iterator[int], work: Path, *, until: float) -> dict[str, int]:
    """Extract a mutant for each seed until `until` (monotonic). Returns how often each end came.

    Raises AssertionError, with the seed, where one wrote outside its folder or kept a link out.
    """
    outside = work / "around"
    (outside / "neighbour").mkdir(parents=True)
    (outside / "neighbour" / "file").write_text("as it was")
    (outside / "passwd").symlink_to("/etc/passwd")
    image, target = work / "mutant.iso", outside / "target"
    before = snapshot(outside, but=target)
    ends: dict[str, int] = {}
    for seed in seeds:
        if time.monotonic() >= until:
            break
        try:
            trees = (None, *IsoTree)
            end = extracted(mutant(seed), image, target, trees[seed % len(trees)])
            if end == "usage-error":  # it has no such tree
                end = extracted(mutant(seed), image, target)
            assert snapshot(outside, but=target) == before, "something outside changed"
            assert escapes(target) == [], "a link leads outside"
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        ends[end] = ends.get(end, 0) + 1
        _remove(target)
    return ends


def _remove(target: Path) -> None:
    for folder, folders, files in os.walk(target, topdown=False):
        for name in files:
            os.unlink(os.path.join(folder, name))
        for name in folders:
            path = os.path.join(folder, name)
            os.unlink(path) if os.path.islink(path) else os.rmdir(path)
    if target.exists():
        os.rmdir(target)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Extract changed ISOs and watch what they touch.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        until = time.monotonic() + options.seconds
        seeds = iter(range(options.first, sys.maxsize))
        ends = run(seeds, Path(folder), until=until)
    print(sum(ends.values()), "mutants:", ends)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
