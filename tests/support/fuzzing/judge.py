"""How one file ends when a user brings it: looked at, and read whole where it is accepted."""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from diskwright._values import replace
from diskwright.adapters.guest_child import ConfinedGuestInspector
from diskwright.adapters.iso_child import ConfinedIsoReader
from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.adapters.unpacked import UnpackedFiles, refusal
from diskwright.errors import DiskwrightError, ImageRefused, ImageUnsupported
from diskwright.formats.identity import open_image
from diskwright.formats.packed.container import CODE, unpacked_limit
from diskwright.formats.packed.feed import Feed
from diskwright.formats.packed.members import Unpackable, content
from diskwright.guest.inspect import inspect_guest
from diskwright.model.image import DiskFile, FileIdentity, ImageFormat
from diskwright.ops.opening import ImageOpener, Source, reading
from diskwright.ports import BlockReader
from support.fuzzing import oracle
from support.fuzzing.guests import judge as guests
from support.fuzzing.guests.seeds import GUESTS
from support.iso_mutants import escapes, extracted
from support.iso_reading import ReaderHere, snapshot

MIB = 1 << 20
READ_MOST = 64 * MIB
ALL_EXTENTS = 1 << 40  # of larger disks the extents of both ends only
WINDOW = 64 * MIB


@dataclass
class Ending:
    """`end`: accepted, or a refusal's code. `findings`: what must not be, in words."""

    end: str = "accepted"
    read: bool = False
    findings: list[str] = field(default_factory=list)
    copies: list[tuple[str, str]] = field(default_factory=list)  # what was read, and qemu's options


class UnpackedHere:
    """`Unpacker` without a child: what the child does, in this process."""

    @contextmanager
    def unpacked(self, identity: FileIdentity, packing: ImageFormat) -> Iterator[FileIdentity]:
        limit = unpacked_limit(identity.size)
        with open(identity.path, "rb") as packed, tempfile.TemporaryFile() as out:
            try:
                for block in content(packing, Feed(iter(lambda: packed.read(1 << 16), b""))):
                    out.write(block)
                    if out.tell() > limit:
                        raise ImageUnsupported(identity.path, CODE, "too much came out")
            except Unpackable as why:
                said = json.dumps([why.code, why.detail, why.offset])
                raise refusal(identity, said) from None
            out.flush()
            with tempfile.NamedTemporaryFile() as named:
                out.seek(0)
                shutil.copyfileobj(out, named)
                named.flush()
                fd, found = open_image(named.name)
                os.close(fd)
                yield found


def judge(path: Path, name: str, *, read: bool, work: Path, beneath: Path | None = None) -> Ending:
    """With `read` its disks are read through the confined tools, and copied into `work`.

    What it names is followed in the folder `beneath`, where there is one.
    """
    ending = Ending(read=read)
    if name in GUESTS:
        ending.end, ending.findings = guests.judge(path, read=read)
        return ending
    unpacker = UnpackedFiles() if read else UnpackedHere()
    isos = ConfinedIsoReader() if read else ReaderHere()
    try:
        opener = ImageOpener(unpacker, isos, None if beneath is None else str(beneath))
        with opener.disks(str(path)) as found:
            for number, source in enumerate(found):
                ending.findings += _led(source, beneath)
                _disk(source, number, read, work, ending)
        if name == "iso":
            _iso(path, isos, work, ending)
    except ImageRefused as refused:
        ending.end, ending.read = refused.code, False
        if not refused.detail.isprintable() or len(refused.detail) > 1000:
            ending.findings.append(f"words: {refused.detail!a}")
    except DiskwrightError as error:
        ending.findings.append(f"error: {type(error).__name__}: {error}")
    return ending


def _disk(source: Source, number: int, read: bool, work: Path, ending: Ending) -> None:
    facts = source.facts
    if not 0 < facts.virtual_size < 1 << 63 or facts.virtual_size % 512:
        ending.findings.append(f"size: {facts.virtual_size}")
    local = facts.format in (ImageFormat.RAW, ImageFormat.ISO) and not source.disk.offset
    if not read and not local:
        return
    exporter = QemuNbdExporter()
    copy = work / f"copy{number}"
    with reading(source, exporter) as reader:
        inspect_guest(reader)
        if not local and _copied(reader, copy):
            ways = oracle.ways(_kept(source, work))
            ending.copies += [(str(copy), way) for way in ways]
    if read and local:
        ConfinedGuestInspector(descriptor=exporter.descriptor).inspect(source.disk)


def _led(source: Source, beneath: Path | None) -> Iterator[str]:
    """What it was led to that it must not be: a file elsewhere, or another than its name means."""
    references, files = source.facts.references, list(source.disk.files())
    if beneath is None:
        if references or len(files) != 1:
            yield f"follows: {references}"
        return
    root = os.path.realpath(beneath)
    for identity in files:
        status = os.lstat(identity.path)
        regular = stat.S_ISREG(status.st_mode)
        same = (status.st_dev, status.st_ino) == (identity.device, identity.inode)
        real = os.path.realpath(identity.path)
        if not (regular and same and real == identity.path and real.startswith(root + "/")):
            yield f"follows: {identity.path}"
    named = [*(one.path for one in source.disk.extents)]
    named += [] if source.disk.backing is None else [source.disk.backing.identity.path]
    folder = os.path.dirname(files[0].path)
    meant = [os.path.realpath(os.path.join(folder, one.name)) for one in references]
    if named != meant:
        yield f"follows: {named}, where {meant} is meant"


def _kept(source: Source, work: Path) -> DiskFile:
    """The disk, where qemu-img finds it later: what was unpacked is gone by then."""
    if source.facts.packed_in is None:
        return source.disk
    kept = shutil.copyfile(source.disk.identity.path, work / "content")
    return replace(source.disk, identity=replace(source.disk.identity, path=str(kept)))


def _copied(reader: BlockReader, copy: Path) -> bool:
    """Read all its data into a file with holes. False where that is too much to compare."""
    ends = (0, reader.size)
    windows = [ends]
    if reader.size > ALL_EXTENTS:
        windows = [(0, WINDOW), (reader.size - WINDOW, reader.size)]
    done = 0
    with copy.open("wb") as out:
        for start, end in windows:
            for extent in reader.extents(start, end - start):
                if not extent.is_data:
                    continue
                if done + extent.length > READ_MOST:
                    return False
                done += extent.length
                for at in range(extent.start, extent.start + extent.length, MIB):
                    buffer = bytearray(min(MIB, extent.start + extent.length - at))
                    reader.read_into(at, memoryview(buffer))
                    out.seek(at)
                    out.write(buffer)
        if windows != [ends]:
            return False
        out.truncate(reader.size)
    return True


def _iso(path: Path, isos: ConfinedIsoReader, work: Path, ending: Ending) -> None:
    fd, identity = open_image(str(path))
    try:
        isos.entries(fd, identity, None)
    finally:
        os.close(fd)
    around = work / "around"
    target = around / "target"
    (around / "neighbour").mkdir(parents=True, exist_ok=True)
    before = snapshot(around, but=target)
    try:
        ending.end = f"extracted: {extracted(path.read_bytes(), path, target)}"
        if snapshot(around, but=target) != before:
            ending.findings.append("outside: something beside the folder changed")
        ending.findings += [f"outside: {link}" for link in escapes(target)]
    finally:
        shutil.rmtree(target, ignore_errors=True)
