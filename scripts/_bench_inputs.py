"""Speed of every input: conversions from the other formats, and looking at files that cost most."""

from __future__ import annotations

import os
import statistics
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from _bench_tree import run

if TYPE_CHECKING:
    from _bench import Bench

# name: driver, options, ending
FORMATS = {
    "vmdk monolithicSparse": ("vmdk", "subformat=monolithicSparse", "vmdk"),
    "vmdk streamOptimized": ("vmdk", "subformat=streamOptimized", "vmdk"),
    "vhd": ("vpc", "subformat=dynamic,force_size=on", "vhd"),
    "vhdx": ("vhdx", "subformat=dynamic", "vhdx"),
    "vdi": ("vdi", "", "vdi"),
}
# Of a disk that is empty and very large: as tables alone
EMPTY = {"qcow2": "1P", "vdi": "2T", "vhdx": "64T", "qed": "64T"}


def formats(bench: Bench) -> None:
    """To compressed qcow2, both sides in turn."""
    raw = bench.folder / "bench.raw"
    out, peer = bench.folder / "ours.qcow2", bench.folder / "peer.qcow2"
    for name, (driver, options, ending) in FORMATS.items():
        source = bench.folder / f"source.{ending}"
        more = ["-o", options] if options else []
        argv = ["qemu-img", "convert", "-f", "raw", "-O", driver, *more, raw, source]
        subprocess.run(argv, check=True)
        os.sync()  # ours syncs what it made, and would wait for this one's bytes too

        def ours(source: Path = source) -> float:
            out.unlink(missing_ok=True)
            return bench.call("convert", str(source), str(out), "--compress").seconds

        def theirs(source: Path = source, driver: str = driver) -> float:
            peer.unlink(missing_ok=True)
            return bench.shell(
                f"qemu-img convert -f {driver} -c -O qcow2 -m 8 -W {source} {peer}"
            ).seconds

        bench.pair(f"convert --compress, {name}", ours, theirs, 4)
        compared = ["qemu-img", "compare", "-q", "-f", "raw", "-F", "qcow2", raw, out]
        subprocess.run(compared, check=True)
        for path in (source, out, peer):
            path.unlink()


def inspects(bench: Bench, images: Path | None) -> None:
    """The slowest and the largest of all: very large disks, and the files of a corpus."""
    files = []
    for image_format, size in EMPTY.items():
        files.append(bench.folder / f"empty.{image_format}")
        argv = ["qemu-img", "create", "-q", "-f", image_format, files[-1], size]
        subprocess.run(argv, check=True)
    if images is not None:
        files += sorted(path for path in images.rglob("*") if path.is_file())
    seconds, memory = {}, {}
    for path in files:
        argv = ["diskwright", "inspect", str(path)]
        timed = [run(argv, env=bench.env, check=False).seconds for _ in range(bench.runs)]
        seconds[path] = statistics.median(timed)
        memory[path] = run(argv, env=bench.env, sampled=True, check=False).memory
    slowest, largest = max(files, key=seconds.__getitem__), max(files, key=memory.__getitem__)
    bench.row(
        f"inspect, slowest of {len(files)} files",
        f"{seconds[slowest]:.2f} s",
        "",
        slowest.name,
        "<= 1 s",
        seconds[slowest] <= 1,
        seconds={path.name: seconds[path] for path in files},
    )
    bench.row(
        f"inspect, most memory of {len(files)} files",
        f"{memory[largest] >> 20} MiB",
        "",
        largest.name,
        "<= 100 MiB",
        memory[largest] <= 100 << 20,
        memory={path.name: memory[path] for path in files},
    )
    for image_format in EMPTY:
        (bench.folder / f"empty.{image_format}").unlink()
