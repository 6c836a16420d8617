"""prepare: from a disk image file to an object that is ready for import, or sealed, in one pass.

plan() looks, judges and lays out; nothing is written. run() reads, compresses, digests, seals and
uploads in one forward pass with nothing staged; the manifest comes last and makes the image exist.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from unicodedata import category

from diskwright.blockio.view import CancelView, DigestView, ProgressView
from diskwright.errors import ObjectTooLarge, UsageError, ValidationFailed
from diskwright.model.finding import Accepted
from diskwright.model.image import ImageFormat
from diskwright.model.manifest import encode_body
from diskwright.model.names import NAME_LIMIT, uuid7
from diskwright.model.outcome import Prepared, Validated
from diskwright.model.profile import Profile
from diskwright.model.stored import StoredObject
from diskwright.model.text import printable
from diskwright.model.units import format_size
from diskwright.ops.inspect import minimum_of, verdict_of
from diskwright.ops.opening import Source, reading
from diskwright.ops.prepared import PreparePlan, body_of, journal_notes, manifest_of, outcome_of
from diskwright.ops.sealing import Seal
from diskwright.ops.upload import StoreDestination, check_reachable, sweep_dead_runs
from diskwright.ports import (
    BlockExporter,
    BlockReader,
    CancelToken,
    FormatWriter,
    GuestInspector,
    KeyWrapper,
    ObjectStore,
    OsDatabase,
    Progress,
    UploadJournal,
)
from diskwright.rules import import_attributes
from diskwright.writers import COMPRESSING, FORWARD, writer_for
from diskwright.writers.subformats import check_size


@dataclass(frozen=True, slots=True)
class PrepareTools:
    """The outside world, as `app` hands it over. `wrapper` None: the object is import-ready."""

    exporter: BlockExporter
    inspector: GuestInspector
    database: OsDatabase
    store: ObjectStore
    journal: UploadJournal
    wrapper: KeyWrapper | None
    profile: Profile
    versions: dict[str, str]
    threads: int
    now: Callable[[], float]
    entropy: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class PrepareRequest:
    name: str
    output_format: ImageFormat | None = None  # None: the profile's preferred one
    compress: bool | None = None  # None: as the profile prefers
    data: bool = False
    strict: bool = False
    min_memory: int | None = None
    accepted: tuple[Accepted, ...] = ()


def plan(
    source: Source,
    request: PrepareRequest,
    *,
    tools: PrepareTools,
    judged: Callable[[Validated], None] | None = None,
    cancel: CancelToken,
) -> PreparePlan:
    """Raises ValidationFailed where findings stand against the import: nothing is copied then.

    `judged` is told facts and findings as soon as they are known, also when they stand against it.
    """
    _check_name(request.name)
    image_format, compress = _output(request, tools.profile)
    check_size(image_format, source.facts.virtual_size)
    cancel.check()
    guest = tools.inspector.inspect(source.disk)
    verdict = verdict_of(
        source,
        guest,
        profile=tools.profile,
        database=tools.database,
        data=request.data,
        min_memory=request.min_memory,
        accepted=request.accepted,
    )
    if judged is not None:
        judged(Validated(source.path, source.facts, guest, verdict))
    against = verdict.standing(strict=request.strict)
    if against:
        raise ValidationFailed(source.path, len(against))
    image = uuid7(int(tools.now() * 1000), tools.entropy(10))
    check_reachable(tools.store, image)
    with reading(source, tools.exporter) as reader:
        layout = _writer(source, image_format, compress, tools.threads).plan(
            CancelView(reader, cancel).extents(0, reader.size)
        )
    planned = PreparePlan(
        source=source,
        guest=guest,
        verdict=verdict,
        attributes=import_attributes(
            request.name,
            source.facts,
            guest,
            tools.profile,
            data=request.data,
            min_memory=request.min_memory,
            minimum=minimum_of(guest, tools.database),
        ),
        image=image,
        name=request.name,
        format=image_format,
        compress=compress,
        layout=layout,
        seal=_seal(tools, image_format, source),
    )
    # what a manifest can't say has to be known before the first byte is sent
    encode_body(body_of(planned, "", 0, tools.versions))
    return planned


def run(
    planned: PreparePlan, *, tools: PrepareTools, progress: Progress, cancel: CancelToken
) -> Prepared:
    """Whole or absent: leaving by any other way than the end leaves nothing behind."""
    source = planned.source
    sweep_dead_runs(tools.store, tools.journal)
    destination = StoreDestination(
        tools.store,
        tools.journal,
        image_id=planned.image,
        notes=journal_notes(planned, tools.versions),
        cancel=cancel,
    )
    with reading(source, tools.exporter) as reader, destination:
        digest, stored, plain_size = _send(planned, reader, destination, tools, progress, cancel)
        source.unchanged()
        manifest = manifest_of(planned, digest, stored, plain_size, tools.versions, tools.now())
        destination.commit(manifest)
    return outcome_of(planned, tools.store.url, stored, digest, dry_run=False)


def rehearsed(planned: PreparePlan, *, target: str) -> Prepared:
    """What run() would make, with the sizes as upper bounds: `--dry-run`."""
    layout = planned.stored_layout
    nothing = StoredObject(planned.key, layout.size_limit, layout.part_size, (), "")
    return outcome_of(planned, target, nothing, "", dry_run=True)


def object_limit(planned: PreparePlan, profile: Profile) -> int:
    """Bytes that the object may have: an import-ready one has to pass the service's own limit."""
    waived = {entry.id for entry in planned.verdict.accepted}
    if planned.seal is not None or "image.object-size" in waived:
        return planned.stored_layout.size_limit
    return min(planned.stored_layout.size_limit, profile.object_maximum)


