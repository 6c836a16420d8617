"""What the verbs of a library need of the outside world."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from diskwright.app.known import chosen, whereabouts
from diskwright.config import who_of
from diskwright.errors import DataTampered, ImageNotSealed, NotALibrary
from diskwright.model.library import Entry, LibraryInfo, Synced
from diskwright.ports import CancelToken, KeyWrapper, ObjectStore
from diskwright.ports_library import Catalog

if TYPE_CHECKING:
    from diskwright.adapters.catalog import SqliteCatalog
    from diskwright.app.verbs import Diskwright
    from diskwright.ops.library.offered import Origin
    from diskwright.ops.library.place import Place

_WHERE_DIGITS = 12  # of a SHA-256, in the names of catalogs


class OpenLibrary:
    """What all verbs of a library stand on. A context manager; it is closed after it.

    `key` opens and seals its images, as `local:FILE`; None: that of the settings.
    """

    def __init__(
        self,
        app: Diskwright,
        wanted: str | None = None,
        *,
        key: str | None = None,
        single_writer: bool = False,
    ) -> None:
        self.app = app
        self.known = chosen(app.settings, wanted)
        self._key = key
        self._single_writer = single_writer
        self._held: SqliteCatalog | None = None
        self._info: LibraryInfo | None = None
        self._opened_key: KeyWrapper | None = None
        self._key_opened = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._held is not None:
            with closing(self._held):
                self._held = None

    def place(self, cancel: CancelToken | None = None, *, sse: str = "") -> Place:
        """Raises NotALibrary, KeyUnreadable, and what the store raises."""
        from diskwright.adapters.image_locks import FileImageLocks
        from diskwright.ops.library.place import Place

        settings, store = self.app.settings, self.store(cancel, sse=sse)
        if self._info is None:
            self._info = self._read_info(store)
        if self.known.id and self._info.id != self.known.id:
            what = f"library {self.known.name}"
            raise DataTampered(what, f"it is another one than was added: {self._info.id}")
        locks = os.path.join(settings.state_dir, "locks", self._info.id)
        return Place(
            info=self._info,
            store=store,
            catalog=self._catalog_of(self._info.id),
            locks=FileImageLocks(locks),
            wrapper=self._wrapper(),
            who=who_of(settings),
            now=time.time,
            entropy=os.urandom,
            single_writer=self._single_writer,
        )

    def _wrapper(self) -> KeyWrapper | None:
        """Opened once: a passphrase is asked for once."""
        if not self._key_opened:
            self._opened_key = self.app.adapters.wrapper(self._key)
            self._key_opened = True
        return self._opened_key

    def _read_info(self, store: ObjectStore) -> LibraryInfo:
        from diskwright.ops.library.place import read_library

        try:
            return read_library(store)
        except NotALibrary as error:
            if not self.known.id:
                raise
            hint = "it was there: is its folder mounted? What is catalogued: image list --no-sync"
            raise NotALibrary(store.url, hint) from error

    def catalog(self) -> Catalog:
        """As it was left. The store is asked only for the id of a library that is not listed."""
        if self.known.id:
            return self._catalog_of(self.known.id)
        return self.place().catalog

    def discard_catalog(self) -> None:
        """The next verb begins with an empty one."""
        from diskwright.adapters.catalog import discard

        library_id = self._info.id if self._info is not None else self.known.id
        self.close()
        discard(self._catalog_path(library_id))

    def _catalog_of(self, library_id: str) -> Catalog:
        from diskwright.adapters.catalog import SqliteCatalog

        if self._held is None:
            self._held = SqliteCatalog.open(self._catalog_path(library_id))
        return self._held

    def _catalog_path(self, library_id: str) -> str:
        settings = self.app.settings
        where = hashlib.sha256(whereabouts(settings, self.known)).hexdigest()[:_WHERE_DIGITS]
        return os.path.join(settings.data_dir, "catalogs", f"{library_id}-{where}.sqlite")

    def synced(
        self, cancel: CancelToken | None = None, *, image: str | None = None, sse: str = ""
    ) -> Place:
        """The place, when what others did is in the catalog. `image`: the only one that is worked
        on, by id, prefix or name; where it is our own, no library that we receive from is asked."""
        from diskwright.ops.library.sync import sync

        place = self.place(cancel, sse=sse)
        synced = sync(place)
        if image is None or all(one.origin for one in place.catalog.matching(image)):
            self._with_received(place, synced, cancel)
        return place

    def synced_alone(self, cancel: CancelToken | None = None, *, sse: str = "") -> Place:
        """As `synced`, for what is of no interest to others' images."""
        from diskwright.ops.library.sync import sync

        place = self.place(cancel, sse=sse)
        sync(place)
        return place

    def _with_received(
        self, place: Place, synced: Synced, cancel: CancelToken | None, *, whole: bool = False
    ) -> Synced:
        """The same for what others offer to us."""
        from diskwright.ops.library.received import receive

        return receive(place, self._origins(cancel), synced, whole=whole)

    def source_of(
        self, entry: Entry, cancel: CancelToken | None = None
    ) -> tuple[ObjectStore, KeyWrapper | None]:
        """Where the data of one of its images lies, ours or another's, and what opens it there.

        Raises IllegalState for another's that was not accepted, NotShared where it is not offered
        any more, KeyRefused where our key was taken out, DataTampered where its manifest is not
        the one that was accepted.
        """
        from diskwright.ops.library.answers import source

        return source(self.place(cancel), self._origins(cancel), entry)

    def check_sealed(self, entry: Entry) -> None:
        """Raises ImageNotSealed where a key was named for what is to be read and is not sealed: it
        can be anybody's."""
        if self._key is not None and not entry.sealed:
            raise ImageNotSealed(f"image {entry.id}")

    def _origins(self, cancel: CancelToken | None) -> tuple[Origin, ...]:
        from diskwright.app.library.origins import origins_of

        library_id = self._info.id if self._info is not None else self.known.id
        return origins_of(self.app, library_id, cancel)

    @contextmanager
    def beside(self, wanted: str | None) -> Iterator[OpenLibrary]:
        """Another library, opened in the same way; None: this one."""
        if wanted is None:
            yield self
            return
        writer = self._single_writer
        with OpenLibrary(self.app, wanted, key=self._key, single_writer=writer) as other:
            yield other

    def store(self, cancel: CancelToken | None = None, *, sse: str = "") -> ObjectStore:
        return self.app.adapters.store(self.known.url, cancel, sse=sse, known=self.known)
