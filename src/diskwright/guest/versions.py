"""Which of two versions is newer (UAPI Group, Version Format Specification)."""

from __future__ import annotations

from string import ascii_letters, digits

MAX_VERSION = 255  # characters that count: as many as a file's name has

_DIGITS, _LETTERS = frozenset(digits), frozenset(ascii_letters)
_MARKS = "-^."
_COUNT = _DIGITS | _LETTERS | set("~" + _MARKS)


def compare_versions(one: str, other: str) -> int:
    """Below 0 where `other` is newer, above 0 where `one` is, 0 where neither."""
    return _Pair(one[:MAX_VERSION], other[:MAX_VERSION]).compare()


class _Pair:
    """Both versions from the left; what was equal is taken off."""

    def __init__(self, one: str, other: str) -> None:
        self._one, self._other = one, other

    def compare(self) -> int:
        while True:
            self._one, self._other = _counted(self._one), _counted(self._other)
            result = self._lacks("~")
            if result:
                return result
            if not self._one or not self._other:
                return bool(self._one) - bool(self._other)
            for mark in _MARKS:
                result = self._lacks(mark)
                if result:
                    return result
            if self._one[:1] in _DIGITS or self._other[:1] in _DIGITS:
                result = self._numbers()
            else:
                result = self._words()
            if result:
                return result

    def _lacks(self, mark: str) -> int:
        """A version that goes on with `mark` is older than one that does not."""
        one, other = self._one.startswith(mark), self._other.startswith(mark)
        if one and other:
            self._one, self._other = self._one[1:], self._other[1:]
        return other - one

    def _numbers(self) -> int:
        one, other = self._take(_DIGITS)
        if not one or not other:
            return bool(one) - bool(other)
        return (int(one) > int(other)) - (int(one) < int(other))

    def _words(self) -> int:
        one, other = self._take(_LETTERS)
        return (one > other) - (one < other)

    def _take(self, kind: frozenset[str]) -> tuple[str, str]:
        taken = []
        for text in (self._one, self._other):
            end = next((i for i, char in enumerate(text) if char not in kind), len(text))
            taken.append(text[:end])
        self._one, self._other = self._one[len(taken[0]) :], self._other[len(taken[1]) :]
        return taken[0], taken[1]


def _counted(text: str) -> str:
    """Without what separates parts and means nothing."""
    start = next((i for i, char in enumerate(text) if char in _COUNT), len(text))
    return text[start:]
