"""Whom this workstation shares images with: the verbs of its address book."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from diskwright.config import Settings
from diskwright.errors import KeyUnreadable, UsageError
from diskwright.model.text import printable

if TYPE_CHECKING:
    from diskwright.adapters.accounts import FileAddressBook
    from diskwright.envelope.receiver import ReceiverPublicKey
    from diskwright.model.sharing import Account


class AccountVerbs:
    """Methods of `Diskwright`."""

    settings: Settings

    def add_account(self, name: str, path: str) -> Account:
        """Know the receiver whose public document `path` is as `name`. Compare its fingerprint with
        them first. Raises KeyUnreadable, UsageError for a name that is none, TargetExists."""
        from diskwright.model.sharing import Account

        if not name or not name.isprintable() or "/" in name or len(name) > 128:
            hint = "give 1 to 128 printable characters, without /"
            raise UsageError(f"{printable(name)}: not a name for an account", hint)
        public = self.public_document(path)
        text = public.encode().decode()
        account = Account(name, public.id, public.name, public.fingerprint, text)
        self._book().add(account)
        return account

    def accounts(self) -> tuple[Account, ...]:
        """In the order in which they were added. Raises InputUnreadable."""
        return self._book().known()

    def remove_account(self, name: str) -> None:
        """Nothing that is shared changes by it. Raises UsageError where none has that name."""
        self._book().remove(name)

    def account(self, wanted: str) -> tuple[str, ReceiverPublicKey]:
        """By its name in the address book, or from the file of its public document: its name and
        its key. Raises UsageError."""
        from diskwright.envelope.receiver import ReceiverPublicKey

        known = next((one for one in self.accounts() if one.name == wanted), None)
        if known is not None:
            return known.name, ReceiverPublicKey.decode(known.public.encode())
        try:
            public = self.public_document(wanted)
        except KeyUnreadable as error:
            if os.path.exists(wanted):
                raise
            hint = "see which are known: diskwright account list; or name a file of one: FILE.pub"
            raise UsageError(f"{printable(wanted)}: no such account", hint) from error
        return public.name, public

    def public_document(self, path: str) -> ReceiverPublicKey:
        """Raises KeyUnreadable where the file is none."""
        from diskwright.adapters.kms_receiver import load_public

        return load_public(path)

    def _book(self) -> FileAddressBook:
        from diskwright.adapters.accounts import FileAddressBook

        return FileAddressBook(os.path.join(self.settings.data_dir, "accounts.json"))
