"""Saves into a catalog from a process of its own.

catalog_writer.py add PATH FIRST COUNT   saves so many new entries, after a line on stdin
catalog_writer.py turn PATH              tells "ready", then turns one entry over until killed
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from diskwright.adapters.catalog import SqliteCatalog
from support.entries import change, entry

STATES = 40  # tags and changes that a state has, so that a save writes many pages


def state(number: int):
    """The entry and its history, all of which tell the same number."""
    tags = {f"k{it}": f"{number}" * 20 for it in range(STATES)}
    made = entry(1, seq=number, description=f"{number}" * 2000, tags=tags)
    return made, tuple(change(number, f"{number}" * 100) for _ in range(STATES))


def main() -> None:
    what, path, *rest = sys.argv[1:]
    if what == "add":
        sys.stdin.readline()
        catalog = SqliteCatalog.open(path)
        first, many = map(int, rest)
        for number in range(first, first + many):
            catalog.save(entry(number, tags={"by": str(first)}), (change(number),))
        catalog.close()
        return
    catalog = SqliteCatalog.open(path)
    print("ready", flush=True)
    for number in count(1):
        catalog.save(*state(number))


if __name__ == "__main__":
    main()
