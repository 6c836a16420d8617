"""create, list, show, history, set, tag, sync: methods of `Library`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Unpack

from diskwright._values import replace
from diskwright.app.adapters import given
from diskwright.app.library.opening import OpenLibrary
from diskwright.app.prepare import PrepareOptions, default_name
from diskwright.errors import CatalogDamaged, UsageError
from diskwright.model.creation import CreateRequest
from diskwright.model.library import (
    Change,
    Changed,
    Entry,
    ImageKind,
    Listed,
    Query,
    Status,
    Synced,
)
from diskwright.model.nulls import NeverCancelled, NullProgress
from diskwright.model.outcome import Prepared
from diskwright.model.record import Attributes, Wishes
from diskwright.ports import CancelToken
from diskwright.ports_library import Catalog

if TYPE_CHECKING:
    from diskwright.ops.library.place import Place
    from diskwright.ops.opening import ImageOpener, Source


class ImageVerbs(OpenLibrary):
    """Methods of `Library`."""

    def list(
        self, query: Query | None = None, *, sync: bool = True, cancel: CancelToken | None = None
    ) -> Iterator[Entry]:
        """The images that `query` asks for. Without `sync` as the catalog was left: neither store
        nor key is asked."""
        yield from self._index(cancel, sync=sync).query(query or Query())

    def listed(
        self, query: Query | None = None, *, sync: bool = True, cancel: CancelToken | None = None
    ) -> Iterator[Listed]:
        """The same, of each what a list for a spreadsheet says by itself."""
        yield from self._index(cancel, sync=sync).listed(query or Query())

    def show(self, image: str, *, sync: bool = True, cancel: CancelToken | None = None) -> Entry:
        """By id, unique prefix of one, or name, also of one in the trash. Raises ImageNotFound,
        ImageAmbiguous."""
        from diskwright.ops.library.trash import find_anywhere

        return find_anywhere(self._index(cancel, image, sync=sync), image, self.known.url)

    def name_of(self, image_id: str) -> str | None:
        """As the catalog was left; None where it is not known."""
        entry = self.catalog().entry(image_id)
        return None if entry is None else entry.name

    def history(
        self, image: str, *, sync: bool = True, cancel: CancelToken | None = None
    ) -> tuple[Change, ...]:
        """Every change, oldest first."""
        from diskwright.ops.library.trash import find_anywhere

        catalog = self._index(cancel, image, sync=sync)
        return catalog.history(find_anywhere(catalog, image, self.known.url).id)

    def sync(self, *, cancel: CancelToken | None = None) -> Synced:
        """Read all that the library lists, and what others changed."""
        from diskwright.ops.library.sync import sync

        place = self.place(cancel)
        return self._told(place, sync(place, whole=True), cancel)

    def rebuild(self, *, cancel: CancelToken | None = None) -> Synced:
        """The catalog thrown away, damaged or not, and made anew; but for runs that go on here
        nothing is lost."""
        try:
            return self._rebuilt(cancel)
        except CatalogDamaged:
            self.discard_catalog()
        return self._rebuilt(cancel)

    def _rebuilt(self, cancel: CancelToken | None) -> Synced:
        from diskwright.ops.library.lost import rebuild

        place = self.place(cancel)
        return self._told(place, rebuild(place), cancel)

    def _told(self, place: Place, synced: Synced, cancel: CancelToken | None) -> Synced:
        """With what others offer, and what was found damaged before and is so still."""
        from diskwright.ops.library.faults import told_of

        found = self._with_received(place, synced, cancel, whole=True)
        damaged = dict.fromkeys((*found.damaged, *told_of(place.catalog)))
        return replace(found, damaged=tuple(damaged))

    def _index(
        self, cancel: CancelToken | None, image: str | None = None, *, sync: bool
    ) -> Catalog:
        return self.synced(cancel, image=image).catalog if sync else self.catalog()

    def set(
        self,
        image: str,
        *,
        allow_duplicate: bool = False,
        dry_run: bool = False,
        cancel: CancelToken | None = None,
        **wishes: Unpack[Wishes],
    ) -> Changed:
        """The image after the change of what is given; sizes in MiB, a maximum of 0 is no limit.

        Raises UsageError for what the console would not take or the guest does not bear,
        ChangedMeanwhile, NameTaken.
        """
        from diskwright.ops.library import modify

        place = self.synced(cancel, image=image)
        asked = Attributes(place.who, **wishes)
        plan = modify.plan_set(place, image, asked, allow_duplicate=allow_duplicate)
        return modify.made(place, plan, dry_run=dry_run)

    def tag(
        self,
        image: str,
        put: Mapping[str, str],
        *,
        removed: Sequence[str] = (),
        dry_run: bool = False,
        cancel: CancelToken | None = None,
    ) -> Changed:
        """As `set`, for tags: `put` by name, `removed` by name."""
        from diskwright.ops.library import modify

        place = self.synced(cancel, image=image)
        plan = modify.plan_tags(place, image, put=put, removed=removed)
        return modify.made(place, plan, dry_run=dry_run)

    def report_html(
        self, path: str, *, force: bool = False, cancel: CancelToken | None = None
    ) -> int:
        """A page of all images, those in the trash too; how many. The file is whole or not there.

        Raises TargetExists without `force`, OutputError.
        """
        from diskwright.report.library_html import library_html

        with self.app.report_files([path], images=(), force=force) as files:
            place = self.synced(cancel)
            entries = tuple(place.catalog.query(Query(statuses=tuple(Status))))
            name = self.known.name or self.known.url
            files.write(path, library_html(name, entries, place.time()).encode())
        return len(entries)

    def create(
        self,
        paths: Sequence[str],
        *,
        request: CreateRequest | None = None,
        base: str | None = None,
        **options: Unpack[PrepareOptions],
    ) -> tuple[Entry | None, Prepared]:
        """Of one file; of several, or all disks of a package, with the kind FULL, in order.

        Only what differs from the image `base` is stored, where one is named. The entry is None
        with `dry_run`. `options` as of `prepare`, but for `to`, `name` and
        `data`. Raises what `prepare` raises, NameTaken, ChangedMeanwhile.
        """
        from diskwright.ops import prepare
        from diskwright.ops.library import create
        from diskwright.ops.library.basing import open_bases
        from diskwright.ops.package import checked
        from diskwright.ops.stored_file import RestoreTools

        cancel = options.get("cancel") or NeverCancelled()
        progress = options.get("progress") or NullProgress()
        request = request or CreateRequest(default_name(paths[0]))
        profile = self.app.adapters.profile(options.get("profile"))
        place = self.synced_alone(cancel, sse=self.app.adapters.encryption(profile))
        prepared = prepare.PrepareRequest(
            (request.name,),
            output_format=options.get("output_format"),
            compress=options.get("compress"),
            strict=options.get("strict", False),
            min_memory=options.get("min_memory"),
            accepted=tuple(options.get("accepted", ())),
        )
        tools = replace(
            self.app.prepare_tools({**options, "to": self.known.url}),
            store=place.store,
            wrapper=place.wrapper,
        )
        with ExitStack() as stack:
            opener = self.app.opener(options)
            sources = _sources(opener, paths, request.kind, options, stack)
            sources = checked(sources, progress=progress, cancel=cancel)
            if base := given("--base", base):
                reading = RestoreTools(
                    place.store, place.wrapper, self.app.adapters.local_tools(cancel)
                )
                bases = open_bases(place, base, tools=reading, progress=progress, cancel=cancel)
                prepared = replace(prepared, bases=stack.enter_context(bases))
            planned = create.plan(
                place,
                sources,
                request,
                prepared,
                tools=tools,
                judged=options.get("judged"),
                cancel=cancel,
            )
            if options.get("dry_run"):
                return None, prepare.rehearsed(planned, target=place.store.url)
            return create.run(
                place,
                planned,
                allow_duplicate=request.allow_duplicate,
                tools=tools,
                progress=progress,
                cancel=cancel,
            )


def _sources(
    opener: ImageOpener,
    paths: Sequence[str],
    kind: ImageKind,
    options: PrepareOptions,
    stack: ExitStack,
) -> tuple[Source, ...]:
    """A full server's first disk is its system's, the others hold data."""
    found: list[Source] = []
    wish = options.get("input_format")
    for path in paths:
        if kind is ImageKind.FULL and len(paths) == 1:
            found += stack.enter_context(opener.disks(path, input_format=wish))
        else:
            disk = options.get("disk")
            found.append(stack.enter_context(opener.source(path, input_format=wish, disk=disk)))
    if kind is ImageKind.FULL and len(paths) > 1:
        found = [replace(one, number=number) for number, one in enumerate(found, 1)]
    if kind is not ImageKind.FULL and len(found) != 1:
        raise UsageError(f"{len(found)} disks", "several disks are a full-server image: --full")
    return tuple(found)
