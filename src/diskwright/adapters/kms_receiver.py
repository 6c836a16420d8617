"""A receiver's key pair in a file of its owner, its public half beside it (docs/sealed-format.md,
"Receivers"). What the keys do is in `envelope.receiver`."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable

from diskwright.blockio import owner_file
from diskwright.envelope import keyfile, receiver
from diskwright.envelope.keys import KEY_SIZE
from diskwright.errors import KeyUnreadable, UsageError
from diskwright.ports import KeyWrapper

PUBLIC_SUFFIX = ".pub"


def wrapper(path: str, passphrase: Callable[[], str] | None = None) -> KeyWrapper:
    """Of a receiver's key file, or of a public document, which wraps only.

    Raises as `load` does.
    """
    try:
        return load_public(path)
    except KeyUnreadable:
        return load(path, passphrase)


def load(path: str, passphrase: Callable[[], str] | None = None) -> receiver.ReceiverKey:
    """Read a receiver's key file; `passphrase` is asked only where the file needs one.

    Raises KeyUnreadable where the file is none or others than its owner can read it, KeyRefused
    where the passphrase is wrong.
    """
    name = f"receiver:{path}"
    data = owner_file.read_owned(path, name=name)
    try:
        document = keyfile.decode(data, keyfile.RECEIVER)
        if document.suite != receiver.SUITE or document.name is None:
            raise keyfile.NotAKeyFile(f"its suite is not {receiver.SUITE}")
        seed = document.unlock(passphrase, key=name)
        return receiver.ReceiverKey.of(name, document.id, document.name, seed)
    except ValueError as error:  # NotAKeyFile is one
        raise owner_file.malformed(name, str(error)) from error


def load_public(path: str) -> receiver.ReceiverPublicKey:
    """Read anybody's public document. Raises KeyUnreadable where it is none."""
    data = owner_file.read_public(path, name=path)
    try:
        return receiver.ReceiverPublicKey.decode(data)
    except receiver.NotAReceiver as error:
        if _is_private(data):
            reason, hint = "this is its private half", f"give the public one: {path}{PUBLIC_SUFFIX}"
            raise KeyUnreadable(path, reason, hint) from error
        raise owner_file.malformed(path, str(error)) from error


def _is_private(data: bytes) -> bool:
    try:
        keyfile.decode(data, keyfile.RECEIVER)
    except keyfile.NotAKeyFile:
        return False
    return True


def new_receiver(path: str, *, name: str, passphrase: str | None = None) -> receiver.ReceiverKey:
    """Make a key file, mode 0600, and PATH.pub, both synced; both or none.

    Raises TargetExists where one of the two is there: neither is ever overwritten.
    """
    if passphrase == "":
        raise UsageError("an empty passphrase protects nothing", "leave the passphrase away")
    try:
        receiver.check_name(name)
    except ValueError as error:
        raise UsageError(f"{name!r}: {error}", "choose another --name") from error
    key_id, seed = str(uuid.uuid4()), os.urandom(KEY_SIZE)
    made = receiver.ReceiverKey.of(f"receiver:{path}", key_id, name, seed)
    private = keyfile.encode(
        keyfile.RECEIVER, key_id, seed, passphrase, name=name, suite=receiver.SUITE
    )
    owner_file.create(path, private)
    try:
        owner_file.create(path + PUBLIC_SUFFIX, made.public.encode(), mode=0o644)
    except BaseException:
        os.unlink(path)  # made a moment ago, and nobody has its public half
        raise
    return made
