"""`report-light.png` and `report-dark.png`: what `validate --report html=FILE` says of a disk with
two faults, from the top of the page to the table of what lies on the disk.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from support.browser import browser
from support.command import COMMAND, FIXTURE

NAME = "web-3.raw"
UUID = b"UUID=5d1c0de0-0001-4a11-9000-0000000000a1"
DEVICE = b"/dev/sda2".ljust(len(UUID))
# The root by a name that another machine gives to another disk: in fstab, and for the kernel
FAULTS = {UUID + b" /": DEVICE + b" /", b"root=" + UUID: b"root=" + DEVICE}
BELOW = 20  # pixels under the table


def faulty(path: Path) -> None:
    """The Debian disk of `fixtures/`, with files changed in their place and length."""
    subprocess.run(["qemu-img", "convert", "-O", "raw", FIXTURE, path], check=True)
    with path.open("r+b") as disk:
        whole = disk.read()
        for good, bad in FAULTS.items():
            assert good in whole, good
            place = whole.find(good)
            while place >= 0:
                disk.seek(place)
                disk.write(bad)
                place = whole.find(good, place + 1)


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary, browser() as page:
        work = Path(temporary)
        faulty(work / NAME)
        command = [COMMAND, "validate", NAME, "--report", "html=report.html"]
        ended = subprocess.run(command, check=False, cwd=work, stdout=subprocess.DEVNULL)
        assert ended.returncode == 3, ended
        for look in ("light", "dark"):
            height = 900
            for _ in range(2):  # the second time as high as the first has measured
                page.open(work / "report.html", dark=look == "dark", height=height)
                table = "document.querySelector('table.disk')"
                height = BELOW + int(page.value(f"{table}.getBoundingClientRect().bottom"))
            page.picture(folder / f"report-{look}.png", whole=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
