"""prepare: from disks to objects that are ready for import, or sealed, in one pass each.

plan() looks, judges and lays out; nothing is written. run() reads, compresses, digests, seals and
uploads in one forward pass with nothing staged; the manifest comes last and makes the image exist.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext

from diskwright.blockio.view import CancelView, DigestView, ProgressView
from diskwright.errors import Cancelled, DiskwrightError, ObjectTooLarge, UsageError
from diskwright.model.image import ImageFormat
from diskwright.model.limits import check_name
from diskwright.model.manifest import encode_body
from diskwright.model.names import numbered, plain_key, sealed_key, uuid7
from diskwright.model.outcome import Prepared, Validated
from diskwright.model.profile import Profile
from diskwright.model.units import format_size
from diskwright.ops.judging import DeltaBase, JudgedDisk, PrepareRequest, PrepareTools, judge_all
from diskwright.ops.opening import Source, reading
from diskwright.ops.prepared import (
    DiskPlan,
    PreparePlan,
    SentDisk,
    body_of,
    journal_notes,
    manifest_of,
    not_sent,
    object_limit,
    outcome_of,
)
from diskwright.ops.sealing import Seal
from diskwright.ops.upload import StoreDestination, check_reachable, sweep_dead_runs
from diskwright.ops.validate import minimum_of
from diskwright.ports import BlockReader, CancelToken, FormatWriter, Progress
from diskwright.rules import import_attributes
from diskwright.writers import COMPRESSING, FORWARD, is_forward, writer_for
from diskwright.writers.qcow2_delta import Qcow2DeltaWriter
from diskwright.writers.subformats import check_size

__all__ = ["PrepareRequest", "PrepareTools", "plan", "rehearsed", "run", "run_all"]


def plan(
    sources: Sequence[Source],
    request: PrepareRequest,
    *,
    tools: PrepareTools,
    judged: Callable[[Validated], None] | None = None,
    cancel: CancelToken,
) -> tuple[PreparePlan, ...]:
    """One image with all the disks where `request` has one name, else an image for each.

    Every disk is judged before any is sent. `judged` is told facts and findings as soon as they are
    known, also when they stand against it. Raises ValidationFailed where findings of any disk stand
    against the import.
    """
    for name in request.names:
        check_name(name)
    image_format, compress = _output(request, tools.profile, sealed=tools.wrapper is not None)
    for source in sources:
        check_size(image_format, source.facts.virtual_size)
    found = judge_all(sources, request, tools=tools, judged=judged, cancel=cancel)
    groups = [found] if len(request.names) == 1 else [(one,) for one in found]
    return tuple(
        _plan_image(name, group, request, image_format, compress, tools, cancel)
        for name, group in zip(request.names, groups, strict=True)
    )


def _plan_image(
    name: str,
    disks: Sequence[JudgedDisk],
    request: PrepareRequest,
    image_format: ImageFormat,
    compress: bool,
    tools: PrepareTools,
    cancel: CancelToken,
) -> PreparePlan:
    image = uuid7(int(tools.now() * 1000), tools.entropy(10))
    check_reachable(tools.store, image)
    seal = None
    if tools.wrapper is not None:
        shapes = [(image_format, one.source.facts.virtual_size) for one in disks]
        seal = Seal.new(tools.wrapper, disks=shapes, entropy=tools.entropy)
    plans = []
    for index, one in enumerate(disks):
        source = one.source
        base = request.bases[index] if index < len(request.bases) else None
        with reading(source, tools.exporter) as reader:
            writer = _writer(source, image_format, compress, tools.threads, base)
            layout = writer.plan(CancelView(reader, cancel).extents(0, reader.size))
        attributes = import_attributes(
            numbered(name, index + 1),
            source.facts,
            one.guest,
            tools.profile,
            data=one.data,
            min_memory=request.min_memory,
            minimum=minimum_of(one.guest, tools.database),
        )
        plain = plain_key(image, name, index, image_format.value)
        plans.append(
            DiskPlan(
                source=source,
                guest=one.guest,
                verdict=one.verdict,
                attributes=attributes,
                key=plain if seal is None else sealed_key(image, index),
                format=image_format,
                compress=compress,
                layout=layout,
                seal=None if seal is None else seal.disks[index],
                base=base,
            )
        )
    planned = PreparePlan(image, name, tuple(plans), seal, request.entry)
    # what a manifest can't say has to be known before the first byte is sent
    encode_body(body_of(planned, [not_sent(disk) for disk in plans], tools.versions))
    return planned


def run(
    planned: PreparePlan,
    *,
    tools: PrepareTools,
    progress: Progress,
    cancel: CancelToken,
    around: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Prepared:
    """Whole or absent: leaving by any other way than the end leaves nothing behind.

    The manifest is put inside `around`, which is entered when all is sent; what it raises ends it.
    """
    sweep_dead_runs(tools.store, tools.journal)
    destination = StoreDestination(
        tools.store,
        tools.journal,
        image_id=planned.image,
        notes=journal_notes(planned, tools.versions),
        cancel=cancel,
    )
    with destination:
        sent = []
        for disk in planned.disks:
            with reading(disk.source, tools.exporter) as reader:
                sent.append(_send(disk, reader, destination, tools, progress, cancel))
        for disk in planned.disks:
            disk.source.unchanged()
        with around():
            destination.commit(manifest_of(planned, sent, tools.versions, tools.now()))
    return outcome_of(planned, tools.store.url, sent, dry_run=False)


def run_all(
    plans: Sequence[PreparePlan],
    *,
    tools: PrepareTools,
    made: Callable[[Prepared], None] | None = None,
    progress: Progress,
    cancel: CancelToken,
) -> tuple[Prepared, ...]:
    """One image after the other; `made` is told of each. What is raised says which were done."""
    done: list[Prepared] = []
    for planned in plans:
        try:
            done.append(run(planned, tools=tools, progress=progress, cancel=cancel))
        except DiskwrightError as error:
            names = ", ".join(f"{one.name} ({one.image})" for one in done)
            if isinstance(error, Cancelled) and names:
                error.left = f"{error.left}, but what was done before: {names}"
            elif names:
                error.add_note(f"done before: {names}")
            raise
        if made is not None:
            made(done[-1])
    return tuple(done)


def rehearsed(planned: PreparePlan, *, target: str) -> Prepared:
    """What run() would make, with the sizes as upper bounds: `--dry-run`."""
    return outcome_of(planned, target, [not_sent(disk) for disk in planned.disks], dry_run=True)


def _is_taken(image_format: ImageFormat, profile: Profile) -> bool:
    """As `prepare` writes it: in one forward pass."""
    parts = (entry.partition("/") for entry in profile.accepted_formats)
    return any(
        name == image_format.value and (not own or is_forward(image_format, own))
        for name, _, own in parts
    )


def _output(request: PrepareRequest, profile: Profile, *, sealed: bool) -> tuple[ImageFormat, bool]:
    image_format = request.output_format or ImageFormat(profile.preferred_format)
    if image_format not in FORWARD:
        raise UsageError(
            f"prepare can't write {image_format.value} in one pass",
            f"use {' or '.join(sorted(f'-O {f.value}' for f in FORWARD))}, or convert first",
        )
    if not _is_taken(image_format, profile) and not sealed:
        raise UsageError(
            f"{profile.name} takes no {image_format.value}",
            f"it takes {', '.join(profile.accepted_formats)}: leave -O out",
        )
    compress = profile.compressed if request.compress is None else request.compress
    if request.compress is None and image_format not in COMPRESSING:
        compress = False
    if request.bases and image_format is not ImageFormat.QCOW2:
        raise UsageError(
            f"no {image_format.value} holds what differs from another image", "use -O qcow2"
        )
    return image_format, compress


def _writer(
    source: Source,
    image_format: ImageFormat,
    compress: bool,
    threads: int,
    base: DeltaBase | None,
) -> FormatWriter:
    if base is not None:
        return Qcow2DeltaWriter(
            base=base.reader,
            virtual_size=source.facts.virtual_size,
            compressed=compress,
            threads=threads,
        )
    return writer_for(
        image_format,
        virtual_size=source.facts.virtual_size,
        compressed=compress,
        threads=threads,
    )


def _send(
    disk: DiskPlan,
    reader: BlockReader,
    destination: StoreDestination,
    tools: PrepareTools,
    progress: Progress,
    cancel: CancelToken,
) -> SentDisk:
    """The forward pass."""
    view = DigestView(ProgressView(CancelView(reader, cancel), progress))
    writer = _writer(disk.source, disk.format, disk.compress, tools.threads, disk.base)
    writer.plan(view.extents(0, view.size))
    progress.phase("prepare", disk.layout.data_bytes)
    sink = destination.sink(disk.key, disk.stored_layout)
    limit = object_limit(disk, tools.profile)
    with closing(writer.chunks(view)) as plain:
        chunks = plain if disk.seal is None else disk.seal.chunks(plain, tools.threads)
        with closing(chunks):
            for chunk in chunks:
                cancel.check()
                if chunk.offset + len(chunk.data) > limit:
                    raise ObjectTooLarge(disk.source.disk.name, format_size(limit))
                sink.write(chunk)
    stored = sink.finish()
    plain_size = stored.size if disk.seal is None else disk.seal.plain_size(stored.size)
    return SentDisk(view.hexdigest(), stored, plain_size)
