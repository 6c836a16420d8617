"""The accounts that this workstation shares images with, by name: a JSON file of its owner.

{"v": 1, "accounts": [{"name": …, "id": …, "label": …, "fingerprint": …, "public": …}, …]}
"""

from __future__ import annotations

import os

from diskwright._values import Struct
from diskwright.blockio.own_list import change_list, read_list
from diskwright.envelope.receiver import ReceiverPublicKey
from diskwright.errors import InputUnreadable, TargetExists, UsageError
from diskwright.model.sharing import Account


class _Book(Struct, frozen=True):
    accounts: tuple[Account, ...]
    v: int = 1


class FileAddressBook:
    """The file and its folder are made at the first `add`. Raises InputUnreadable for a file that
    is none of ours, and for an account in it that is not as its public document says."""

    def __init__(self, path: str) -> None:
        self._path = os.path.abspath(path)

    def known(self) -> tuple[Account, ...]:
        """In the order in which they were added."""
        found = read_list(self._path, _Book(()), what="accounts").accounts
        for one in found:
            self._check(one)
        return found

    def add(self, account: Account) -> None:
        """Raises TargetExists for a name in use, and for a key that has a name already."""

        def added() -> _Book:
            known = self.known()
            for one in known:
                if one.name == account.name:
                    raise TargetExists(f"the account {one.name}", "choose another name")
                if one.id == account.id:
                    hint = f"remove it first: diskwright account remove {one.name}"
                    raise TargetExists(f"the account {one.id}, as {one.name},", hint)
            return _Book((*known, account))

        change_list(self._path, added)

    def remove(self, name: str) -> None:
        """Raises UsageError for a name that is not known."""

        def removed() -> _Book:
            known = self.known()
            if all(one.name != name for one in known):
                hint = "see which are: diskwright account list"
                raise UsageError(f"no account is known as {name}", hint)
            return _Book(tuple(one for one in known if one.name != name))

        change_list(self._path, removed)

    def _check(self, account: Account) -> None:
        try:
            public = ReceiverPublicKey.decode(account.public.encode())
        except ValueError as error:  # NotAReceiver is one
            raise InputUnreadable(self._path, f"account {account.name}: {error}") from error
        if (public.id, public.fingerprint) != (account.id, account.fingerprint):
            raise InputUnreadable(self._path, f"account {account.name}: another key is beside it")
