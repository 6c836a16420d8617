"""ISOs to test with: by pycdlib as people have them, by hand as only an attacker has them."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from pathlib import Path

import pycdlib

from support.hostile.iso import both, direc, iso

SECTOR = 2048
ROOT = 20  # the sector of the root directory in what `iso` makes
FILE = 21  # ... and of its one file, `hello\n`
SP = b"SP\7\1\xbe\xef\0"  # Rock Ridge begins


def root(*more: bytes, dot: bytes = b"") -> bytes:
    """A directory with these records after its own two."""
    return direc(b"\0", ROOT, SECTOR, 2, dot) + direc(b"\1", ROOT, SECTOR, 2) + b"".join(more)


def plain(*records: bytes, **how: object) -> bytes:
    """An ISO whose root has these records."""
    return iso(root=root(*records), **how)


def rock_ridge(*records: bytes, **how: object) -> bytes:
    return iso(root=root(*records, dot=SP), **how)


def nm(name: bytes, flags: int = 0) -> bytes:
    return b"NM" + bytes([5 + len(name), 1, flags]) + name


def px(mode: int) -> bytes:
    return b"PX" + bytes([36, 1]) + both("I", mode) + both("I", 1) + both("I", 0) * 2


def sl(*components: bytes) -> bytes:
    """Each component is its flags, its length and its text."""
    body = b"".join(components)
    return b"SL" + bytes([5 + len(body), 1, 0]) + body


def step(text: bytes) -> bytes:
    """A component of a link: `..`, `.`, `/` for the root, or a name."""
    flags = {b"..": 4, b".": 2, b"/": 8}.get(text, 0)
    return bytes([flags, 0]) if flags else bytes([0, len(text)]) + text


def ce(block: int, offset: int, length: int) -> bytes:
    return b"CE" + bytes([28, 1]) + both("I", block) + both("I", offset) + both("I", length)


def link(name: bytes, target: str) -> bytes:
    """A record of a symbolic link."""
    steps = [b"/"] if target.startswith("/") else []
    steps += [part.encode() for part in target.split("/") if part]
    said = nm(name) + px(0o120777) + sl(*map(step, steps))
    return direc(b"L.;1", 0, 0, 0, said)


def entry(name: bytes, mode: int, *, extent: int = FILE, length: int = 6, flags: int = 0) -> bytes:
    return direc(b"F.;1", extent, length, flags, nm(name) + px(mode))


@dataclass
class Disc:
    """What people put on a disc: path to contents, and links."""

    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)


SMALL = Disc(
    files={
        "readme.txt": b"read me\n",
        "empty": b"",
        "boot/loader.bin": bytes(range(256)) * 20,
        "boot/grub/a name that is longer than eight.conf": b"set x=1\n",
        "data/ünïcode.text": "ü".encode() * 3000,
    },
    links={"boot/link": "../readme.txt", "self": "."},
    folders=["boot", "boot/grub", "data", "void"],
)


def write(path: Path, disc: Disc = SMALL, **how: object) -> Path:
    """By pycdlib. `how`: rock_ridge="1.09", joliet=3, udf="2.60", and boot=True for El Torito."""
    boot = how.pop("boot", False)
    maker = pycdlib.PyCdlib()
    maker.new(interchange_level=3, vol_ident="SMALL", sys_ident="LINUX", **how)
    short: dict[str, str] = {"": ""}
    for number, folder in enumerate(disc.folders):
        short[folder] = f"{short[os.path.dirname(folder)]}/D{number}"
        maker.add_directory(short[folder], **_names(how, folder))
    for number, (name, content) in enumerate(disc.files.items()):
        place = f"{short[os.path.dirname(name)]}/F{number}.;1"
        maker.add_fp(io.BytesIO(content), len(content), place, **_names(how, name))
    for number, (name, target) in enumerate(disc.links.items()):
        if "rock_ridge" in how:
            place = f"{short[os.path.dirname(name)]}/L{number}.;1"
            maker.add_symlink(place, os.path.basename(name), target)
    if boot:
        maker.add_eltorito("/D0/F2.;1", bootcatfile="/BOOT.CAT;1", **_boot_names(how))
    maker.write(str(path))
    maker.close()
    return path


def _names(how: dict[str, object], path: str) -> dict[str, str]:
    names = {}
    if "rock_ridge" in how:
        names["rr_name"] = os.path.basename(path)
    if "joliet" in how:
        names["joliet_path"] = f"/{path}"
    if "udf" in how:
        names["udf_path"] = f"/{path}"
    return names


def _boot_names(how: dict[str, object]) -> dict[str, str]:
    names = {}
    if "rock_ridge" in how:
        names["rr_bootcatname"] = "boot.cat"
    if "joliet" in how:
        names["joliet_bootcatfile"] = "/boot.cat"
    if "udf" in how:
        names["udf_bootcatfile"] = "/boot.cat"
    return names


def many_files(path: Path, count: int, *, size: int = 1 << 19, sectors: int = 2 << 20) -> Path:
    """A sparse Rock Ridge ISO with so many files of `size` bytes in its root."""
    records = [
        direc(
            b"F%07d.;1" % number,
            1000 + number * (size // SECTOR),
            size,
            0,
            nm(b"file-with-a-name-%07d.rpm" % number) + px(0o100644),
        )
        for number in range(count)
    ]
    packed, at = [b""], 0
    for record in [direc(b"\0", ROOT, 0, 2, SP), direc(b"\1", ROOT, 0, 2), *records]:
        if at + len(record) > SECTOR:
            packed.append(bytes(SECTOR - at))
            at = 0
        packed.append(record)
        at += len(record)
    directory = b"".join(packed)
    directory += bytes(-len(directory) % SECTOR)
    place = sectors - len(directory) // SECTOR
    head = bytearray(iso(root_extent=ROOT, root_len=len(directory)))
    descriptor = 16 * SECTOR
    head[descriptor + 80 : descriptor + 88] = both("I", sectors)
    head[descriptor + 158 : descriptor + 166] = both("I", place)
    with path.open("wb") as file:
        file.write(head)
        file.seek(place * SECTOR)
        file.write(directory)
    return path
