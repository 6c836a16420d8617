"""A folder that a tree is extracted into, and nothing outside it.

Every name is opened relative to the folder that holds it, one component at a time, and no link is
followed on the way: what an image calls its entries, and what links it makes first, lead nowhere.

    O_TMPFILE (no name)   ──write──▶  mode, time  ──link──▶  name
    or .diskwright-random.part        ──link, rename──▶      name

So no file is there by halves, also after `kill -9`; what was made until then stays. A run that
fails otherwise removes all that it made.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

from diskwright.blockio.placing import move_if_absent
from diskwright.blockio.writeback import write_all
from diskwright.errors import OutputNotWritable, TargetExists, output_error, writing
from diskwright.model.image import FileIdentity

Names = tuple[str, ...]

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_TMPFILE = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT}
_MODES = 0o777  # no setuid, setgid or sticky bit
_OWNER_FILE, _OWNER_FOLDER = 0o600, 0o700  # whoever extracts can use and remove it


class ExtractedFolder:
    """Made if it is missing. Without `force` it has to be empty (TargetExists); with `force` files
    and links in it are replaced, each in one step, and folders are used; the file `source` never
    is. Leaving its context without `finish` removes what was made. Raises OutputError.
    """

    def __init__(self, path: str, *, force: bool, source: FileIdentity) -> None:
        self._path = os.path.abspath(path)
        self._force = force
        self._source = (source.device, source.inode)
        self._root = -1
        self._made_root = False
        self._made: list[tuple[Names, bool]] = []  # and whether it is a folder
        self._folders: list[tuple[Names, int | None, int | None]] = []
        self._near: tuple[Names, int] = ((), -1)  # the folder that was used last, and its handle
        self._umask = _umask()

    def __enter__(self) -> ExtractedFolder:
        try:
            try:
                os.mkdir(self._path)
                self._made_root = True
            except FileExistsError:
                pass
            # a link that the user names is followed; below it none is
            self._root = os.open(self._path, _FOLDER & ~os.O_NOFOLLOW)
            if not self._force and os.listdir(self._root):
                raise TargetExists(self._path, "name a new or empty folder, or add --force")
        except OSError as error:
            self._close()
            raise output_error(self._path, error) from error
        except TargetExists:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove_made()
        self._close()

    def folder(self, names: Names, *, mode: int | None, mtime: int | None) -> None:
        """Its mode and time are set by `finish`, when nothing is put into it any more."""
        with self._writing(names):
            parent = self._open(names[:-1])
            try:
                os.mkdir(names[-1], 0o700, dir_fd=parent)
            except FileExistsError:
                # a link or a file of that name is in the way: the open says so
                os.close(os.open(names[-1], _FOLDER, dir_fd=parent))
                if not self._force:
                    raise
            else:
                self._made.append((names, True))
                self._folders.append((names, mode, mtime))

    def file(
        self,
        names: Names,
        pieces: Iterable[tuple[int, bytes]],
        *,
        size: int,
        mode: int | None,
        mtime: int | None,
    ) -> None:
        """A file of `size` bytes: `pieces` at their offsets, zeros elsewhere."""
        with self._writing(names):
            parent = self._open(names[:-1])
            fd, temporary = self._new_file(parent)
            try:
                for offset, piece in pieces:
                    write_all(fd, memoryview(piece), offset)
                os.ftruncate(fd, size)
                os.fchmod(fd, self._masked(0o666 if mode is None else mode | _OWNER_FILE))
                if mtime is not None:
                    os.utime(fd, (mtime, mtime))
                if temporary is None:
                    temporary = self._publish_nameless(fd, parent, names)
                if temporary is not None:
                    self._publish(temporary, parent, names)
                    temporary = None
            finally:
                os.close(fd)
                if temporary is not None:
                    _unlink(temporary, parent)

    def link(self, names: Names, target: str, *, mtime: int | None) -> None:
        """A symbolic link. Where `target` leads is the caller's to judge."""
        with self._writing(names):
            parent = self._open(names[:-1])
            temporary = _spare_name()
            os.symlink(target, temporary, dir_fd=parent)
            try:
                if mtime is not None:
                    os.utime(temporary, (mtime, mtime), dir_fd=parent, follow_symlinks=False)
                self._publish(temporary, parent, names)
            except BaseException:
                _unlink(temporary, parent)
                raise

    def finish(self) -> None:
        """All of it stays."""
        for names, mode, mtime in reversed(self._folders):
            with self._writing(names):
                fd = self._open(names)
                os.fchmod(fd, self._masked(0o777 if mode is None else mode | _OWNER_FOLDER))
                if mtime is not None:
                    os.utime(fd, (mtime, mtime))
        self._made.clear()
        self._made_root = False

    def _open(self, names: Names) -> int:
        """The folder `names`, component by component; open until another one is asked for."""
        if names == self._near[0]:
            return self._near[1] if names else self._root
        fd = os.dup(self._root)
        for name in names:
            try:
                inner = os.open(name, _FOLDER, dir_fd=fd)
            finally:
                os.close(fd)
            fd = inner
        self._leave()
        self._near = (names, fd)
        return fd

    def _new_file(self, parent: int) -> tuple[int, str | None]:
        flags = os.O_RDWR | os.O_CLOEXEC
        try:
            return os.open(".", flags | os.O_TMPFILE, 0o600, dir_fd=parent), None
        except OSError as error:
            if error.errno not in _NO_TMPFILE:
                raise
        name = _spare_name()
        return os.open(name, flags | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=parent), name

    def _publish_nameless(self, fd: int, parent: int, names: Names) -> str | None:
        """None when it has its name; else a temporary one, as a link never replaces."""
        try:
            _name_it(fd, parent, names[-1])
        except FileExistsError:
            if not self._force:
                raise
            temporary = _spare_name()
            _name_it(fd, parent, temporary)
            return temporary
        self._made.append((names, False))
        return None

    def _publish(self, temporary: str, parent: int, names: Names) -> None:
        beside = f"/proc/self/fd/{parent}"
        try:
            move_if_absent(f"{beside}/{temporary}", f"{beside}/{names[-1]}")
        except FileExistsError:
            if not self._force:
                raise
            there = os.stat(names[-1], dir_fd=parent, follow_symlinks=False)
            if not (stat.S_ISREG(there.st_mode) or stat.S_ISLNK(there.st_mode)):
                reason = "it is there and is neither a file nor a link"
                raise OutputNotWritable(self._shown(names), reason) from None
            if (there.st_dev, there.st_ino) == self._source:
                raise OutputNotWritable(self._shown(names), "it is the source") from None
            os.replace(temporary, names[-1], src_dir_fd=parent, dst_dir_fd=parent)
        else:
            self._made.append((names, False))

    def _remove_made(self) -> None:
        """What resists stays: somebody else has put something there."""
        for names, is_folder in reversed(self._made):
            with suppress(OSError):
                parent = self._open(names[:-1])
                if is_folder:
                    os.rmdir(names[-1], dir_fd=parent)
                else:
                    os.unlink(names[-1], dir_fd=parent)
        if self._made_root:
            with suppress(OSError):
                os.rmdir(self._path)

    def _masked(self, mode: int) -> int:
        return mode & _MODES & ~self._umask

    @contextmanager
    def _writing(self, names: Names) -> Iterator[None]:
        """Inside it an OSError becomes the OutputError or ConflictError of the entry."""
        path = self._shown(names)
        with writing(path):
            try:
                yield
            except FileExistsError as error:
                raise TargetExists(path) from error

    def _shown(self, names: Names) -> str:
        return os.path.join(self._path, *names)

    def _leave(self) -> None:
        if self._near[1] >= 0:
            os.close(self._near[1])
        self._near = ((), -1)

    def _close(self) -> None:
        self._leave()
        if self._root >= 0:
            os.close(self._root)
            self._root = -1


def _name_it(fd: int, parent: int, name: str) -> None:
    # following the link in /proc is what gives a nameless file its name (open(2), O_TMPFILE)
    os.link(f"/proc/self/fd/{fd}", name, src_dir_fd=fd, dst_dir_fd=parent, follow_symlinks=True)


def _spare_name() -> str:
    return f".diskwright-{secrets.token_hex(6)}.part"


def _unlink(name: str, parent: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=parent)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
