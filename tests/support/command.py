"""The real command, as a person runs it.

`start` makes a process of its own from the beginning. A call has its run forked off a process that
has imported everything (`support.at_once`), which costs a tenth; it too is one from the beginning
where the call says something of the process (all options but `cwd`), where its environment is
looked at before the command is, and where DISKWRIGHT_EACH_ITS_START is set. Tests of the start
itself, of signals, terminals, descriptors, tracers and of what outlives a run use `start`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from support import at_once

COMMAND = Path(sys.executable).with_name("diskwright")
EACH_ITS_START = "DISKWRIGHT_EACH_ITS_START"
_LIMIT_S = 120
FIXTURE = Path(__file__).parents[2] / "fixtures" / "debian12-uefi-ext4.qcow2"


@dataclass(frozen=True)
class Ended:
    """What a run left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict:
        return json.loads(self.out)


class Command:
    """`diskwright` with an environment of its own: no file or variable of the developer's."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.environment = {
            "PATH": f"{COMMAND.parent}:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_STATE_HOME": str(home / "state"),
            "LC_ALL": "C.UTF-8",
            "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
            **environment,
        }

    def start(self, *arguments: str | Path, **options) -> subprocess.Popen:
        return subprocess.Popen(
            [*options.pop("under", ()), COMMAND, *arguments],
            env=self.environment,
            cwd=options.pop("cwd", self.home),
            stdin=options.pop("stdin", subprocess.DEVNULL),
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def __call__(self, *arguments: str | Path, **options) -> Ended:
        alone = options.keys() - {"cwd"} or os.environ.get(EACH_ITS_START)
        if alone or not at_once.suits(self.environment):
            process = self.start(*arguments, **options)
            out, err = process.communicate(timeout=_LIMIT_S)
            return Ended(process.returncode, out, err)
        words = [os.fsdecode(one) for one in arguments]
        folder = os.path.abspath(options.get("cwd", self.home))
        server = at_once.server()
        return Ended(*server.run(words, self.environment, folder, limit_s=_LIMIT_S))


def files_below(folder: Path) -> list[str]:
    """Every name below a folder, hidden ones too: what a failed run may not add to."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def one_line_and_a_hint(ended: Ended) -> str:
    """Asserts the shape of every failure, and gives the line."""
    lines = ended.err.rstrip("\n").split("\n")
    assert len(lines) == 2, ended.err
    assert lines[0].startswith("diskwright: "), ended.err
    assert lines[1].startswith("  hint: "), ended.err
    assert "Traceback" not in ended.err
    return lines[0]
