"""A run in a process that was forked off one which has imported all of the command: what stands
in it is what a new process would find, without the half second of its start.

A run has its environment, folder, umask and standard streams to itself, and ends as a process
does that was started for it. Its hash seed is its server's, and no module is imported late.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import pkgutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from support.command import COMMAND

# What the command imports where it needs it
_LATE = (
    "getpass",
    "platformdirs.unix",
    "sh",
    "tqdm",
    "xml.etree.ElementTree",
)


def import_all() -> None:
    """To be called once, before anything is forked."""
    import diskwright
    from diskwright.adapters.s3.client import S3Settings, connect

    for module in pkgutil.walk_packages(diskwright.__path__, "diskwright."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in _LATE:
        importlib.import_module(name)
    # Nothing is sent; botocore is imported, and has read what it does not change any more.
    settings = S3Settings("http://127.0.0.1:1", "us-east-1", access_key="none", secret_key="none")
    connect("s3://none", settings)
    ours = {"", os.getcwd(), str(Path(__file__).parents[1])}
    sys.path[:] = [str(COMMAND.parent), *(path for path in sys.path if path not in ours)]
    gc.collect()
    gc.freeze()


def run(
    arguments: Sequence[str],
    *,
    environment: dict[str, str],
    folder: str,
    streams: Sequence[int],
    keep: Sequence[int] = (),
    first: Callable[[], None] = lambda: None,
) -> NoReturn:
    """In the forked process. `streams`: stdout and stderr; of the other descriptors it has those to
    `keep`. `first` is called before the command."""
    from diskwright.cli.start import main

    try:
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        for number, stream in enumerate(streams, 1):
            os.dup2(stream, number)
        _close_all_but({0, 1, 2, *keep})
        first()
        sys.argv = [str(COMMAND), *arguments]
        main()
        _leave(0)
    except SystemExit as over:
        _leave(_status(over))
    except KeyboardInterrupt:  # as Python itself ends of one
        traceback.print_exc()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:  # noqa: BLE001 - as Python itself does
        traceback.print_exc()
    _leave(1)


def _close_all_but(kept: set[int]) -> None:
    for number in map(int, os.listdir("/proc/self/fd")):
        if number not in kept:
            with suppress(OSError):  # the one that listed them
                os.close(number)


def _status(over: SystemExit) -> int:
    if over.code is None or isinstance(over.code, int):
        return over.code or 0
    print(over.code, file=sys.stderr)
    return 1


def _leave(status: int) -> NoReturn:
    """As at Python's end, save that what was imported is not taken down, which takes longer than
    many a verb."""
    threading._shutdown()
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        traceback.print_exc()
        status = 120
    os._exit(status & 0xFF)
