#!/usr/bin/env python3
"""Makes the disk that speed is measured on: 4 GiB, 1.5 GiB of it real files of this machine.

    scripts/_bench_disk.py FOLDER [--size GIB] [--data MIB] [--from TREE]

FOLDER/bench.raw is sparse, FOLDER/bench.qcow2 is the same disk made by qemu-img. Files are taken
evenly from the whole tree in the order of their paths, and lie on it as a file system would put
them: each from a 4 KiB border, in stretches of 16 MiB with holes between. The layout depends on the
tree alone, so two runs on one machine make the same disk.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

BLOCK = 4096
STRETCH = 16 << 20


def files(tree: str) -> list[tuple[str, int]]:
    """Path and size of each regular file once, by path."""
    found: dict[int, tuple[str, int]] = {}
    for folder, names, leaves in os.walk(tree):
        names.sort()
        for leaf in sorted(leaves):
            path = os.path.join(folder, leaf)
            status = os.lstat(path)
            if os.path.isfile(path) and not os.path.islink(path) and status.st_size:
                found.setdefault(status.st_ino, (path, status.st_size))
    return list(found.values())


def chosen(tree: str, wanted: int) -> Iterator[str]:
    """Files of about `wanted` bytes in all, evenly from the tree; again where it has less."""
    everything = files(tree)
    total = sum(size for _, size in everything)
    if not total:
        sys.exit(f"{tree} holds no file to build a disk from")
    for _ in range(wanted // total):
        yield from (path for path, _ in everything)
    wanted %= total
    seen = taken = 0
    for path, size in everything:
        seen += size
        if (taken + size) * total <= seen * wanted:
            taken += size
            yield path


def write_raw(target: Path, size: int, wanted: int, tree: str) -> int:
    """Returns how many bytes of files lie on the disk."""
    stretches = -(-wanted // STRETCH)
    spacing = size // stretches // BLOCK * BLOCK
    if spacing < STRETCH:
        sys.exit("that much data does not fit")
    position = stretch = written = 0
    with target.open("wb", buffering=STRETCH) as out:
        out.truncate(size)
        for path in chosen(tree, wanted):
            try:
                source = open(path, "rb")  # noqa: SIM115 - one that can't be read is left out
            except OSError:
                continue
            with source:
                while piece := source.read(stretch * spacing + STRETCH - position):
                    out.seek(position)
                    out.write(piece)
                    written += len(piece)
                    position += -(-len(piece) // BLOCK) * BLOCK
                    if position >= stretch * spacing + STRETCH:
                        stretch += 1
                        position = stretch * spacing
                        if stretch == stretches:
                            return written
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=4, metavar="GIB")
    parser.add_argument("--data", type=int, default=1536, metavar="MIB")
    parser.add_argument("--from", dest="tree", default="/usr", metavar="TREE")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    raw, qcow2 = options.folder / "bench.raw", options.folder / "bench.qcow2"
    written = write_raw(raw, options.size << 30, options.data << 20, options.tree)
    subprocess.run(
        ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-W", "-m", "8", raw, qcow2], check=True
    )
    print(f"{written >> 20} MiB of files on {options.size} GiB in {raw} and {qcow2}")


if __name__ == "__main__":
    main()
