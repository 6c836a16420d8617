"""Progress that nobody watches and a run that nobody cancels: the null twins of the ports."""

from __future__ import annotations


class NullProgress:
    def phase(self, name: str, total: int) -> None:
        """Nothing is shown."""

    def advance(self, count: int) -> None:
        """Nothing is shown."""


class NeverCancelled:
    def check(self) -> None:
        """Goes on."""
