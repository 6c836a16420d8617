"""prepare as methods: one disk, those of a package one after the other, or as a set."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Unpack

from diskwright.app.adapters import given
from diskwright.app.inputs import InputOptions
from diskwright.app.uploads import UploadVerbs
from diskwright.errors import UsageError
from diskwright.model.finding import Accepted
from diskwright.model.image import ImageFormat
from diskwright.model.names import NAME_LIMIT, numbered
from diskwright.model.nulls import NeverCancelled, NullProgress
from diskwright.model.text import printable
from diskwright.ports import CancelToken, Progress

if TYPE_CHECKING:
    from diskwright.model.outcome import Prepared, Validated
    from diskwright.ops.opening import ImageOpener, Source
    from diskwright.ops.prepare import PrepareTools


class PrepareOptions(InputOptions, total=False):
    """`to`, `key` and `profile` are those of the settings where they are not given, `name` is the
    file's. `judged` is told of each disk as soon as it is judged, also where that ends the run.
    """

    to: str | None
    key: str | None
    name: str | None
    profile: str | None
    output_format: ImageFormat | None
    compress: bool | None
    dry_run: bool
    data: bool
    strict: bool
    min_memory: int | None
    accepted: Sequence[Accepted]
    judged: Callable[[Validated], None] | None
    progress: Progress | None
    cancel: CancelToken | None


class PrepareVerbs(UploadVerbs):
    """Methods of `Diskwright`."""

    def prepare(self, path: str, **options: Unpack[PrepareOptions]) -> Prepared:
        """Validate, then convert, digest, seal and upload in one pass; the manifest comes last.

        Without a key the object is ready for import, with one it is sealed. Of a package with
        several disks `disk` says which: raises UsageError.
        """
        tools, opener = self.prepare_tools(options), self.opener(options)
        with opener.source(
            path, input_format=options.get("input_format"), disk=options.get("disk")
        ) as source:
            return self._prepared(path, (source,), tools, options)[0]

    def prepare_each(
        self,
        path: str,
        *,
        as_set: bool = False,
        made: Callable[[Prepared], None] | None = None,
        **options: Unpack[PrepareOptions],
    ) -> tuple[Prepared, ...]:
        """As `prepare`, an image for each disk of a package, one after the other: NAME, NAME-2; or
        `as_set` one image with all of them.

        All are judged before the first is sent. `made` is told of each that is done; an error says
        which were.
        """
        disk = options.get("disk")
        if as_set and disk is not None:
            raise UsageError("a set has every disk of its package", "leave out --disk, or --set")
        tools, opener = self.prepare_tools(options), self.opener(options)
        with opener.disks(path, input_format=options.get("input_format"), disk=disk) as sources:
            return self._prepared(path, sources, tools, options, as_set=as_set, made=made)

    def _prepared(
        self,
        path: str,
        sources: tuple[Source, ...],
        tools: PrepareTools,
        options: PrepareOptions,
        *,
        as_set: bool = False,
        made: Callable[[Prepared], None] | None = None,
    ) -> tuple[Prepared, ...]:
        from diskwright.ops import prepare
        from diskwright.ops.package import checked

        progress = options.get("progress") or NullProgress()
        cancel = options.get("cancel") or NeverCancelled()
        name = given("--name", options.get("name"))
        if as_set or (name and options.get("disk") is not None):
            names: tuple[str, ...] = (name or default_name(path),)
        else:
            first = name or default_name(path)
            names = tuple(numbered(first, source.number) for source in sources)
        request = prepare.PrepareRequest(
            names,
            output_format=options.get("output_format"),
            compress=options.get("compress"),
            data=options.get("data", False),
            strict=options.get("strict", False),
            min_memory=options.get("min_memory"),
            accepted=tuple(options.get("accepted", ())),
        )
        sources = checked(sources, progress=progress, cancel=cancel)
        plans = prepare.plan(
            sources, request, tools=tools, judged=options.get("judged"), cancel=cancel
        )
        if not options.get("dry_run"):
            return prepare.run_all(plans, tools=tools, made=made, progress=progress, cancel=cancel)
        rehearsed = tuple(prepare.rehearsed(one, target=tools.store.url) for one in plans)
        if made is not None:
            for one in rehearsed:
                made(one)
        return rehearsed

    def prepare_tools(self, options: PrepareOptions) -> PrepareTools:
        from diskwright.ops.prepare import PrepareTools

        cancel = options.get("cancel")
        target = self.target(options.get("to"))
        profile = self.adapters.profile(options.get("profile"))
        return PrepareTools(
            exporter=self.adapters.exporter(cancel),
            inspector=self.adapters.inspector(cancel),
            database=self.adapters.database(),
            store=self.adapters.store(target, cancel, sse=self.adapters.encryption(profile)),
            journal=self.adapters.journal(),
            wrapper=self.adapters.wrapper(options.get("key")),
            profile=profile,
            versions=self.adapters.versions(),
            threads=self.adapters.threads(),
            now=time.time,
            entropy=os.urandom,
        )

    def opener(self, options: PrepareOptions) -> ImageOpener:
        return self.adapters.opener(
            options, progress=options.get("progress"), cancel=options.get("cancel")
        )


def default_name(path: str) -> str:
    """The file's name without the ending that tells its format, fit to be an image's name."""
    from diskwright.formats.packed.container import name_inside

    name = printable(os.path.basename(name_inside(path)))
    stem, ending = os.path.splitext(name)
    known = {f".{f.value}" for f in ImageFormat} | {".img"}
    chosen = stem if ending.lower() in known and stem else name
    return chosen[:NAME_LIMIT] or "image"
