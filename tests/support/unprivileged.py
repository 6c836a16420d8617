"""Python run as a user that has no rights: root reads everything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.command import Ended

USER = 54321
# While it may still read the code: afterwards it may not even see the standard library.
_EVERYTHING = (
    "import importlib, os, pkgutil, platformdirs, sys\n"
    "import diskwright\n"
    "for module in pkgutil.walk_packages(diskwright.__path__, 'diskwright.'):\n"
    "    importlib.import_module(module.name)\n"
)
_DROP = f"if os.geteuid() == 0:\n    os.setgroups([]); os.setgid({USER}); os.setuid({USER})\n"


def run(script: str, *arguments: str | Path) -> Ended:
    """`script` without rights (if we are root), everything of diskwright imported."""
    done = subprocess.run(
        [sys.executable, "-c", _EVERYTHING + _DROP + script, *arguments],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "XDG_CONFIG_HOME": "/", "XDG_STATE_HOME": "/"},
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def let_through(folder: Path) -> None:
    """Anyone may pass `folder` and the folders of ours above it."""
    for path in (folder, *folder.parents):
        if path.owner() == folder.owner() and path != Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o111)
