"""GRUB 2's script language, taken apart into commands; nothing is run (GRUB manual, chapter 16)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from diskwright._values import Struct

MAX_COMMANDS = 100_000
MAX_WORD = 64 << 10

_VARIABLE = re.compile(r"\$(?:\{([A-Za-z0-9_?*#@]+)\}|([A-Za-z_][A-Za-z0-9_]*|[?*#@0-9]))")


class GrubScriptError(Exception):
    """The script can't be taken apart."""


class Word(Struct, frozen=True):
    """Parts in order: text, or the name of a variable. `quoted` ones stay even when empty."""

    parts: tuple[tuple[bool, str], ...]  # (is a variable, text or name)
    quoted: bool

    def expand(self, variables: Mapping[str, str]) -> str:
        texts = [variables.get(text, "") if var else text for var, text in self.parts]
        if sum(map(len, texts)) > MAX_WORD:
            raise GrubScriptError(f"has a word of more than {MAX_WORD} characters")
        return "".join(texts)


class Command(Struct, frozen=True):
    """`line` counts from 1. Braces that stand alone are words."""

    line: int
    words: tuple[Word, ...]

    def expand(self, variables: Mapping[str, str]) -> list[str]:
        """Its words; unquoted ones that come out empty are gone, as in a shell."""
        expanded = [(word.expand(variables), word.quoted) for word in self.words]
        return [text for text, quoted in expanded if text or quoted]


def read_commands(script: str) -> list[Command]:
    """The commands of a script, those inside braces too. Raises GrubScriptError."""
    found: list[Command] = []
    words: list[Word] = []
    first = 1
    for line, word in _Scanner(script).words():
        if words and (word is None or _is_brace(word, "}")):
            found.append(Command(first, tuple(words)))
            words = []
        if word is not None:
            first = first if words else line
            words.append(word)
            if _is_brace(word, "{") or _is_brace(word, "}"):
                found.append(Command(first, tuple(words)))
                words = []
        if len(found) > MAX_COMMANDS:
            raise GrubScriptError(f"has more than {MAX_COMMANDS} commands")
    if words:
        found.append(Command(first, tuple(words)))
    return found


def _is_brace(word: Word, brace: str) -> bool:
    return not word.quoted and word.parts == ((False, brace),)


class _Scanner:
    def __init__(self, script: str) -> None:
        self._text = script
        self._at = 0
        self._line = 1

    def words(self) -> Iterator[tuple[int, Word | None]]:
        """Words with their lines; None where a command ends."""
        text = self._text
        while self._at < len(text):
            char = text[self._at]
            if char == "\n" or char == ";":
                yield self._line, None
                self._pass(1)
            elif char in " \t\r":
                self._pass(1)
            elif text.startswith("\\\n", self._at):
                self._pass(2)
            elif char == "#":
                end = text.find("\n", self._at)
                self._at = len(text) if end < 0 else end
            else:
                line = self._line
                yield line, self._word()

    def _pass(self, count: int) -> str:
        taken = self._text[self._at : self._at + count]
        self._line += taken.count("\n")
        self._at += count
        return taken

    def _word(self) -> Word:
        parts: list[tuple[bool, str]] = []
        quoted = False
        while self._at < len(self._text) and self._text[self._at] not in " \t\r\n;":
            char = self._text[self._at]
            if char == "'":
                parts.append((False, self._single()))
                quoted = True
            elif char == '"':
                self._pass(1)
                parts += self._double()
                quoted = True
            elif char == "$":
                parts.append(self._variable())
            elif char == "\\":
                escaped = self._pass(2)[1:]
                parts.append((False, "" if escaped == "\n" else escaped))
            else:
                parts.append((False, self._plain(" \t\r\n;'\"$\\")))
        return Word(tuple(parts), quoted)

    def _plain(self, stops: str) -> str:
        end = self._at
        while end < len(self._text) and self._text[end] not in stops:
            end += 1
        return self._pass(end - self._at)

    def _single(self) -> str:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise GrubScriptError(f"line {self._line}: a quote is never closed")
        return self._pass(end + 1 - self._at)[1:-1]

    def _double(self) -> list[tuple[bool, str]]:
        parts: list[tuple[bool, str]] = []
        start = self._line
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == '"':
                self._pass(1)
                return parts
            if char == "$":
                parts.append(self._variable())
            elif char == "\\" and self._text[self._at + 1 : self._at + 2] in ("$", '"', "\\"):
                parts.append((False, self._pass(2)[1]))
            elif char == "\\":
                parts.append((False, self._pass(1)))
            else:
                parts.append((False, self._plain('"$\\')))
        raise GrubScriptError(f"line {start}: a quote is never closed")

    def _variable(self) -> tuple[bool, str]:
        match = _VARIABLE.match(self._text, self._at)
        if match is None:
            return False, self._pass(1)
        self._pass(len(match[0]))
        return True, match[1] or match[2]
