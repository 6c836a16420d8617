"""scripts/fuzz: changed files and disks of every format, through what a user does with them.

Headers and tables are hit first: flipped bits, numbers that parsers trip over, cuts, splices,
entries that change places. No mutant may crash, hang over 5 s, take over 300 MiB, open anything
else, leave anything behind, or be read otherwise than qemu-img reads it. Of `chain` and `extents`
what is named is followed, in a folder full of traps. A `guest-` disk has a guest, and is changed
where its reader looks: no rule may pass on what was not read, and the confined child has to say
the same. FORMAT:NUMBER with the seed is the same bytes again. Ends with 1 if anything was found.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from support.fuzzing.mutants import above, mutant
from support.fuzzing.run import Fuzzer, Name, Report
from support.fuzzing.scene import Scene
from support.fuzzing.seeds import FOLLOWED, FORMATS


def main(argv: list[str]) -> int:
    options = _options(argv)
    print(f"seed {options.seed}")
    if options.save:
        for name in options.only:
            _save(name, Path(options.save, str(name).replace(":", "-")))
    until = None if options.seconds is None else time.monotonic() + options.seconds
    share = 1.0 if options.only else options.read
    fuzzer = Fuzzer(share=share, jobs=options.jobs, until=until)
    names = iter(options.only) if options.only else _names(options)
    report = fuzzer.run(names)
    _print(report, full=bool(options.only))
    return 1 if report.findings else 0


def _save(name: Name, path: Path) -> None:
    """A file; of a format that names others a folder with all that lay there."""
    data = mutant(name.format, name.seed, name.number)
    if name.format in FOLLOWED:
        Scene(path).lay("", data, above(name.format, name.seed, name.number))
    else:
        path.write_bytes(data)


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutants", type=int, default=2000, help="of each format (2000)")
    parser.add_argument("--first", type=int, default=0, help="number of the first of each (0)")
    parser.add_argument("--seconds", type=float, help="stop after so many")
    parser.add_argument("--read", type=float, default=0.2, help="share that is read whole (0.2)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once (2)")
    parser.add_argument("--only", action="append", default=[], metavar="FORMAT:NUMBER")
    parser.add_argument("--save", metavar="DIR", help="write those of --only there")
    options = parser.parse_args(argv)
    unknown = set(options.formats) - set(FORMATS)
    if unknown:
        parser.error(f"no such format: {', '.join(sorted(unknown))}")
    only = []
    for text in options.only:
        kind, _, number = text.partition(":")
        if kind not in FORMATS or not number.isdecimal():
            parser.error(f"--only wants FORMAT:NUMBER, not {text}")
        only.append(Name(kind, options.seed, int(number)))
    options.only = only
    return options


def _names(options: argparse.Namespace) -> Iterator[Name]:
    """All formats in turn, so that a run of some seconds has something of each."""
    for number in range(options.first, options.first + options.mutants):
        for kind in options.formats or FORMATS:
            yield Name(kind, options.seed, number)


def _print(report: Report, *, full: bool) -> None:
    print(f"{'format':16}{'mutants':>8}{'accepted':>9}{'read':>6}{'slowest':>9}{'memory':>9}")
    for kind, ends in report.ends.items():
        print(
            f"{kind:16}{report.count(kind):8}{report.accepted(kind):9}{report.read[kind]:6}"
            f"{report.slowest[kind]:7.2f} s{report.largest[kind] >> 20:5} MiB"
        )
        if full:
            print(f"  {dict(ends)}")
    for name, text in report.findings:
        said = text if full else text.strip().splitlines()[-1]
        print(f"FOUND {name} (seed {name.seed}): {said}")
    print(f"{len(report.findings)} findings in {sum(map(report.count, report.ends))} mutants")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
