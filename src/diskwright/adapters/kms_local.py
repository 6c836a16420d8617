"""A key-encryption key in a file of its owner (docs/sealed-format.md, "kek.json")."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable

from diskwright._values import Secretive
from diskwright.blockio import owner_file
from diskwright.envelope import box, keyfile
from diskwright.envelope.keys import KEY_SIZE
from diskwright.errors import KeyRefused, UsageError
from diskwright.model.stored import WrappedKey

PROVIDER = "local"


class LocalKey(Secretive, frozen=True):
    """A KeyWrapper: AES-256-GCM under the file's key, bound to the context."""

    name: str  # local:PATH, for messages
    key_id: str  # the id in the file
    _key: bytes

    @classmethod
    def load(cls, path: str, passphrase: Callable[[], str] | None = None) -> LocalKey:
        """Read a key file; `passphrase` is asked only where the file needs one.

        Raises KeyUnreadable where the file is no key file or others than its owner can read it,
        KeyRefused where the passphrase is wrong.
        """
        name = f"{PROVIDER}:{path}"
        data = owner_file.read_owned(path, name=name)
        try:
            document = keyfile.decode(data, keyfile.KEK)
            key = document.unlock(passphrase, key=name)
        except keyfile.NotAKeyFile as error:
            raise owner_file.malformed(name, str(error)) from error
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
    owner_file.create(path, keyfile.encode(keyfile.KEK, key_id, key, passphrase))
    return LocalKey(f"{PROVIDER}:{path}", key_id, key)
