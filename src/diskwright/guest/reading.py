"""What reading a guest can end in, besides bytes.

    GuestReadError
    ├── NotThere      no such name: an answer, and a certain one
    └── Unreadable    it can't be told; `code` says why

These never leave the guest room: whoever gathers facts turns them into `Unread` or `Problem`.
"""

from __future__ import annotations


class GuestReadError(Exception):
    """`path` is the guest's; it is empty until somebody who knows the path has caught it."""

    def __init__(self, detail: str, *, path: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: {self.detail}" if self.path else self.detail


class NotThere(GuestReadError):
    """No such name, also behind a link that leads nowhere."""


class Unreadable(GuestReadError):
    """`code`: damaged, unsupported, budget, too-large, not-a-file, guest-link-loop."""

    def __init__(self, code: str, detail: str, *, path: str = "") -> None:
        super().__init__(detail, path=path)
        self.code = code


def damaged(detail: str) -> Unreadable:
    return Unreadable("damaged", detail)
