"""The verbs about keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diskwright.app.adapters import Adapters

if TYPE_CHECKING:
    from diskwright.envelope.receiver import ReceiverPublicKey


class KeyVerbs:
    adapters: Adapters

    def passphrase(self) -> str:
        """From the file that the settings name, else as the caller asks for it."""
        return self.adapters.passphrase()

    def new_key(self, path: str, *, passphrase: str | None = None) -> str:
        """Make a key-encryption key in a file; its id. Raises TargetExists."""
        from diskwright.adapters.kms_local import new_key

        return new_key(path, passphrase=passphrase).key_id

    def new_receiver(
        self, path: str, *, name: str, passphrase: str | None = None
    ) -> ReceiverPublicKey:
        """Make a receiver's key in a file, and its public document in PATH.pub; that document.

        Raises TargetExists where one of the two is there, UsageError for a name that is none.
        """
        from diskwright.adapters.kms_receiver import new_receiver

        return new_receiver(path, name=name, passphrase=passphrase).public

    def receiver(self, path: str) -> ReceiverPublicKey:
        """The public document of a receiver's key file; its passphrase is asked for.

        Raises KeyUnreadable, and KeyRefused where the passphrase is wrong.
        """
        from diskwright.adapters import kms_receiver

        return kms_receiver.load(path, self.adapters.passphrase).public
