"""What could not be read of a guest, and what is wrong with it, while facts are gathered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from diskwright._values import Struct, field
from diskwright.guest.meter import Meter
from diskwright.guest.reading import GuestReadError, Unreadable
from diskwright.model.guest import Section, Unread
from diskwright.model.image import Problem

T = TypeVar("T")


class Notes(Struct):
    meter: Meter
    unread: list[Unread] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def read(self, section: Section, read: Callable[[], T]) -> T | None:
        try:
            with self.meter.stage(section):
                return read()
        except GuestReadError as error:
            self.failed(section, error)
            return None

    def mark(self) -> tuple[int, int]:
        return len(self.unread), len(self.problems)

    def back_to(self, mark: tuple[int, int]) -> None:
        """Forget what was noted since: it is read anew."""
        del self.unread[mark[0] :], self.problems[mark[1] :]

    def failed(self, section: Section, error: GuestReadError) -> None:
        code = error.code if isinstance(error, Unreadable) else "not-there"
        entry = Unread(section, f"{error} [{code}]")
        if entry not in self.unread:
            self.unread.append(entry)
        problem = Problem(code, str(error))
        if code == "guest-link-loop" and problem not in self.problems:
            self.problems.append(problem)
