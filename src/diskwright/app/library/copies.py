"""replicate, export, download: methods of `Library`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diskwright.app.adapters import given
from diskwright.app.library.opening import OpenLibrary
from diskwright.errors import UsageError
from diskwright.model.image import ImageFormat
from diskwright.model.library import Entry
from diskwright.model.nulls import NeverCancelled, NullProgress
from diskwright.model.outcome_copies import Delivered, Replica
from diskwright.ports import CancelToken, Progress

if TYPE_CHECKING:
    from diskwright.ops.library.deliver import DeliverRequest, Piece
    from diskwright.ops.stored_file import RestoreTools


class CopyVerbs(OpenLibrary):
    """Methods of `Library`."""

    def replicate(
        self,
        image: str,
        name: str,
        *,
        encrypt: str | None = None,
        decrypt: bool = False,
        quick: bool = False,
        whole: bool = False,
        to_library: str | None = None,
        allow_duplicate: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> Replica:
        """A new image `name` of what `image` is now, here or in another library.

        The bytes stay as they are where nothing else is asked for, and the stores copy them where
        they can. `encrypt` seals it for that key (`local:FILE`), `decrypt` opens it; a sealed one
        is else sealed anew for our own. `quick`: a form from which servers start at once. `whole`:
        it rests on no other image, as it does in another library and sealed.

        Raises UsageError, NameTaken, ChangedMeanwhile where the source was changed or deleted
        meanwhile, KeyMissing, DataTampered; nothing of it stays then.
        """
        from diskwright.ops.library import replicate
        from diskwright.ops.library.place import find_entry

        progress, cancel = progress or NullProgress(), cancel or NeverCancelled()
        sse = self.app.adapters.encryption(self.app.adapters.profile(None))
        place = self.synced(cancel, image=image, sse=sse)
        entry = find_entry(place.catalog, image, place.store.url)
        request = replicate.ReplicateRequest(
            name,
            encrypt=self.app.adapters.wrapper(encrypt) if given("--encrypt", encrypt) else None,
            decrypt=decrypt,
            quick=quick,
            whole=whole,
            allow_duplicate=allow_duplicate,
        )
        source = self._reading(entry, cancel)
        with self.beside(to_library) as other:
            target = place if other is self else other.synced_alone(cancel, sse=sse)
            planned = replicate.plan(place, target, entry, request, source=source)
            ways = tuple(disk.way.value for disk in planned.disks)
            if dry_run:
                return Replica(planned.entry, target.store.url, ways, dry_run=True)
            made = replicate.run(
                place,
                planned,
                source=source,
                journal=self.app.adapters.journal(),
                progress=progress,
                cancel=cancel,
            )
        return Replica(made, target.store.url, ways)

    def download(
        self,
        image: str,
        target: str,
        *,
        disk: int | None = None,
        output_format: ImageFormat | None = None,
        sealed: bool = False,
        verify: bool = False,
        force: bool = False,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> tuple[Delivered, ...]:
        """The disk of an image as the file `target`, its SHA-256 in `target`.sha256; of several
        disks, where `disk` (from 1) chooses none, each with its number in the name.

        In the stored format, or `output_format`; opened, or `sealed` as it lies. Raises
        TargetExists without `force`, KeyMissing, DataTampered; nothing stays then.
        """
        from diskwright.ops.library.deliver import DeliverRequest
        from diskwright.ops.library.delivering import download

        request = DeliverRequest(disk, output_format, sealed, verify, force)
        cancel = cancel or NeverCancelled()
        found, tools = self._pieces(image, target, request, cancel)
        return download(
            found, request, tools=tools, progress=progress or NullProgress(), cancel=cancel
        )

    def export(
        self,
        image: str,
        to: str,
        *,
        disk: int | None = None,
        output_format: ImageFormat | None = None,
        sealed: bool = False,
        verify: bool = False,
        force: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> tuple[Delivered, ...]:
        """As `download`, to exactly the object `s3://BUCKET/KEY`, or the file `dir:PATH/FILE`; its
        SHA-256 beside it as KEY.sha256."""
        from diskwright.ops.library.deliver import DeliverRequest
        from diskwright.ops.library.delivering import download, export, rehearse

        request = DeliverRequest(disk, output_format, sealed, verify, force)
        progress, cancel = progress or NullProgress(), cancel or NeverCancelled()
        place, key = _exact(to)
        target = key if place is None else to
        found, tools = self._pieces(image, target, request, cancel)
        if place is None:
            if dry_run:
                return rehearse(found, request, store=None)
            return download(found, request, tools=tools, progress=progress, cancel=cancel)
        sse = self.app.adapters.encryption(self.app.adapters.profile(None))
        store = self.app.adapters.store(place, cancel, sse=sse)
        if dry_run:
            return rehearse(found, request, store=store)
        return export(found, request, store=store, tools=tools, progress=progress, cancel=cancel)

    def _reading(self, entry: Entry, cancel: CancelToken | None) -> RestoreTools:
        from diskwright.ops.stored_file import RestoreTools

        store, wrapper = self.source_of(entry, cancel)
        return RestoreTools(store, wrapper, self.app.adapters.local_tools(cancel))

    def _pieces(
        self, image: str, target: str, request: DeliverRequest, cancel: CancelToken
    ) -> tuple[tuple[Piece, ...], RestoreTools]:
        from diskwright.ops.library.deliver import pieces
        from diskwright.ops.library.place import check_opened, find_entry
        from diskwright.ops.library.source import active_chain

        entry = find_entry(self.synced(cancel, image=image).catalog, image, self.known.url)
        tools = self._reading(entry, cancel)
        self.check_sealed(entry)
        chain = active_chain(tools.store, entry, tools.wrapper, "delivered")
        if not request.sealed:
            check_opened(chain, tools.wrapper)
        return pieces(tools.store, chain, target, request), tools


def _exact(to: str) -> tuple[str | None, str]:
    """A bucket's place and the key in it; of a folder's file None and its path. UsageError."""
    kind, _, rest = to.partition(":")
    name = rest.rpartition("/")[2]
    if kind == "dir" and name:
        return None, rest
    if kind == "s3" and name and rest.startswith("//") and "/" in rest[2:].rstrip("/"):
        return to.rpartition("/")[0], name
    raise UsageError(f"{to}: names no object", "write s3://BUCKET/KEY or dir:PATH/FILE")
