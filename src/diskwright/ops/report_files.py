"""Files for the reports of a run: checked before it begins, and at its end whole or absent."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType

from diskwright.errors import UsageError
from diskwright.model.stored import Chunk
from diskwright.ports import ByteSink

SinkFactory = Callable[[str, bool], ByteSink]  # of a path, and whether to replace what is there


class ReportFiles:
    """`write` each of `paths` once, inside the context; what was not written was never there.

    None of them is one of `images`, whatever its name. Entering raises TargetExists without
    `force`, OutputError, and UsageError for an image or a file that is named twice.
    """

    def __init__(
        self, paths: Sequence[str], *, images: Sequence[str], sink: SinkFactory, force: bool
    ) -> None:
        self._paths = paths
        self._images = images
        self._sink = sink
        self._force = force
        self._sinks: dict[str, ByteSink] = {}
        self._stack = ExitStack()

    def __enter__(self) -> ReportFiles:
        with self._stack as stack:  # those that were opened are aborted where one can't be
            for path in self._paths:
                if os.path.realpath(path) in {os.path.realpath(known) for known in self._sinks}:
                    raise UsageError(f"{path}: is named for two reports", "name another file")
                self._check_no_image(path)
                self._sinks[path] = sink = self._sink(path, self._force)
                stack.callback(sink.abort)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def write(self, path: str, data: bytes) -> None:
        """Raises as entering does, for what has become of the name meanwhile."""
        self._check_no_image(path)
        sink = self._sinks[path]
        sink.write(Chunk(0, data))
        sink.finish()

    def _check_no_image(self, path: str) -> None:
        try:
            status = os.stat(path)
        except OSError:
            return  # what is not there, or can't be reached, is no image
        for image in self._images:
            try:
                same = os.path.samestat(status, os.stat(image))
            except OSError:
                continue
            if same:
                raise UsageError(f"{path}: is an image to judge", "name another file")
