"""Where a mutant lies when it is looked at: by itself, or in a folder with all that it may name."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from support.fuzzing import beside
from support.fuzzing.opens import Opens
from support.fuzzing.write import write_sparse


class Alone:
    """A folder of one file, which nothing is allowed for."""

    allowed: Path | None = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def lay(self, name: str, mutant: bytes, above: bytes | None) -> Path:
        assert above is None
        path = self.folder / f"{name}.img"
        write_sparse(path, mutant)
        return path

    def opened(self) -> list[str]:
        return []

    def clear(self) -> list[str]:
        for path in self.folder.iterdir():
            path.unlink()
        return []


class Scene:
    """The folder that is allowed, with good files and traps, and decoys around it. A file is laid
    into it to be opened, with the mutant beneath it where it is `above` that.
    """

    def __init__(self, folder: Path) -> None:
        self.allowed = self.folder = folder / beside.ALLOWED
        places = [folder, folder / beside.OUTSIDE, folder / beside.TWIN]
        for each in (*places, self.allowed / "sub"):
            each.mkdir(parents=True, exist_ok=True)
        for name, data in beside.inside().items():
            write_sparse(self.allowed / name, data)
        for name, data in beside.around().items():
            write_sparse(folder / name, data)
        for name, target in beside.LINKS.items():
            (self.allowed / name).symlink_to(target)
        os.mkfifo(self.allowed / beside.FIFO)
        os.mknod(self.allowed / beside.SOCKET, stat.S_IFSOCK | 0o600)
        self._opens = Opens(places)
        self._before = self._state()

    def lay(self, name: str, mutant: bytes, above: bytes | None) -> Path:
        """The file that is to be opened, which has the same name each time."""
        top = self.allowed / beside.TOP
        if above is None:
            write_sparse(top, mutant)
        else:
            write_sparse(top, above)
            write_sparse(self.allowed / beside.MUTANT, mutant)
        return top

    def opened(self) -> list[str]:
        """Of the decoys, since it was asked last."""
        return [f"opened: {name}" for name in self._opens.taken()]

    def clear(self) -> list[str]:
        """Take away what was laid there; what else is not as it was."""
        for name in (beside.TOP, beside.MUTANT):
            (self.allowed / name).unlink(missing_ok=True)
        now = self._state()
        return [f"changed: {name}" for name, _ in sorted(now ^ self._before)]

    def _state(self) -> set[tuple[str, tuple[int, ...]]]:
        found: set[tuple[str, tuple[int, ...]]] = set()
        for folder, folders, files in os.walk(self.allowed):
            for name in (*folders, *files):
                path = os.path.join(folder, name)
                status = os.lstat(path)
                time = 0 if stat.S_ISDIR(status.st_mode) else status.st_mtime_ns
                found.add((path, (status.st_mode, status.st_size, time)))
        return found
