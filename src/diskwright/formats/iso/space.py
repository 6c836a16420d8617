"""What one walk through a tree may cost, and the checks that every tree shares."""

from __future__ import annotations

from diskwright._values import Struct, field
from diskwright.errors import ImageBroken
from diskwright.formats import limits
from diskwright.formats.source import ImageSource, shown
from diskwright.model.iso import IsoExtent


class Space(Struct):
    """The file that a tree lies in. `promised` is the volume's own size.

    Metadata past the file's end is always refused, a file's data only where the volume's own size
    does not explain it: otherwise the file was cut short, and `cut` counts the files.
    """

    source: ImageSource
    promised: int
    cut: int = 0
    damaged: int = 0  # records whose extensions were not understood
    _entries: int = 0
    _extents: int = 0
    _text: int = 0
    _directory_bytes: int = 0
    _continuation_bytes: int = 0
    _directories: set[object] = field(default_factory=set)

    def entry(self) -> None:
        self._entries += 1
        if self._entries > limits.ISO_ENTRIES:
            raise self._too_much(f"a tree has more than {limits.ISO_ENTRIES:,} entries")

    def directory(self, place: object, depth: int, at: int) -> None:
        """A directory is entered. `place` is what tells it from others."""
        if place in self._directories:
            raise self.source.broken(
                "directory-loop", "a directory is met a second time in its tree", at
            )
        self._directories.add(place)
        if depth > limits.ISO_DEPTH:
            raise self._too_much(f"directories are nested more than {limits.ISO_DEPTH} deep")

    def directory_bytes(self, length: int, at: int) -> None:
        self._directory_bytes += length
        if length > limits.ISO_DIRECTORY_BYTES or self._directory_bytes > limits.ISO_TREE_BYTES:
            raise self._too_much("its directories are larger than any honest tree's", at)

    def continuation(self, offset: int, length: int) -> bytes:
        self._continuation_bytes += max(length, limits.ISO_CONTINUATION_LEAST)
        if self._continuation_bytes > limits.ISO_CONTINUATION_BYTES:
            raise self._too_much("its Rock Ridge entries are larger than any honest tree's")
        return self.source.read(offset, length)

    def path(self, parent: str, name: str, at: int) -> str:
        """`name` in `parent`. A name that could lead elsewhere is refused."""
        if not name or name in (".", "..") or "/" in name or "\0" in name:
            raise self.source.broken("name-forbidden", f"an entry is called {shown(name)}", at)
        if len(name.encode("utf-8", "replace")) > limits.ISO_NAME_BYTES:
            raise self._too_much("a name is too long", at)
        path = f"{parent}/{name}" if parent else name
        if len(path) > limits.ISO_PATH_BYTES:
            raise self._too_much("a path is too long", at)
        self.text(path, at)
        return path

    def text(self, said: str, at: int) -> None:
        """A path or a link's target is kept."""
        self._text += len(said)
        if self._text > limits.ISO_TEXT_BYTES:
            raise self._too_much("its paths are longer than any honest tree's", at)

    def places(self, count: int, at: int) -> None:
        """So many extents were named."""
        self._extents += count
        if self._extents > limits.ISO_EXTENTS:
            raise self._too_much(f"its files have more than {limits.ISO_EXTENTS:,} extents", at)

    def extents(self, parts: list[IsoExtent], at: int) -> tuple[IsoExtent, ...]:
        """A file's extents, adjacent ones joined, each checked. `at` is where they are named."""
        self.places(len(parts), at)
        joined: list[IsoExtent] = []
        cut = False
        for part in parts:
            if not part.length:
                continue
            if part.offset is not None and part.offset + part.length > self.source.size:
                if self.promised <= self.source.size or part.offset > self.promised:
                    raise self.source.past_end("a file lies past the end", at)
                cut = True
            last = joined[-1] if joined else None
            if last is not None and _adjoins(last, part):
                joined[-1] = IsoExtent(last.offset, last.length + part.length)
                continue
            joined.append(part)
        self.cut += cut
        return tuple(joined)

    def _too_much(self, detail: str, at: int | None = None) -> ImageBroken:
        return self.source.broken("too-large", detail, at)


def _adjoins(last: IsoExtent, part: IsoExtent) -> bool:
    if last.offset is None or part.offset is None:
        return last.offset is part.offset
    return last.offset + last.length == part.offset
