"""Measures diskwright against the shell pipeline on one disk, both sides in turn.

A ratio is the median of the runs of one side over that of the other. The disk is made of files of
this machine (scripts/_bench_disk.py). Prints a table and writes bench.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "tests")]

ROOT = Path(__file__).parents[1]
FIXTURE = ROOT / "fixtures" / "debian12-uefi-ext4.qcow2"


class Bench:
    def __init__(self, folder: Path, runs: int) -> None:
        from support.servers.seaweed import Seaweed

        self.folder = folder
        self.runs = runs
        self.disk = folder / "bench.qcow2"
        self.rows: list[dict[str, object]] = []
        self.server = Seaweed.start()
        self.env = {
            "AWS_ACCESS_KEY_ID": "test-admin",
            "AWS_SECRET_ACCESS_KEY": "test-admin-secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_S3": self.server.endpoint,
            "DISKWRIGHT_S3_ENDPOINT_URL": self.server.endpoint,
            "DISKWRIGHT_S3_ADDRESSING_STYLE": "path",
            "DISKWRIGHT_STATE_DIR": str(folder / "state"),
            "DISKWRIGHT_DATA_DIR": str(folder / "data"),
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
        }
        self.kek = folder / "kek.json"
        self.call("key", "new", str(self.kek))
        subprocess.run(
            ["age-keygen", "-o", folder / "age.key"], check=True, stderr=subprocess.DEVNULL
        )
        self.recipient = next(
            line.split()[-1]
            for line in (folder / "age.key").read_text().splitlines()
            if line.startswith("# public key:")
        )

    # --- the two sides ------------------------------------------------------------------------

    def call(self, *arguments: str, sampled: bool = False):
        from _bench_tree import run

        return run(["diskwright", *arguments], sampled=sampled, env=self.env)

    def shell(self, script: str):
        from _bench_tree import run

        return run(["bash", "-euo", "pipefail", "-c", script], env=self.env)

    def pair(
        self, name: str, ours: Callable[[], float], theirs: Callable[[], float], bar: float
    ) -> None:
        """A B A B …, the medians and their ratio."""
        mine, peers = [], []
        for number in range(self.runs):
            mine.append(ours())
            peers.append(theirs())
            print(f"  {name} {number + 1}: {mine[-1]:.2f} s against {peers[-1]:.2f} s", flush=True)
        ratio = statistics.median(peers) / statistics.median(mine)
        self.row(
            name,
            f"{statistics.median(mine):.2f} s",
            f"{statistics.median(peers):.2f} s",
            f"{ratio:.1f} times as fast",
            f">= {bar:g}",
            ratio >= bar,
            mine=mine,
            peers=peers,
            ratio=ratio,
        )

    def row(
        self, name: str, ours: str, peer: str, result: str, bar: str, held: bool, **figures: object
    ) -> None:
        self.rows.append(
            {
                "measure": name,
                "diskwright": ours,
                "peer": peer,
                "result": result,
                "bar": bar,
                "held": held,
                **figures,
            }
        )

    # --- measures -----------------------------------------------------------------------------

    def convert(self) -> None:
        out, peer = self.folder / "ours.qcow2", self.folder / "peer.qcow2"

        def ours() -> float:
            out.unlink(missing_ok=True)
            return self.call("convert", str(self.disk), str(out), "--compress").seconds

        def theirs() -> float:
            peer.unlink(missing_ok=True)
            return self.shell(
                f"qemu-img convert -f qcow2 -c -O qcow2 -m 8 -W {self.disk} {peer}"
            ).seconds

        self.pair("convert --compress", ours, theirs, 5)
        subprocess.run(["qemu-img", "check", "-q", out], check=True)
        subprocess.run(["qemu-img", "compare", "-q", self.disk, out], check=True)
        ratio = out.stat().st_size / peer.stat().st_size
        self.row(
            "size of it",
            f"{out.stat().st_size >> 20} MiB",
            f"{peer.stat().st_size >> 20} MiB",
            f"{ratio:.3f} times the size",
            "<= 1.10",
            ratio <= 1.10,
            ratio=ratio,
        )
        out.unlink()
        peer.unlink()

    def prepare_s3(self) -> None:
        def ours() -> float:
            bucket = self.server.bucket()
            return self.call(*self.prepare(f"s3://{bucket}/ours")).seconds

        def theirs() -> float:
            bucket = self.server.bucket()
            return self.shell(
                self.pipeline(f"aws s3 cp --quiet $t/d.age s3://{bucket}/d.age")
            ).seconds

        self.pair("prepare sealed to S3", ours, theirs, 3)

    def prepare_folder(self) -> None:
        target = self.folder / "target"

        def ours() -> float:
            shutil.rmtree(target, ignore_errors=True)
            return self.call(*self.prepare(f"dir:{target}")).seconds

        def theirs() -> float:
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            return self.shell(
                self.pipeline(f"cp $t/d.age {target}/d.age && sync {target}/d.age")
            ).seconds

        self.pair("prepare sealed to a folder", ours, theirs, 4)
        shutil.rmtree(target, ignore_errors=True)

    def prepare(self, target: str) -> list[str]:
        key = f"local:{self.kek}"
        return ["prepare", str(self.disk), "--data", "--to", target, "--key", key]

    def pipeline(self, last: str) -> str:
        work = shlex.quote(str(self.folder))
        return (
            f"t=$(mktemp -d -p {work}); trap 'rm -rf $t' EXIT;"
            f"qemu-img convert -f qcow2 -c -O qcow2 -m 8 -W {self.disk} $t/d.qcow2 &&"
            f"sha256sum $t/d.qcow2 >$t/d.sha256 &&"
            f"age -r {self.recipient} -o $t/d.age $t/d.qcow2 && {last}"
        )

    def memory(self, sparse_gib: int) -> None:
        bucket = self.server.bucket()
        self.one_memory("4 GiB", self.call(*self.prepare(f"s3://{bucket}/m"), sampled=True))
        sparse = self.folder / "sparse.qcow2"
        shutil.copyfile(self.disk, sparse)
        subprocess.run(["qemu-img", "resize", "-q", sparse, f"{sparse_gib}G"], check=True)
        self.disk, kept = sparse, self.disk
        self.one_memory(
            f"{sparse_gib} GiB sparse", self.call(*self.prepare(f"s3://{bucket}/n"), sampled=True)
        )
        self.disk = kept
        sparse.unlink()

    def one_memory(self, name: str, run) -> None:
        self.row(
            f"memory of all processes, {name}",
            f"{run.memory >> 20} MiB",
            "",
            "peak",
            "< 300 MiB",
            run.memory < 300 << 20,
            bytes=run.memory,
        )
        # journal and manifest aside, nothing is written on this machine
        self.row(
            f"staged on disk, {name}",
            f"{run.written >> 10} KiB",
            "",
            "journal only",
            "0 (< 1 MiB)",
            run.written < 1 << 20,
            bytes=run.written,
        )

    def starts(self) -> None:
        for name, bar, arguments in (
            ("inspect, Debian 12 disk", 1.5, ["inspect", str(FIXTURE)]),
            ("validate, Debian 12 disk", 1.5, ["validate", str(FIXTURE)]),
            ("--help", 0.15, ["--help"]),
        ):
            seconds = statistics.median(self.call(*arguments).seconds for _ in range(7))
            self.row(name, f"{seconds:.3f} s", "", "", f"< {bar:g} s", seconds < bar, s=seconds)

    def report(self, path: Path) -> int:
        machine = f"{os.cpu_count()} processors, Linux {platform.release()}"
        document = {"machine": machine, "runs": self.runs, "rows": self.rows}
        path.write_text(json.dumps(document, indent=2) + "\n")
        print(f"\n| measure | diskwright | peer | result | bar | held |\n|{'---|' * 6}")
        for row in self.rows:
            cells = [row[c] for c in ("measure", "diskwright", "peer", "result", "bar")]
            print(f"| {' | '.join(map(str, cells))} | {'yes' if row['held'] else 'NO'} |")
        return 0 if all(row["held"] for row in self.rows) else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each side (default 3)")
    parser.add_argument("--size", type=int, default=4, metavar="GIB", help="of the disk")
    parser.add_argument("--data", type=int, default=1536, metavar="MIB", help="of data in it")
    parser.add_argument("--only", metavar="WORD", default="", help="measures with that word")
    parser.add_argument("--images", type=Path, metavar="DIR", help="a corpus to inspect, too")
    parser.add_argument("--json", type=Path, default=ROOT / "bench.json", metavar="FILE")
    parser.add_argument("--folder", type=Path, help="work there (default: a temporary folder)")
    options = parser.parse_args()
    from _bench_guests import guests, inspector, many
    from _bench_inputs import formats, inspects
    from _bench_library import catalog
    from _bench_servers import quick
    from _bench_sync import sync

    with tempfile.TemporaryDirectory(prefix="diskwright-bench-", dir=options.folder) as name:
        folder = Path(name)
        subprocess.run(
            [
                sys.executable,
                ROOT / "scripts" / "_bench_disk.py",
                folder,
                "--size",
                str(options.size),
                "--data",
                str(options.data),
            ],
            check=True,
        )
        bench = Bench(folder, options.runs)
        try:
            measures = {
                "convert": bench.convert,
                "formats": lambda: formats(bench),
                "prepare_s3": bench.prepare_s3,
                "prepare_folder": bench.prepare_folder,
                "memory": lambda: bench.memory(64),
                "starts": bench.starts,
                "inspects": lambda: inspects(bench, options.images),
                "guests": lambda: guests(bench, options.images),
                "inspector": lambda: inspector(bench, options.images),
                "catalog": lambda: catalog(bench),
                "quick": lambda: bench.rows.extend(quick()),
                "sync": lambda: sync(bench),
                "many": lambda: many(bench, FIXTURE),
            }
            for name, measure in measures.items():
                if options.only in name:
                    measure()
        finally:
            bench.server.close()
        return bench.report(options.json)


if __name__ == "__main__":
    sys.exit(main())
