"""What a guest costs: one disk of a corpus, many at once, and virt-inspector beside it."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from _bench_tree import run

if TYPE_CHECKING:
    from _bench import Bench

# Of a corpus: BIOS with ext4, LVM with xfs, btrfs, and a Windows-like one
GUESTS = (
    "linux/debian12-bios-ext4.qcow2",
    "linux/debian12-uefi-lvm.qcow2",
    "linux/debian12-uefi-btrfs.qcow2",
    "windows/server2022-uefi.qcow2",
)
MANY = 40


def many(bench: Bench, fixture: Path) -> None:
    """`validate` of so many images in one call, against one image after another."""
    folder = bench.folder / "many"
    folder.mkdir()
    for number in range(MANY):
        shutil.copyfile(fixture, folder / f"{number:02}.qcow2")

    def at_once() -> float:
        return bench.call("validate", str(folder)).seconds

    def one_by_one() -> float:
        return bench.call("validate", "--jobs", "1", str(folder)).seconds

    bench.pair(f"validate {MANY} images, against --jobs 1", at_once, one_by_one, 1.7)
    shutil.rmtree(folder)


def guests(bench: Bench, images: Path | None) -> None:
    """Time, memory of all processes, and bytes read of the virtual disk."""
    for name in GUESTS if images is not None else ():
        disk = _own_file(bench, images / name)
        argv = ["diskwright", "inspect", str(disk)]
        seconds = statistics.median(run(argv, env=bench.env).seconds for _ in range(bench.runs))
        memory = run(argv, env=bench.env, sampled=True).memory
        stats = _stats(run([*argv, "--stats", "--output", "json"], env=bench.env).stdout)
        stem = disk.stem
        figures = {"seconds": seconds, "memory": memory, "stats": stats}
        for measure, ours, bar, held in (
            ("time", f"{seconds:.2f} s", "< 1.0 s", seconds < 1.0),
            ("memory", f"{memory >> 20} MiB", "< 200 MiB", memory < 200 << 20),
            ("read", f"{stats['bytes_read'] / 2**20:.1f} MiB", "< 64 MiB", _few(stats)),
        ):
            more = figures if measure == "time" else {}
            bench.row(f"inspect {stem}, {measure}", ours, "", "", bar, held, **more)
        disk.unlink()


def _few(stats: dict[str, int]) -> bool:
    return stats["bytes_read"] < 64 << 20


def _stats(document: str) -> dict[str, int]:
    """Zeros where its guest was not read."""
    stats: dict[str, int] | None = json.loads(document)["results"][0]["stats"]
    return stats or {"bytes_read": 0, "reads": 0}


def _own_file(bench: Bench, source: Path) -> Path:
    """Deltas of a corpus name their base."""
    disk = bench.folder / source.name
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", source, disk], check=True)
    return disk


def inspector(bench: Bench, images: Path | None) -> None:
    """The reference tool starts a whole machine with a kernel of its own. It lists no packages
    and icons here, which would take it longer.
    """
    if images is None or shutil.which("virt-inspector") is None:
        print("  inspector: needs --images and virt-inspector (guestfs-tools, a kernel), left out")
        return
    disk = _own_file(bench, images / GUESTS[0])
    environment = bench.env | {"LIBGUESTFS_BACKEND": "direct"}
    argv = ["virt-inspector", "--no-applications", "--no-icon", "-a", str(disk)]
    how = "with KVM if it likes"
    # The first run builds its machine, which it keeps, and shows whether that runs as it is
    first = subprocess.run(
        argv, env={**os.environ, **environment}, capture_output=True, check=False
    )
    if first.returncode:
        environment["LIBGUESTFS_BACKEND_SETTINGS"] = "force_tcg"
        how = "without KVM, which does not work here"

    def ours() -> float:
        return bench.call("inspect", str(disk)).seconds

    def theirs() -> float:
        return run(argv, env=environment).seconds

    bench.pair(f"inspect, against virt-inspector ({how})", ours, theirs, 20)
    disk.unlink()
