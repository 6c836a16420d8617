"""Servers and volumes on this workstation's disk.

    ROOT/<server id>/draft.json      what is being made, or removed
    ROOT/<server id>/disk-<n>.<ext>
    ROOT/<server id>/server.json     it is there; appears by rename, last

A folder is held under flock by whoever works in it. One without `server.json` whose lock can be
taken is of a killed run; its draft says what that one had put into a library.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from diskwright._values import replace
from diskwright.blockio.own_folder import try_lock
from diskwright.blockio.placing import locked_folder, replace_file, sync_folder
from diskwright.errors import (
    InputUnreadable,
    Locked,
    OutputNotWritable,
    ServerNotFound,
    TargetExists,
    writing,
)
from diskwright.model import canonical, codec, names
from diskwright.model.server import Server

_FORMAT = "diskwright-server"
_VERSION = 1
_SERVER = "server.json"
_DRAFT = "draft.json"
_LIMIT = 1 << 20


class ServerFolders:
    """`ports_library.Servers`. `root` is made when the first server is. Raises InputUnreadable for
    a description that can't be read, OutputNotWritable and DiskFull."""

    def __init__(self, root: str) -> None:
        self._root = os.path.abspath(root)

    def all(self) -> tuple[Server, ...]:
        found = [_read(path, _SERVER) for path in self._folders()]
        return tuple(sorted((s for s in found if s is not None), key=lambda s: (s.created, s.id)))

    def begin(self, server: Server, *, numbered: bool) -> ServerFolder:
        folder = os.path.join(self._root, server.id)
        with writing(folder):
            os.makedirs(self._root, mode=0o700, exist_ok=True)
            with locked_folder(self._root):
                server = replace(server, name=self._free_name(server.name, numbered=numbered))
                os.mkdir(folder, 0o700)
                work = ServerFolder(folder, _lock(folder), server)
                try:
                    _write(folder, _DRAFT, server)
                    sync_folder(self._root)
                except BaseException:
                    work.forget()
                    raise
        return work

    def _free_name(self, name: str, *, numbered: bool) -> str:
        """Those that are being made have theirs already."""
        taken = set()
        for path in self._folders():
            server = _read(path, _SERVER) or _read(path, _DRAFT)
            if server is not None:
                taken.add(server.name)
        if name not in taken:
            return name
        if not numbered:
            raise TargetExists(f"server or volume {name}", "choose another name: --name NAME")
        more = (names.numbered(name, number) for number in range(2, len(taken) + 3))
        return next(free for free in more if free not in taken)

    def take(self, server_id: str) -> ServerFolder:
        folder = os.path.join(self._root, server_id)
        with writing(folder):
            lock = try_lock(folder) if os.path.isdir(folder) else None
        if lock is None:
            if os.path.exists(os.path.join(folder, _SERVER)):
                raise Locked(f"server {server_id}")
            raise ServerNotFound(f"server {server_id}")
        try:
            server = _read(folder, _SERVER)
            if server is None:
                raise ServerNotFound(f"server {server_id}")
        except BaseException:
            os.close(lock)
            raise
        return ServerFolder(folder, lock, server)

    def unfinished(self) -> Iterator[ServerFolder]:
        """None at all while another process begins or looks for some: a later run does it."""
        if not os.path.isdir(self._root):
            return
        with writing(self._root):
            lock = try_lock(self._root)
        if lock is None:
            return
        try:
            with writing(self._root):
                found = [work for path in self._folders() if (work := _dead(path)) is not None]
        finally:
            os.close(lock)
        yield from found

    def _folders(self) -> list[str]:
        try:
            found = sorted(os.listdir(self._root))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise InputUnreadable(self._root, error.strerror or str(error)) from error
        paths = (os.path.join(self._root, name) for name in found if names.is_uuid(name))
        return [path for path in paths if os.path.isdir(path) and not os.path.islink(path)]


class ServerFolder:
    """`ports_library.ServerWork`."""

    def __init__(self, folder: str, lock: int, server: Server) -> None:
        self.folder = folder
        self.server = replace(server, folder=folder)
        self._lock = lock

    def publish(self, server: Server) -> Server:
        with writing(self.folder):
            _write(self.folder, _SERVER, server)
            self._drop(_DRAFT)
        self.server = replace(server, folder=self.folder)
        return self.server

    def unpublish(self) -> None:
        with writing(self.folder):
            if os.path.exists(os.path.join(self.folder, _SERVER)):
                draft = os.path.join(self.folder, _DRAFT)
                os.rename(os.path.join(self.folder, _SERVER), draft)
                sync_folder(self.folder)
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path)
                    elif entry.name != _DRAFT:
                        os.unlink(entry.path)

    def forget(self) -> None:
        with writing(self.folder):
            _remove(self.folder)
        self.close()

    def close(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _drop(self, name: str) -> None:
        path = os.path.join(self.folder, name)
        if os.path.exists(path):
            os.unlink(path)


def _dead(folder: str) -> ServerFolder | None:
    """What a killed run left there, locked; None where there is nothing, or nothing any more."""
    if os.path.exists(os.path.join(folder, _SERVER)):
        return None
    lock = try_lock(folder)
    if lock is None:
        return None
    kept = False
    try:
        if os.path.exists(os.path.join(folder, _SERVER)):
            return None  # it was finished between our look and our lock
        draft = _read(folder, _DRAFT)
        if draft is not None:
            kept = True
            return ServerFolder(folder, lock, draft)
        _remove(folder)  # killed before anything was put anywhere
        return None
    finally:
        if not kept:
            os.close(lock)


def _lock(folder: str) -> int:
    lock = try_lock(folder)
    if lock is None:
        raise OutputNotWritable(folder, "another process has it")
    return lock


def _remove(folder: str) -> None:
    """Raises OSError."""
    shutil.rmtree(folder)
    sync_folder(os.path.dirname(folder))


def _write(folder: str, name: str, server: Server) -> None:
    """Durable under its name when this returns. Raises OSError."""
    document = {"format": _FORMAT, "v": _VERSION, **codec.encode(server)}
    del document["folder"]
    replace_file(os.path.join(folder, name), canonical.encode(document))


def _read(folder: str, name: str) -> Server | None:
    """None where it is not there. Raises InputUnreadable."""
    path = os.path.join(folder, name)
    try:
        with open(path, "rb") as file:
            data = file.read(_LIMIT)
        value = canonical.decode(data)
        if not isinstance(value, dict) or value.pop("format", None) != _FORMAT:
            raise InputUnreadable(path, "it describes no server")
        version = value.pop("v", None)
        if version != _VERSION:
            raise InputUnreadable(path, f"version {version!r} is not read here")
        server = codec.decode(Server, value)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputUnreadable(path, error.strerror or str(error)) from error
    except (canonical.NotCanonical, codec.DecodeError) as error:
        raise InputUnreadable(path, str(error)) from error
    return replace(server, folder=folder)
