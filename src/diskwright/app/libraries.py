"""The libraries that this workstation knows."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from diskwright._values import replace
from diskwright.app.adapters import Adapters
from diskwright.app.known import chosen, registry
from diskwright.config import Settings
from diskwright.errors import DiskwrightError, TargetExists, UsageError
from diskwright.ports import CancelToken

if TYPE_CHECKING:
    from diskwright.model.library import KnownLibrary


class LibrariesVerbs:
    """Methods of `Diskwright`."""

    settings: Settings
    adapters: Adapters

    def new_library(
        self,
        name: str,
        url: str,
        *,
        public: bool = False,
        s3: Mapping[str, str | None] | None = None,
        cancel: CancelToken | None = None,
    ) -> KnownLibrary:
        """Make one at `url` and add it to the list; the first of the list is the default. `s3`: how
        it is reached from now on, by the names of the S3 settings; what is None is as they say.

        Raises TargetExists where one is there, or the name is in use.
        """
        from diskwright.ops.library.place import make_library

        known = self._checked(name, url, s3)
        if any(one.name == name for one in self.libraries()):
            raise TargetExists(f"library {name}", "choose another name: diskwright library list")
        store = self.adapters.store(known.url, cancel, known=known)
        info = make_library(store, public=public, now=time.time(), entropy=os.urandom)
        known = replace(known, id=info.id)
        try:
            registry(self.settings).add(known)
        except DiskwrightError as error:
            error.add_note(f"it was made, and is not on the list: diskwright library add {name}")
            raise
        return known

    def add_library(
        self,
        name: str,
        url: str,
        *,
        s3: Mapping[str, str | None] | None = None,
        cancel: CancelToken | None = None,
    ) -> KnownLibrary:
        """Add one that is there; `s3` as of `new_library`. Raises NotALibrary, TargetExists."""
        known = self._checked(name, url, s3)
        known = replace(known, id=self._id_of(known, cancel))
        registry(self.settings).add(known)
        return known

    def follow_library(
        self,
        url: str,
        *,
        key: str,
        name: str | None = None,
        into: str | None = None,
        s3: Mapping[str, str | None] | None = None,
        cancel: CancelToken | None = None,
    ) -> KnownLibrary:
        """Receive what another's library offers to the account of `key` (`receiver:FILE`): our
        own library `into` (None: the default one) shows it. `s3` as of `new_library`.

        Raises NotALibrary, UsageError, KeyUnreadable, TargetExists.
        """
        from diskwright.adapters import kms_receiver

        provider, _, path = key.partition(":")
        if provider != "receiver" or not path:
            hint = "make one: diskwright key new FILE --receiver; then --key receiver:FILE"
            raise UsageError(f"{key}: not a receiver's key", hint)
        own = chosen(self.settings, into)
        if not own.id:
            raise UsageError(f"{own.url} is not in the list", "diskwright library add NAME URL")
        known = self._checked(name or url.rstrip("/").rpartition("/")[2], url, s3)
        account = kms_receiver.load(path, self.adapters.passphrase).public.id
        library = self._id_of(known, cancel)
        if library == own.id:
            raise UsageError(f"{known.url} is our own library {own.name}", "follow another's")
        known = replace(
            known,
            id=library,
            account=f"receiver:{os.path.abspath(path)}",
            account_id=account,
            into=own.id,
            default=False,
        )
        registry(self.settings).add(known)
        return known

    def _id_of(self, known: KnownLibrary, cancel: CancelToken | None) -> str:
        from diskwright.ops.library.place import read_library

        return read_library(self.adapters.store(known.url, cancel, known=known)).id

    def libraries(self) -> tuple[KnownLibrary, ...]:
        return registry(self.settings).known()

    def forget_library(self, name: str) -> None:
        """Off the list; nothing in it is touched. Raises UsageError."""
        registry(self.settings).remove(name)

    def set_default_library(self, name: str) -> None:
        """Raises UsageError where the list has none of that name."""
        registry(self.settings).set_default(name)

    def _checked(self, name: str, url: str, s3: Mapping[str, str | None] | None) -> KnownLibrary:
        """A folder may be named by its path alone."""
        from diskwright.model.library import KnownLibrary

        if not name or ":" in name or "/" in name or not name.isprintable():
            hint = "give letters, digits and dashes, without : and /"
            raise UsageError(f"{name!r}: not a name for a library", hint)
        if not url.startswith(("dir:", "s3://")):
            if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:/", url):
                raise UsageError(f"{url}: not a place", "write ./PATH, dir:PATH or s3://BUCKET")
            url = f"dir:{url}"
        if url.startswith("dir:"):
            url = f"dir:{os.path.abspath(url.removeprefix('dir:'))}"
        said = {name: value for name, value in (s3 or {}).items() if value is not None}
        own = [one for one in self.libraries() if not one.account]
        return KnownLibrary(name, url, default=not own, **said)
