"""Modules whose files are read before a process is confined, and which run when they are asked for.

A confined reader opens no file. What only some disks need would have to run for all of them, and
while all wait for it; so its code is kept in memory, and imported as any other.
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import MAGIC_NUMBER, cache_from_source, find_spec, spec_from_file_location
from types import ModuleType
from typing import Any

_SOURCE = ".py"
_PACKAGE = f"__init__{_SOURCE}"
_ALL = ".*"
_HEAD = 16  # bytes of a compiled file before its code


class _HeldLoader(SourceFileLoader):
    """Reads what was compiled when it is made; where that is not there, or not of the source any
    more, it is compiled then, and written for the next time."""

    def __init__(self, name: str, path: str) -> None:
        super().__init__(name, path)
        self._compiled = b""
        self._code: Any = None
        with suppress(OSError):
            self._compiled = self.get_data(cache_from_source(path))
        if not _is_of(self._compiled, self.path_stats(path)):
            self._code = super().get_code(name)

    def get_code(self, fullname: str) -> Any:  # noqa: ARG002 - as importlib calls it
        # of a file that Python itself would run
        return self._code or marshal.loads(memoryview(self._compiled)[_HEAD:])  # noqa: S302


def _is_of(compiled: bytes, stats: Any) -> bool:
    """PEP 552: magic number, flags (0: by time), time and size of the source, each of 4 bytes."""
    numbers = 0, int(stats["mtime"]), stats["size"]
    head = b"".join((number & 0xFFFFFFFF).to_bytes(4, "little") for number in numbers)
    return compiled[:_HEAD] == MAGIC_NUMBER + head


class _Finder:
    """Of `sys.meta_path`."""

    def __init__(self) -> None:
        self._loaders: dict[str, _HeldLoader] = {}

    def hold(self, name: str, path: str) -> None:
        if name not in sys.modules:
            self._loaders[name] = _HeldLoader(name, path)

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - as importlib calls it
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        loader = self._loaders.get(name)
        if loader is None:
            return None
        is_package = os.path.basename(loader.path) == _PACKAGE
        folders = [os.path.dirname(loader.path)] if is_package else None
        return spec_from_file_location(
            name, loader.path, loader=loader, submodule_search_locations=folders
        )


def hold(*names: str) -> None:
    """Modules that were not imported yet; `package.*` is a package and all that is in it. What they
    import of others has to be imported before the process is confined."""
    finder = _Finder()
    for name in names:
        package = name.removesuffix(_ALL)
        top, *rest = package.split(".")
        spec = find_spec(top)  # of nothing below: that would run it
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            path = os.path.join(folder, *rest)
            for module, file in _modules(package, path, whole=name.endswith(_ALL)):
                finder.hold(module, file)
    sys.meta_path.insert(0, finder)


def _modules(name: str, path: str, *, whole: bool) -> Iterator[tuple[str, str]]:
    """Names and files of what `name` is, which is at `path` without an ending."""
    if not os.path.exists(os.path.join(path, _PACKAGE)):
        yield name, path + _SOURCE
        return
    yield name, os.path.join(path, _PACKAGE)
    for entry in os.scandir(path) if whole else ():
        module = entry.name.removesuffix(_SOURCE)
        if entry.is_dir() and os.path.exists(os.path.join(entry.path, _PACKAGE)):
            yield from _modules(f"{name}.{entry.name}", entry.path, whole=True)
        elif module != entry.name and entry.name != _PACKAGE:
            yield f"{name}.{module}", entry.path
