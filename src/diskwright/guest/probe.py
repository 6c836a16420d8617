"""What a partition, or a whole disk without a table, holds; and its reader, where there is one."""

from __future__ import annotations

from collections.abc import Callable

from diskwright._values import Struct, replace
from diskwright.guest.filesystems import btrfs, fat, ntfs
from diskwright.guest.filesystems.base import GuestFs
from diskwright.guest.filesystems.btrfs import BtrfsFs
from diskwright.guest.filesystems.ext import open_ext
from diskwright.guest.filesystems.ext_layout import (
    SUPERBLOCK_OFFSET,
    SUPERBLOCK_SIZE,
    identity,
    is_ext,
)
from diskwright.guest.filesystems.signatures import (
    Signature,
    identify_container,
    identify_filesystem,
    is_swap,
)
from diskwright.guest.filesystems.xfs import open_xfs
from diskwright.guest.reading import Unreadable
from diskwright.guest.source import ByteSource
from diskwright.model.canonical import MAX_INTEGER
from diskwright.model.guest import SUBVOLUMES_UNLISTED, FileSystem
from diskwright.model.image import Problem


def _open_btrfs(window: ByteSource) -> GuestFs | None:
    """mkswap(8) writes less than 64 KiB, and may leave the superblock of a btrfs standing."""
    return None if is_swap(window) else btrfs.open_btrfs(window)


# A reader answers None for what is not its own. A further file system is one line here.
READERS: tuple[Callable[[ByteSource], GuestFs | None], ...] = (
    open_ext,
    open_xfs,
    fat.open_fat,
    _open_btrfs,
    ntfs.open_ntfs,
)


class Probe(Struct, frozen=True):
    """`reader` is None where `facts.read` is False."""

    facts: FileSystem
    reader: GuestFs | None


def open_filesystem(window: ByteSource) -> GuestFs | None:
    """The reader of what is there; None for what no reader knows. Raises `Unreadable`."""
    for open_one in READERS:
        found = open_one(window)
        if found is not None:
            return found
    return None


def probe(window: ByteSource, partition: int | None) -> Probe | None:
    """None where nothing known is there. Never raises: what can't be read says so in its note."""
    try:
        signature = identify_container(window)
        reader = None if signature else open_filesystem(window)
        if signature is None and reader is None:
            signature = identify_filesystem(window)
    except Unreadable as error:
        return Probe(_bounded(_refused(window, partition, error.detail)), None)
    if signature is not None:
        return Probe(_named(signature, partition), None)
    return None if reader is None else _read(reader, partition)


def _named(signature: Signature, partition: int | None) -> FileSystem:
    note = "" if signature.type == "swap" else f"{signature.type} is not read yet"
    if signature.encrypted:
        note = f"encrypted by {signature.encrypted}"
    facts = FileSystem(
        type=signature.type,
        partition=partition,
        read=False,
        uuid=signature.uuid,
        label=signature.label,
        size=signature.size,
        free=signature.free,
        dirty=signature.dirty,
        note=note,
    )
    return _bounded(facts)


def _read(fs: GuestFs, partition: int | None) -> Probe:
    facts = FileSystem(fs.type, partition, read=True, uuid=fs.uuid, size=fs.size)
    try:
        fs.root()
        facts = replace(
            facts,
            label=fs.label,
            free=fs.free,
            dirty=fs.dirty,
            note=fs.note,
            problems=fs.problems,
        )
        if isinstance(fs, BtrfsFs):
            facts = _with_subvolumes(facts, fs)
    except Unreadable as error:
        return Probe(_bounded(replace(facts, read=False, note=error.detail)), None)
    return Probe(_bounded(facts), fs)


def _with_subvolumes(facts: FileSystem, fs: BtrfsFs) -> FileSystem:
    """What can't be listed is a reservation: each of them is read for itself all the same."""
    facts = replace(facts, default_subvolume=fs.default_subvolume)
    try:
        return replace(facts, subvolumes=fs.subvolumes())
    except Unreadable as error:
        problem = Problem(SUBVOLUMES_UNLISTED, error.detail)
        return replace(facts, problems=(*facts.problems, problem))


def _bounded(facts: FileSystem) -> FileSystem:
    """Sizes that no manifest can hold are lies: they become None, and a problem tells."""
    size, free = facts.size or 0, facts.free or 0
    if max(size, free) <= MAX_INTEGER:
        return facts
    detail = f"the file system claims {size} bytes, {free} of them free"
    return replace(
        facts,
        size=facts.size if size <= MAX_INTEGER else None,
        free=facts.free if free <= MAX_INTEGER else None,
        problems=(*facts.problems, Problem("header-inconsistent", detail)),
    )


def _refused(window: ByteSource, partition: int | None, why: str) -> FileSystem:
    """A file system that can't be opened keeps its UUID: fstab may name it."""
    facts = FileSystem("unknown", partition, read=False, note=why)
    try:
        whole = window.size >= SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE
        data = window.read(SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE) if whole else b""
        signature = None if is_ext(data) else identify_filesystem(window)
    except Unreadable:
        return facts
    if is_ext(data):
        own_id, label = identity(data)
        return replace(facts, type="ext", uuid=own_id, label=label or None)
    if signature is None:
        return facts
    return replace(
        facts,
        type=signature.type,
        uuid=signature.uuid,
        label=signature.label,
        size=signature.size,
        free=signature.free,
        dirty=signature.dirty,
    )
