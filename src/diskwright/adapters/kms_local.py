"""A key-encryption key in a file of its owner (docs/sealed-format.md, "kek.json")."""

from __future__ import annotations

import os
import stat
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from diskwright.blockio.placing import sync_folder
from diskwright.envelope import box, kek
from diskwright.envelope.keys import KEY_SIZE
from diskwright.errors import (
    KeyRefused,
    KeyUnreadable,
    OutputNotWritable,
    TargetExists,
    UsageError,
    output_error,
)
from diskwright.model.stored import WrappedKey

PROVIDER = "local"

_FILE_LIMIT = 4096  # bytes; a key file has some 300


@dataclass(frozen=True, slots=True)
class LocalKey:
    """A KeyWrapper: AES-256-GCM under the file's key, bound to the context."""

    name: str  # local:PATH, for messages
    key_id: str  # the id in the file
    _key: bytes = field(repr=False)

    @classmethod
    def load(cls, path: str, passphrase: Callable[[], str] | None = None) -> LocalKey:
        """Read a key file; `passphrase` is asked only where the file needs one.

        Raises KeyUnreadable where the file is no key file or others than its owner can read it,
        KeyRefused where the passphrase is wrong.
        """
        name = f"{PROVIDER}:{path}"
        data = _read(path, name)
        try:
            document = kek.decode(data)
            key = _key_of(document, passphrase, name)
        except kek.NotAKek as error:
            raise _malformed(name, str(error)) from error
        return cls(name, document.id, key)

    def wrap(self, data_key: bytes, context: bytes) -> WrappedKey:
        return WrappedKey(PROVIDER, self.key_id, box.seal(self._key, data_key, context), {})

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """Raises KeyRefused where the key, the context or the wrapped key is another."""
        if wrapped.provider != PROVIDER or wrapped.key_id != self.key_id:
            owner = f"{wrapped.provider}:{wrapped.key_id}"
            raise KeyRefused(self.name, f"this is key {self.key_id}, the data key is for {owner!r}")
        if wrapped.params:
            raise KeyRefused(self.name, "the wrapped key has parameters that no local key has")
        try:
            return box.open_(self._key, wrapped.wrapped_key, context)
        except box.BoxRefused as error:
            reason = f"the wrapped key {error}: it was changed, or is of another seal"
            raise KeyRefused(self.name, reason) from error


def new_key(path: str, *, passphrase: str | None = None) -> LocalKey:
    """Make a key file, mode 0600, synced; with `passphrase` its key is encrypted.

    Raises TargetExists where something has that name: a key file is never overwritten.
    """
    if passphrase == "":
        raise UsageError("an empty passphrase protects nothing", "leave the passphrase away")
    key_id, key = str(uuid.uuid4()), os.urandom(KEY_SIZE)
    _create(path, kek.encode(key_id, key, passphrase))
    return LocalKey(f"{PROVIDER}:{path}", key_id, key)


def _key_of(document: kek.Kek, passphrase: Callable[[], str] | None, name: str) -> bytes:
    if document.scrypt is None:
        return document.open()
    if passphrase is None:
        raise KeyUnreadable(
            name,
            "it is protected by a passphrase, and none was given",
            "run this in a terminal to be asked for it",
        )
    try:
        return document.open_with(passphrase())
    except box.BoxRefused as error:
        reason = "the passphrase is wrong, or the file was changed"
        raise KeyRefused(name, reason, "try the passphrase again") from error
    except MemoryError as error:
        raise KeyUnreadable(name, "there is not enough memory for its passphrase") from error


def _malformed(name: str, detail: str) -> KeyUnreadable:
    return KeyUnreadable(name, f"this is no key file ({detail})")


# --- the file ---------------------------------------------------------------------------------


def _read(path: str, name: str) -> bytes:
    try:
        # not blocking: a FIFO of that name must not hang us
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise KeyUnreadable(name, _reason(error)) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeyUnreadable(name, "it is no regular file")
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            mode = stat.S_IMODE(status.st_mode)
            raise KeyUnreadable(
                name, f"others may read or change it (mode {mode:04o})", f"chmod 600 -- {path}"
            )
        data = os.read(descriptor, _FILE_LIMIT + 1)
    except OSError as error:
        raise KeyUnreadable(name, _reason(error)) from error
    finally:
        os.close(descriptor)
    if len(data) > _FILE_LIMIT:
        raise _malformed(name, f"it has over {_FILE_LIMIT} bytes")
    return data


def _create(path: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError as error:
        hint = "choose another name: a key file is never overwritten"
        raise TargetExists(path, hint) from error
    except OSError as error:
        raise output_error(path, error) from error
    except ValueError as error:  # a NUL in the path
        raise OutputNotWritable(path, str(error)) from error
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)  # whatever the umask took away
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        sync_folder(os.path.dirname(path) or ".")
    except OSError as error:
        os.unlink(path)
        raise output_error(path, error) from error


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
