"""Who opens files that nobody may open, by whatever name and in whatever process: inotify(7)."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

_IN_OPEN, _IN_ISDIR = 0x20, 0x40000000
_EVENT = struct.Struct("iIII")


class Opens:
    """What is opened in these folders, but for their own folders: not also in those below."""

    def __init__(self, folders: Iterable[Path]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._folders: dict[int, str] = {}
        for folder in folders:
            watch = libc.inotify_add_watch(self._fd, os.fsencode(folder), _IN_OPEN)
            self._folders[watch] = folder.name
        if self._fd < 0 or min(self._folders, default=0) < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def taken(self) -> list[str]:
        """Since it was asked last; each once."""
        found: dict[str, None] = {}
        while True:
            try:
                data = os.read(self._fd, 1 << 16)
            except BlockingIOError:
                return list(found)
            at = 0
            while at < len(data):
                watch, mask, _, length = _EVENT.unpack_from(data, at)
                at += _EVENT.size
                name = os.fsdecode(data[at : at + length].rstrip(b"\0"))
                at += length
                if not mask & _IN_ISDIR:
                    found[f"{self._folders.get(watch, 'too much')}/{name}"] = None
