"""Exit code 15: what is written on this machine."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from diskwright.errors.base import DiskwrightError


class OutputError(DiskwrightError):
    exit_code = 15
    kind = "output"


class OutputNotWritable(OutputError):
    path: str
    reason: str
    hint_text: str = ""
    template = "{path}: can't be written: {reason}"
    hint_template = "check the folder and its permissions"


class DiskFull(OutputError):
    path: str
    needed_bytes: int = 0
    hint_text: str = ""
    template = "{path}: no space left on the device"
    hint_template = "free some space (df -h), or write elsewhere"


class CatalogDamaged(OutputError):
    """Nothing is lost by it: what a catalog knows is made anew from its library."""

    path: str
    reason: str
    template = "{path}: is no sound catalog: {reason}"
    hint_template = "make it anew from the library: diskwright library rebuild"


def output_error(path: str, error: OSError) -> DiskFull | OutputNotWritable:
    """What the system said when `path` was to be written, in our words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(path)
    if error.errno == errno.ENOENT:
        folder = os.path.dirname(os.path.abspath(path))
        return OutputNotWritable(path, "its folder is not there", f"make it: mkdir -p -- {folder}")
    return OutputNotWritable(path, error.strerror or os.strerror(error.errno or errno.EIO))


@contextmanager
def writing(path: str) -> Iterator[None]:
    """Inside it an OSError becomes DiskFull or OutputNotWritable of `path`."""
    try:
        yield
    except OSError as error:
        raise output_error(path, error) from error
