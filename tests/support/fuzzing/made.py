"""Files of qemu's own making. What is left to chance in them (ids, times) is overwritten."""

from __future__ import annotations

import os
import random
import re
import struct
import subprocess
import tempfile
from functools import cache

from support.fuzzing import sums

_SIZE = 1 << 20
_TEXT = slice(512, 21 * 512)  # where qemu puts the descriptor of a VMDK

# What is made of one raw disk: driver, options, and whether it is compressed
_WAYS: dict[str, list[tuple[str, str, bool]]] = {
    "qcow2": [
        ("qcow2", "cluster_size=4096", False),
        ("qcow2", "cluster_size=512,compat=0.10", False),
        ("qcow2", "cluster_size=4096", True),
        ("qcow2", "cluster_size=65536,compression_type=zstd", True),
        ("qcow2", "cluster_size=16384,extended_l2=on", False),
    ],
    "qcow": [("qcow", "", False)],
    "vmdk": [("vmdk", "subformat=monolithicSparse", False)],
    "stream": [("vmdk", "subformat=streamOptimized", False)],
    "vpc": [("vpc", "subformat=dynamic,force_size=on", False)],
    "vdi": [("vdi", "", False)],
    "qed": [("qed", "cluster_size=65536,table_size=2", False)],
    "parallels": [("parallels", "cluster_size=65536", False)],
}


def _content() -> bytes:
    """Noise, text, zeros: borders that no cluster size likes."""
    chance = random.Random(5)
    data = bytearray(_SIZE)
    data[:9_000] = chance.randbytes(9_000)
    data[200_000:260_000] = b"text that shrinks\n" * 3_333 + b"123456"
    data[-700:] = chance.randbytes(700)
    return bytes(data)


@cache
def made_by_qemu(kind: str) -> tuple[bytes, ...]:
    """Always the same bytes from one version of qemu-img."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        raw, path = f"{folder}/raw", f"{folder}/made"
        with open(raw, "wb") as out:
            out.write(_content())
        for driver, options, compressed in _WAYS[kind]:
            argv = ["qemu-img", "convert", "-f", "raw", "-O", driver]
            argv += ["-c"] if compressed else []
            argv += ["-o", options] if options else []
            subprocess.run([*argv, raw, path], check=True, capture_output=True)
            if driver == "qcow2" and "4096" in options and not compressed:
                subprocess.run(["qemu-img", "snapshot", "-c", "one", path], check=True)
            with open(path, "rb") as made:
                found.append(_without_chance(driver, made.read()))
            os.unlink(path)
    return tuple(found)


def _without_chance(driver: str, data: bytes) -> bytes:
    changed = bytearray(data)
    if driver == "vdi":
        changed[0x188:0x1A8] = b"\x31" * 32  # ids of the image and of its last snapshot
    elif driver == "vmdk":
        text = bytes(changed[_TEXT]).partition(b"\0")[0]  # one of a shorter id leaves a rest
        text = re.sub(rb"\nCID=[0-9a-f]+", b"\nCID=12345678", text)
        changed[_TEXT] = text.ljust(_TEXT.stop - _TEXT.start, b"\0")
    elif driver == "vpc":
        changed[24:28] = bytes(4)  # the time
        changed[68:84] = b"\x11" * 16
        return sums.vhd(bytes(changed))
    elif driver == "qcow2":
        count, offset = struct.unpack_from(">IQ", data, 60)
        if count:
            changed[offset + 16 : offset + 24] = bytes(8)  # when the snapshot was made
    return bytes(changed)


# What of a disk is in the file itself, and how: options, and commands of qemu-io
_OVER: list[tuple[str, tuple[str, ...]]] = [
    (
        "cluster_size=16384,extended_l2=on",
        ("write -P 1 512 1k", "write -P 2 32k 2k", "write -z 40k 4k", "discard 100k 16k"),
    ),
    (
        "cluster_size=4096,compression_type=zstd",
        ("write -c -P 3 8k 4k", "write -c -P 4 60k 8k", "write -P 5 200k 100", "write -z 300k 8k"),
    ),
]


@cache
def made_over(name: str, driver: str) -> tuple[bytes, ...]:
    """qcow2 files over a file `name`, each with some of the disk; the same bytes as above."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/{name}", "wb") as out:
            out.write(_content())
        for options, commands in _OVER:
            path = f"{folder}/made"
            argv = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", driver, "-b", name]
            subprocess.run([*argv, "-o", options, path], check=True, capture_output=True)
            words = [word for command in commands for word in ("-c", command)]
            subprocess.run(["qemu-io", *words, path], check=True, capture_output=True)
            with open(path, "rb") as made:
                found.append(made.read())
            os.unlink(path)
    return tuple(found)
