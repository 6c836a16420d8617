"""Kills, cancels and tampering at full count, by the real command and through the API.

Prints a table of what was tried, and ends with 1 if anything failed. The seed is printed: the same
seed tries the same places, and moments as far as the machine's speed allows.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from _soak_library import kill, race

from diskwright.adapters.directory import DirectoryStore
from support import kills, tamper
from support.command import Command, files_below
from support.servers.seaweed import Seaweed
from support.tampered_places import Places


@dataclass
class Row:
    """One line of the table."""

    name: str
    tried: int
    figures: str
    seconds: float = 0.0
    failure: str = ""


class Soak:
    """All the series. `work` is a folder of ours, `server` a real S3 server."""

    def __init__(self, options: argparse.Namespace, work: Path, server: Seaweed) -> None:
        self.options = options
        self.work = work
        self.server = server
        self.disk = kills.make_disk(work / "data.raw", options.mib)
        self.tiny = work / "tiny.raw"
        self.tiny.write_bytes(b"tiny" * (256 << 10))

    def draw(self, name: str) -> random.Random:
        return random.Random(f"{self.options.seed} {name}")

    def folder(self, name: str) -> Path:
        path = self.work / name
        path.mkdir()
        return path

    def command(self, name: str) -> Command:
        return Command(
            self.folder(f"{name} home"),
            AWS_ACCESS_KEY_ID="test-admin",
            AWS_SECRET_ACCESS_KEY="test-admin-secret",
            DISKWRIGHT_S3_ENDPOINT_URL=self.server.endpoint,
            DISKWRIGHT_S3_REGION="us-east-1",
            DISKWRIGHT_S3_ADDRESSING_STYLE="path",
        )

    def target(self, kind: str, name: str) -> kills.Target:
        if kind == "dir":
            place = self.work / f"{name} target"
            return kills.Target(f"dir:{place}", DirectoryStore(str(place)), place)
        bucket = self.server.bucket("soak")
        prefix = name.replace(" ", "-")
        return kills.Target(f"s3://{bucket}/{prefix}", self.server.store(bucket, prefix))

    def sealed(self, command: Command) -> list[str]:
        path = command.home / "kek.json"
        assert command("key", "new", path).code == 0
        return ["--key", f"local:{path}"]

    # --- kill -9 -------------------------------------------------------------------------------

    def kill_prepare(self, kind: str, *, sealed: bool) -> Row:
        name = f"kill prepare {kind} {'sealed' if sealed else 'plain'}"
        command = self.command(name)
        series = kills.kill_prepares(
            command,
            self.target(kind, name),
            self.disk,
            self.tiny,
            self.sealed(command) if sealed else [],
            count=self.options.kills,
            draw=self.draw(name),
            scratch=self.folder(name),
        )
        return _killed(name, series)

    def kill_restore(self, way: str, options: list[str], *, sealed: bool) -> Row:
        """A third of the kills: there are three ways."""
        name = f"kill restore {way}"
        command = self.command(name)
        target, key = self.target("dir", name), self.sealed(command) if sealed else []
        assert command("prepare", self.disk, "--data", "--to", target.url, *key).code == 0
        series = kills.kill_restores(
            command,
            [target.url, *key, *options],
            self.disk,
            count=-(-self.options.kills // 3),
            draw=self.draw(name),
            scratch=self.folder(name),
            made_format="raw" if "raw" in options else "qcow2",
        )
        row = _killed(name, series)
        row.figures += f", {series.stages} stages left for the next run" if options else ""
        return row

    # --- Ctrl-C, SIGTERM, SIGHUP ---------------------------------------------------------------

    def cancel_local(self, verb: str) -> Row:
        name = f"cancel {verb}"
        command, scratch = self.command(name), self.folder(name)
        arguments: list = ["convert", self.disk, scratch / "out.qcow2", "--compress"]
        if verb == "restore":
            target = self.target("dir", name)
            assert command("prepare", self.disk, "--data", "--to", target.url).code == 0
            arguments = ["restore", target.url, scratch / "out.qcow2"]
        return self._cancelled(
            name,
            command,
            arguments,
            lambda: files_below(scratch),
            (scratch / "out.qcow2").unlink,
        )

    def cancel_prepare(self, kind: str) -> Row:
        name = f"cancel prepare {kind}"
        command, target = self.command(name), self.target(kind, name)

        def undo() -> None:
            for info in list(target.store.list("")):
                target.store.delete(info.key)

        arguments = ["prepare", self.disk, "--data", "--to", target.url]
        return self._cancelled(name, command, arguments, target.everything, undo)

    def _cancelled(
        self,
        name: str,
        command: Command,
        arguments: list,
        left: Callable[[], list[str]],
        undo: Callable[[], None],
    ) -> Row:
        series = kills.cancel_runs(
            command,
            name,
            arguments,
            left,
            undo,
            count=self.options.cancels,
            draw=self.draw(name),
        )
        figures = (
            f"{series.committed} came too late, longest stop {series.took_s:.2f} s, "
            f"longest process {series.outlived_s:.2f} s"
        )
        return Row(name, self.options.cancels, figures)

    # --- tampering -----------------------------------------------------------------------------

    def tamper_by_command(self) -> Row:
        name = "tamper by command"
        places = Places.make(self.command(name), self.folder(name))
        tried = 0
        for case in places.cases(random_flips=self.options.tampered, seed=self.options.seed):
            places.refuses(case)
            tried += 1
        return Row(name, tried, "all refused, nothing left")

    def tamper_by_api(self) -> Row:
        sealed = tamper.make()
        headers = sum(tamper.header_flips_refused(sealed, bit) for bit in range(8))
        payload = tamper.payload_flips_refused(
            sealed, random_places=self.options.flips, seed=self.options.seed
        )
        rearranged = 0
        for label, changed in tamper.rearranged(sealed):
            tamper.refused(sealed, changed, label)
            rearranged += 1
        figures = f"{headers} header bits, {payload} payload places, {rearranged} rearranged"
        return Row("tamper by API", headers + payload + rearranged, figures)

    def series(self) -> dict[str, Callable[[], Row]]:
        return {
            "kill-dir": partial(self.kill_prepare, "dir", sealed=False),
            "kill-s3": partial(self.kill_prepare, "s3", sealed=True),
            "kill-restore": partial(self.kill_restore, "sealed", [], sealed=True),
            "kill-verify": partial(
                self.kill_restore, "sealed, verified", ["--verify"], sealed=True
            ),
            "kill-raw": partial(self.kill_restore, "to raw", ["-O", "raw"], sealed=False),
            "cancel-convert": partial(self.cancel_local, "convert"),
            "cancel-dir": partial(self.cancel_prepare, "dir"),
            "cancel-s3": partial(self.cancel_prepare, "s3"),
            "cancel-restore": partial(self.cancel_local, "restore"),
            "tamper-command": self.tamper_by_command,
            "tamper-api": self.tamper_by_api,
            "races": lambda: Row("races", *race(self.folder("races"), self.server, self.options)),
            "library-kills": lambda: Row("kill library", *kill(self.folder("lib"), self.options)),
        }


def _killed(name: str, series: kills.Series) -> Row:
    figures = (
        f"{series.kills} in time, {series.committed} whole images left, "
        f"longest process {series.outlived_s:.2f} s"
    )
    return Row(name, series.kills + series.too_late, figures)


def run(name: str, series: Callable[[], Row]) -> Row:
    """A series that fails is a row too, and the others go on."""
    begun = time.monotonic()
    try:
        row = series()
    except Exception as error:  # noqa: BLE001 - it is reported, and the exit code says it
        row = Row(name, 0, "", failure=f"{type(error).__name__}: {error}")
    row.seconds = time.monotonic() - begun
    print(f"{row.name}: {'FAILED' if row.failure else 'ok'} in {row.seconds:.0f} s", flush=True)
    return row


def table(rows: list[Row]) -> str:
    head = ("series", "tried", "seconds", "result")
    lines = [(r.name, str(r.tried), f"{r.seconds:.0f}", r.failure or r.figures) for r in rows]
    widths = [max(len(line[at]) for line in (head, *lines)) for at in range(3)]
    return "\n".join(
        f"{name:<{widths[0]}}  {tried:>{widths[1]}}  {seconds:>{widths[2]}}  {result}"
        for name, tried, seconds, result in (head, *lines)
    )


def options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="kill -9 of each verb and store (50)")
    parser.add_argument("--cancels", type=int, default=30, help="signals in each series (30)")
    parser.add_argument(
        "--tampered", type=int, default=60, help="random bit flips by command, besides the named"
    )
    parser.add_argument("--flips", type=int, default=2000, help="random flips through the API")
    parser.add_argument("--rounds", type=int, default=200, help="of each pair that races (200)")
    parser.add_argument("--library-kills", type=int, default=100, help="across its verbs (100)")
    parser.add_argument("--mib", type=int, default=96, help="data of the disk in MiB (96)")
    parser.add_argument("--seed", type=int, help="as printed by an earlier run (default: random)")
    parser.add_argument("--only", action="append", default=[], metavar="SERIES", help=_SERIES)
    return parser.parse_args(argv)


_NAMES = (
    "kill-dir kill-s3 kill-restore kill-verify kill-raw cancel-convert cancel-dir cancel-s3 "
    "cancel-restore tamper-command tamper-api races library-kills"
)
_SERIES = f"one of {_NAMES}; may be given more than once"


def main() -> int:
    given = options(sys.argv[1:])
    unknown = set(given.only) - set(_NAMES.split())
    if unknown:
        print(f"soak: no such series: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    if given.seed is None:
        given.seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {given.seed}", flush=True)
    work = Path(tempfile.mkdtemp(prefix="diskwright-soak-"))
    server = Seaweed.start()
    try:
        soak = Soak(given, work, server)
        rows = [
            run(name, series)
            for name, series in soak.series().items()
            if not given.only or name in given.only
        ]
    finally:
        server.close()
        shutil.rmtree(work, ignore_errors=True)
    print(f"\n{table(rows)}\n\nseed {given.seed}")
    return 1 if any(row.failure for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