def _check_name(name: str) -> None:
    """1 to 128 characters, none of them a control character or half a pair."""
    if not 1 <= len(name) <= NAME_LIMIT or any(category(char) in {"Cc", "Cs"} for char in name):
        raise UsageError(
            f"--name {printable(name[: NAME_LIMIT + 1])}: not a name",
            f"give 1 to {NAME_LIMIT} characters, without control characters",
        )


def _output(request: PrepareRequest, profile: Profile) -> tuple[ImageFormat, bool]:
    image_format = request.output_format or ImageFormat(profile.preferred_format)
    if image_format not in FORWARD:
        raise UsageError(
            f"prepare can't write {image_format.value} in one pass",
            f"use {' or '.join(sorted(f'-O {f.value}' for f in FORWARD))}, or convert first",
        )
    compress = profile.compressed if request.compress is None else request.compress
    if request.compress is None and image_format not in COMPRESSING:
        compress = False
    return image_format, compress


def _writer(
    source: Source, image_format: ImageFormat, compress: bool, threads: int
) -> FormatWriter:
    return writer_for(
        image_format,
        virtual_size=source.facts.virtual_size,
        compressed=compress,
        threads=threads,
    )


def _seal(tools: PrepareTools, image_format: ImageFormat, source: Source) -> Seal | None:
    if tools.wrapper is None:
        return None
    return Seal.new(
        tools.wrapper,
        image_format=image_format,
        virtual_size=source.facts.virtual_size,
        entropy=tools.entropy,
    )


def _send(
    planned: PreparePlan,
    reader: BlockReader,
    destination: StoreDestination,
    tools: PrepareTools,
    progress: Progress,
    cancel: CancelToken,
) -> tuple[str, StoredObject, int]:
    """The forward pass: dw1, the object as stored, and the size of the plain object."""
    view = DigestView(ProgressView(CancelView(reader, cancel), progress))
    writer = _writer(planned.source, planned.format, planned.compress, tools.threads)
    writer.plan(view.extents(0, view.size))
    progress.phase("prepare", planned.layout.data_bytes)
    sink = destination.sink(planned.key, planned.stored_layout)
    limit = object_limit(planned, tools.profile)
    with closing(writer.chunks(view)) as plain:
        chunks = plain if planned.seal is None else planned.seal.chunks(plain, tools.threads)
        with closing(chunks):
            for chunk in chunks:
                cancel.check()
                if chunk.offset + len(chunk.data) > limit:
                    raise ObjectTooLarge(planned.source.path, format_size(limit))
                sink.write(chunk)
    stored = sink.finish()
    plain_size = stored.size if planned.seal is None else planned.seal.plain_size(stored.size)
    return view.hexdigest(), stored, plain_size
