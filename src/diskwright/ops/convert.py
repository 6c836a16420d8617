"""convert: one image file to another, in one pass where we write the format ourselves."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace

from diskwright.blockio.copy import bytes_to_read
from diskwright.blockio.digest import digest_reader
from diskwright.blockio.view import CancelView, DigestView, ProgressView
from diskwright.errors import ToolFailed, UsageError
from diskwright.formats.identity import take_identity
from diskwright.model.image import DiskFile, ImageFormat
from diskwright.model.outcome import Converted
from diskwright.ops.opening import Source, look, reading
from diskwright.ports import (
    BlockExporter,
    ByteSink,
    CancelToken,
    ImageConverter,
    Progress,
    StagedFile,
)
from diskwright.writers import FORWARD, writer_for


@dataclass(frozen=True, slots=True)
class LocalTools:
    """What a verb that makes local files works with, as `app` hands it over."""

    exporter: BlockExporter
    converter: ImageConverter
    file_sink: Callable[[str, bool], ByteSink]  # path, force
    staged: Callable[[str, bool], AbstractContextManager[StagedFile]]  # path, force
    threads: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to make of a disk."""

    format: ImageFormat
    compress: bool = False
    verify: bool = False
    force: bool = False


def convert(
    source: Source,
    target: str,
    wanted: Wanted,
    *,
    tools: LocalTools,
    progress: Progress,
    cancel: CancelToken,
) -> Converted:
    """`target` appears whole under its name, or not at all; with `verify` once it was read back."""
    if wanted.compress and wanted.format is not ImageFormat.QCOW2:
        raise UsageError(
            f"{wanted.format.value} can't be compressed", "only qcow2 can: leave out --compress"
        )
    target = os.path.abspath(target)
    _check_not_source(source, target)
    native = wanted.format in FORWARD
    if native and not wanted.verify:
        digest = _write(source, target, wanted, tools, progress, cancel)
    else:
        with tools.staged(target, wanted.force) as staged:
            if native:
                ours = replace(wanted, force=True)  # the temporary name is ours already
                digest = _write(source, staged.path, ours, tools, progress, cancel)
            else:
                digest = ""
                tools.converter.convert(
                    source.disk,
                    staged.path,
                    wanted.format,
                    compress=wanted.compress,
                    progress=progress,
                    cancel=cancel,
                )
            if wanted.verify:
                digest = _verify(source, staged.path, wanted, digest, tools, progress, cancel)
            source.unchanged()
            _check_not_source(source, target)
            staged.commit()
    return Converted(
        source=source.path,
        target=target,
        format=wanted.format.value,
        compressed=wanted.compress,
        virtual_size=source.facts.virtual_size,
        stored_size=os.stat(target).st_size,
        digest=digest,
        verified=wanted.verify,
    )


def _check_not_source(source: Source, target: str) -> None:
    """Raises UsageError where `target` is a file of the source, also by a link: it stays."""
    try:
        status = os.stat(target)
    except OSError:
        return  # what is not there, or can't be reached, is not the source
    files = (source.origin, *source.disk.files())
    if (status.st_dev, status.st_ino) in {(one.device, one.inode) for one in files}:
        raise UsageError(f"{target}: is the image to convert", "name another file")


def _write(
    source: Source,
    target: str,
    wanted: Wanted,
    tools: LocalTools,
    progress: Progress,
    cancel: CancelToken,
) -> str:
    """One forward pass into `target`; the digest dw1 of what was read."""
    writer = writer_for(
        wanted.format,
        virtual_size=source.facts.virtual_size,
        compressed=wanted.compress,
        threads=tools.threads,
    )
    sink = tools.file_sink(target, wanted.force)
    try:
        with reading(source, tools.exporter) as reader:
            view = DigestView(ProgressView(CancelView(reader, cancel), progress))
            layout = writer.plan(view.extents(0, view.size))
            progress.phase("convert", layout.data_bytes)
            with closing(writer.chunks(view)) as chunks:
                for chunk in chunks:
                    cancel.check()
                    sink.write(chunk)
            digest = view.hexdigest()
        source.unchanged()
        _check_not_source(source, target)
        sink.finish()
    except BaseException:
        sink.abort()
        raise
    return digest


def _verify(
    source: Source,
    made: str,
    wanted: Wanted,
    digest: str,
    tools: LocalTools,
    progress: Progress,
    cancel: CancelToken,
) -> str:
    """Read `made` back as what it should be and compare it with the source; the digest dw1."""
    if not digest:
        digest = digest_of(source, tools, progress, cancel, "read source")
    if wanted.format in FORWARD:
        copy = look(made, input_format=wanted.format)
    else:  # made by qemu-img from a disk of this size: nothing in it has to be detected
        identity = take_identity(made)
        facts = replace(source.facts, format=wanted.format)
        copy = Source(identity, DiskFile(identity, wanted.format), facts)
    found = digest_of(copy, tools, progress, cancel, "verify")
    if found != digest:
        raise ToolFailed("verification", f"what was written reads back as {found}, not {digest}")
    return digest


def digest_of(
    source: Source, tools: LocalTools, progress: Progress, cancel: CancelToken, phase: str
) -> str:
    """dw1 of a whole disk."""
    with reading(source, tools.exporter) as reader:
        watched = ProgressView(CancelView(reader, cancel), progress)
        progress.phase(phase, bytes_to_read(reader.extents(0, reader.size), reader.size))
        return digest_reader(watched, threads=tools.threads)
