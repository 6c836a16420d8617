"""convert: one image file to another, in one pass where we write the format ourselves."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, closing

from diskwright._values import Struct, replace
from diskwright.blockio.copy import bytes_to_read
from diskwright.blockio.digest import digest_reader
from diskwright.blockio.view import CancelView, DigestView, LongerView, ProgressView
from diskwright.errors import ToolFailed, UsageError
from diskwright.model.image import ImageFormat
from diskwright.model.outcome import Converted
from diskwright.model.profile import Profile
from diskwright.model.units import SECTOR, round_up
from diskwright.ops.opening import Source, look, reading
from diskwright.ops.package import checked
from diskwright.ports import (
    BlockExporter,
    BlockReader,
    ByteSink,
    CancelToken,
    ImageConverter,
    ObjectStore,
    Progress,
    StagedFile,
)
from diskwright.writers import COMPRESSING, is_forward, writer_for
from diskwright.writers.subformats import check_size, subformat_of

_GPT = b"EFI PART"


class LocalTools(Struct, frozen=True):
    """What a verb that makes local files works with, as `app` hands it over."""

    exporter: BlockExporter
    converter: ImageConverter
    file_sink: Callable[[str, bool], ByteSink]  # path, force
    staged: Callable[[str, bool], AbstractContextManager[StagedFile]]  # path, force
    threads: int
    scratch: Callable[[], AbstractContextManager[str]]  # a folder of our own, gone afterwards
    path_of: Callable[[ObjectStore, str], str | None]  # the file of a folder's object


class Wanted(Struct, frozen=True):
    """What to make of a disk. `subformat` None: the format's first one in `SUBFORMATS`.

    The disk grows to the next multiple of `size_multiple` bytes, by zeros at its end.
    """

    format: ImageFormat
    subformat: str | None = None
    compress: bool = False
    verify: bool = False
    force: bool = False
    size_multiple: int = SECTOR

    @classmethod
    def under(
        cls,
        profile: Profile | None,
        *,
        image_format: ImageFormat | None,
        subformat: str | None,
        size_multiple: int | None,
        compress: bool | None,
        verify: bool,
        force: bool,
    ) -> Wanted:
        """What was asked for; what was not (None) as the profile prefers it, without one qcow2.

        A format that is not the preferred one is made as by itself, but in the profile's units.
        """
        if profile is None:
            made, preferred = image_format or ImageFormat.QCOW2, False
        else:
            own = ImageFormat(profile.preferred_format)
            made, preferred = image_format or own, image_format in (None, own)
            size_multiple = profile.size_multiple if size_multiple is None else size_multiple
        if profile is not None and preferred:
            subformat = subformat if subformat is not None else profile.preferred_subformat or None
            compress = profile.compressed if compress is None else compress
        return cls(
            made,
            subformat=subformat,
            compress=bool(compress),
            verify=verify,
            force=force,
            size_multiple=SECTOR if size_multiple is None else size_multiple,
        )


class _Plan(Struct, frozen=True):
    """What is made of which disk, once it is known to be possible."""

    source: Source
    format: ImageFormat
    subformat: str
    compress: bool
    virtual_size: int

    @property
    def native(self) -> bool:
        return is_forward(self.format, self.subformat)

    @property
    def longer(self) -> bool:
        return self.virtual_size != self.source.facts.virtual_size


class _Written(Struct, frozen=True):
    """Digests dw1 of what was written and of what was read."""

    digest: str = ""
    source_digest: str = ""
    gpt: bool = False


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
    plan = _planned(source, wanted)
    target = os.path.abspath(target)
    (source,) = checked((source,), progress=progress, cancel=cancel)
    _check_not_source(source, target)
    if plan.native and not wanted.verify:
        written = _write(plan, target, target, wanted.force, tools, progress, cancel)
    else:
        with tools.staged(target, wanted.force) as staged:
            if plan.native:  # the temporary name is ours already
                written = _write(plan, staged.path, target, True, tools, progress, cancel)
            else:
                written = _Written()
                tools.converter.convert(
                    source.disk,
                    staged.path,
                    plan.format,
                    subformat=plan.subformat,
                    compress=plan.compress,
                    progress=progress,
                    cancel=cancel,
                )
            if wanted.verify:
                digest = written.digest or digest_of(source, tools, progress, cancel, "read source")
                _verify(plan, staged.path, digest, tools, progress, cancel)
                written = replace(written, digest=digest)
            source.unchanged()
            _check_not_source(source, target)
            staged.commit()
    return Converted(
        source=source.path,
        target=target,
        format=plan.format.value,
        compressed=plan.compress,
        virtual_size=plan.virtual_size,
        stored_size=os.stat(target).st_size,
        digest=written.digest,
        verified=wanted.verify,
        subformat=plan.subformat,
        rounded_from=source.facts.virtual_size if plan.longer else None,
        source_digest=written.source_digest if plan.longer else "",
        gpt_backup_inside=written.gpt and plan.longer,
        package_verified=source.package_verified,
    )


def _only_qcow2(wanted: ImageFormat) -> str:
    if wanted is ImageFormat.VMDK:
        return "leave it out: only qcow2 takes it, and a streamOptimized vmdk is always compressed"
    return "leave it out: only qcow2 takes it"


def _planned(source: Source, wanted: Wanted) -> _Plan:
    """Raises UsageError for what a format has not, or can't hold, before anything is written."""
    if wanted.compress and wanted.format not in COMPRESSING:
        raise UsageError(f"{wanted.format.value} takes no --compress", _only_qcow2(wanted.format))
    if wanted.size_multiple < SECTOR or wanted.size_multiple % SECTOR:
        raise UsageError(
            f"a disk's size is no multiple of {wanted.size_multiple} bytes",
            f"give a multiple of {SECTOR}, as --size-multiple 1MiB",
        )
    plan = _Plan(
        source=source,
        format=wanted.format,
        subformat=subformat_of(wanted.format, wanted.subformat),
        compress=wanted.compress,
        virtual_size=round_up(source.facts.virtual_size, wanted.size_multiple),
    )
    check_size(plan.format, plan.virtual_size)
    if plan.longer and not plan.native:
        raise UsageError(
            f"{plan.subformat} {plan.format.value}".strip()
            + " is written by qemu-img: no rounding",
            "--size-multiple needs -O raw, qcow2, or vhd with --subformat fixed",
        )
    return plan


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
    plan: _Plan,
    path: str,
    target: str,
    force: bool,
    tools: LocalTools,
    progress: Progress,
    cancel: CancelToken,
) -> _Written:
    """One forward pass into the file `path`, which is or is going to be `target`."""
    source = plan.source
    writer = writer_for(
        plan.format,
        virtual_size=plan.virtual_size,
        compressed=plan.compress,
        threads=tools.threads,
    )
    sink = tools.file_sink(path, force)
    try:
        with reading(source, tools.exporter) as reader:
            gpt = plan.longer and _has_gpt(reader)
            view = digests = DigestView(ProgressView(CancelView(reader, cancel), progress))
            if plan.longer:
                view = DigestView(LongerView(digests, plan.virtual_size))
            layout = writer.plan(view.extents(0, view.size))
            progress.phase("convert", layout.data_bytes)
            with closing(writer.chunks(view)) as chunks:
                for chunk in chunks:
                    cancel.check()
                    sink.write(chunk)
            written = _Written(view.hexdigest(), digests.hexdigest(), gpt)
        source.unchanged()
        _check_not_source(source, target)
        sink.finish()
    except BaseException:
        sink.abort()
        raise
    return written


def _has_gpt(reader: BlockReader) -> bool:
    """Whether a GPT's header stands in the second sector, of 512 or 4096 bytes."""
    found = bytearray(len(_GPT))
    for sector in (SECTOR, 4096):
        if reader.size >= sector + len(_GPT):
            reader.read_into(sector, memoryview(found))
            if found == _GPT:
                return True
    return False


def _verify(
    plan: _Plan,
    made: str,
    digest: str,
    tools: LocalTools,
    progress: Progress,
    cancel: CancelToken,
) -> None:
    """Read `made` back as what it should be: its digest dw1 is the one that was written."""
    found = digest_of(look(made, input_format=plan.format), tools, progress, cancel, "verify")
    if found != digest:
        raise ToolFailed("verification", f"what was written reads back as {found}, not {digest}")


def digest_of(
    source: Source, tools: LocalTools, progress: Progress, cancel: CancelToken, phase: str
) -> str:
    """dw1 of a whole disk."""
    with reading(source, tools.exporter) as reader:
        watched = ProgressView(CancelView(reader, cancel), progress)
        progress.phase(phase, bytes_to_read(reader.extents(0, reader.size), reader.size))
        return digest_reader(watched, threads=tools.threads)
