"""A process at a terminal: what it prints there."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Sequence
from pathlib import Path


def at_terminal(command: Sequence[str | Path], environment: dict[str, str]) -> tuple[int, bytes]:
    """Its exit code, and all that it wrote to stdout."""
    ours, theirs = pty.openpty()
    run = subprocess.Popen(command, env=environment, stdout=theirs)
    os.close(theirs)
    said = b""
    try:
        while data := os.read(ours, 65536):
            said += data
    except OSError:  # the other side is closed
        pass
    os.close(ours)
    return run.wait(), said
