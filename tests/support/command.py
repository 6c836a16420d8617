"""The real command in a process of its own, as a person runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

COMMAND = Path(sys.executable).with_name("diskwright")
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
        process = self.start(*arguments, **options)
        out, err = process.communicate(timeout=120)
        return Ended(process.returncode, out, err)


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
