"""The libraries that this workstation knows."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from diskwright.app.adapters import Adapters
from diskwright.app.known import registry
from diskwright.config import Settings
from diskwright.errors import TargetExists, UsageError
from diskwright.ports import CancelToken

if TYPE_CHECKING:
    from diskwright.model.library import KnownLibrary


class LibrariesVerbs:
    """Methods of `Diskwright`."""

    settings: Settings
    adapters: Adapters

    def new_library(
        self, name: str, url: str, *, public: bool = False, cancel: CancelToken | None = None
    ) -> KnownLibrary:
        """Make one at `url` and add it to the list; the first of the list is the default.

        Raises TargetExists where one is there, or the name is in use.
        """
        from diskwright.ops.library.place import make_library

        known = self._checked(name, url)
        if any(one.name == name for one in self.libraries()):
            raise TargetExists(f"library {name}", "choose another name: diskwright library list")
        store = self.adapters.store(known.url, cancel)
        info = make_library(store, public=public, now=time.time(), entropy=os.urandom)
        known = replace(known, id=info.id)
        registry(self.settings).add(known)
        return known

    def add_library(
        self, name: str, url: str, *, account: str = "", cancel: CancelToken | None = None
    ) -> KnownLibrary:
        """Add one that is there; with `account`, a receiver's key, another's, that is shared with
        it. Raises NotALibrary, TargetExists."""
        from diskwright.ops.library.place import read_library

        known = self._checked(name, url)
        info = read_library(self.adapters.store(known.url, cancel))
        known = replace(known, id=info.id, account=account)
        registry(self.settings).add(known)
        return known

    def libraries(self) -> tuple[KnownLibrary, ...]:
        return registry(self.settings).known()

    def forget_library(self, name: str) -> None:
        """Off the list; nothing in it is touched. Raises UsageError."""
        registry(self.settings).remove(name)

    def set_default_library(self, name: str) -> None:
        """Raises UsageError where the list has none of that name."""
        registry(self.settings).set_default(name)

    def _checked(self, name: str, url: str) -> KnownLibrary:
        """A folder may be named by its path alone."""
        from diskwright.model.library import KnownLibrary

        if not name or ":" in name or "/" in name or not name.isprintable():
            hint = "give letters, digits and dashes, without : and /"
            raise UsageError(f"{name!r}: not a name for a library", hint)
        if not url.startswith(("dir:", "s3://")):
            url = f"dir:{url}"
        if url.startswith("dir:"):
            url = f"dir:{os.path.abspath(url.removeprefix('dir:'))}"
        return KnownLibrary(name, url, default=not self.libraries())
