"""A worker that does, instead of looking at mutant n, the n-th thing that must not be done.

Files that name others it looks at, and follows what they name as the bug does that PLANTED_BUG in
the environment names.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from diskwright.formats import beneath as resolving
from diskwright.formats import chain
from diskwright.formats.identity import open_image
from diskwright.formats.source import ImageSource
from diskwright.model.image import FileIdentity, Reference
from support.fuzzing import judge as judging
from support.fuzzing import worker
from support.fuzzing.judge import Ending
from support.fuzzing.seeds import FOLLOWED

DEEDS = ("hang", "open", "beside", "connect", "run", "leave", "memory", "crash", "die")
_LOOK = judging.judge
_GOOD = resolving.open_beneath


def _through_links(
    root: str, source: ImageSource, reference: Reference
) -> tuple[int, FileIdentity]:
    """Every component by itself, and without O_NOFOLLOW."""
    flags = resolving._FOLDER_FLAGS, resolving._FILE_FLAGS
    resolving._FOLDER_FLAGS &= ~os.O_NOFOLLOW
    resolving._FILE_FLAGS &= ~os.O_NOFOLLOW
    try:
        return _GOOD(root, source, reference)
    finally:
        resolving._FOLDER_FLAGS, resolving._FILE_FLAGS = flags


def _anywhere(root: str, source: ImageSource, reference: Reference) -> tuple[int, FileIdentity]:
    """Wherever a relative name leads."""
    if reference.name.startswith("/"):
        return _GOOD(root, source, reference)
    found = os.path.join(os.path.dirname(source.path), reference.name)
    if not os.path.isfile(found):
        return _GOOD(root, source, reference)
    return open_image(os.path.normpath(found))


BUGS = {"links": _through_links, "anywhere": _anywhere}


def judge(path: Path, name: str, *, read: bool, work: Path, beneath: Path | None = None) -> Ending:
    if name in FOLLOWED:
        chain.open_beneath = BUGS[os.environ["PLANTED_BUG"]]
        return _LOOK(path, name, read=read, work=work, beneath=beneath)
    deed = DEEDS[int(path.stem.rpartition("-")[2])]
    if deed == "hang":
        signal.pause()
    elif deed == "open":
        Path("/etc/hostname").read_bytes()
    elif deed == "beside":
        (path.parents[1] / "beside").touch()
    elif deed == "connect":
        with socket.socket() as sock:
            sock.connect_ex(("127.0.0.1", 9))
    elif deed == "run":
        subprocess.run(["/bin/true"], check=True)
    elif deed == "leave":
        (work.parent / "tmp" / "left").touch()
    elif deed == "memory":
        bytearray(400 << 20)[::4096] = b"x" * (400 << 8)
    elif deed == "crash":
        raise KeyError(deed)
    elif deed == "die":
        signal.raise_signal(signal.SIGSEGV)
    return Ending()


if __name__ == "__main__":
    worker.judging.judge = judge
    worker.main(Path(sys.argv[1]))
