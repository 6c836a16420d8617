"""What an image that was replicated says of itself: its source's newest state, on other objects."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from diskwright._values import Struct, replace
from diskwright.model.attributes import ImportAttributes
from diskwright.model.image import ImageFormat
from diskwright.model.library import Entry, EntryDisk, Status, Visibility
from diskwright.model.manifest import DiskBase, LibraryEntry, ManifestBody, ManifestDisk
from diskwright.model.names import numbered
from diskwright.ops.images import Found
from diskwright.ops.stored_file import Sent


class Way(StrEnum):
    """How a disk's data comes to its new place."""

    COPIED = "copied"  # the bytes stay the same
    STREAMED = "streamed"  # opened, sealed or made whole in one pass
    QUICK = "quick"  # written anew as an uncompressed qcow2 in one pass


class DiskCopy(Struct, frozen=True):
    """One disk, as `source` has it, and the key of its new object."""

    source: Found
    key: str
    way: Way

    @property
    def format(self) -> ImageFormat:
        return ImageFormat.QCOW2 if self.way is Way.QUICK else ImageFormat(self.source.disk.format)

    @property
    def compressed(self) -> bool:
        return self.way is not Way.QUICK and self.source.disk.compressed

    def told(self) -> EntryDisk:
        """Before it is there: its size is the source's."""
        disk = self.source.disk
        about = self.source.body.attributes if disk.about is None else disk.about.attributes
        return EntryDisk(
            key=self.key,
            format=self.format.value,
            compressed=self.compressed,
            virtual_size=disk.virtual_size,
            object_size=self.source.stored.size,
            digest=disk.digest,
            object_digest="",
            data=about is not None and about.data_disk,
            name=disk.name,
        )


def bases_of(disks: Sequence[DiskCopy]) -> tuple[DiskBase, ...]:
    """What the new image is going to rest on."""
    kept = [one.source.disk.base for one in disks if one.way is Way.COPIED]
    return tuple(base for base in kept if base is not None)


def planned_entry(
    before: Entry,
    image: str,
    name: str,
    disks: Sequence[DiskCopy],
    *,
    who: str,
    time: str,
    sealed: bool,
    quick: bool,
    channel: str,
) -> Entry:
    """Whatever was set on the source; not whom it is shared with, nor whether it was proven."""
    return replace(
        before,
        id=image,
        name=name,
        status=Status.QUEUED,
        created=time,
        updated=time,
        seq=0,
        head="",
        visibility=Visibility.PRIVATE,
        sealed=sealed,
        recipients=(),
        quick=quick,
        disks=tuple(disk.told() for disk in disks),
        base=next((base.image for base in bases_of(disks)), ""),
        members=(),
        owner=who,
        from_image=before.id,
        channel=channel,
        proven="",
        received=None,
        origin="",
        warnings=(),
    )


def body_of(
    source: ManifestBody, entry: Entry, disks: Sequence[DiskCopy], sent: Sequence[Sent]
) -> ManifestBody:
    name = entry.name or ""
    assert entry.kind is not None  # it is of one that was opened
    return replace(
        source,
        name=name,
        disks=tuple(
            _disk(disk, one, number, name)
            for number, (disk, one) in enumerate(zip(disks, sent, strict=True), start=1)
        ),
        attributes=_named(source.attributes, name),
        entry=LibraryEntry(
            kind=entry.kind.value,
            who=entry.owner,
            description=entry.description,
            tags=dict(entry.tags),
            os_version=entry.os_version,
            min_memory_mib=entry.min_memory_mib,
            max_memory_mib=entry.max_memory_mib,
            nic_multiqueue=entry.nic_multiqueue,
            sriov=entry.sriov,
            channel=entry.channel,
            from_image=entry.from_image,
            quick=entry.quick,
        ),
    )


def _disk(disk: DiskCopy, sent: Sent, number: int, name: str) -> ManifestDisk:
    made = replace(disk.source.disk, key=disk.key)
    if made.about is not None:
        attributes = _named(made.about.attributes, numbered(name, number))
        made = replace(made, about=replace(made.about, attributes=attributes))
    if disk.way is Way.COPIED:
        return made
    return replace(
        made,
        format=disk.format.value,
        compressed=disk.compressed,
        stored_size=sent.plain_size,
        base=None,
    )


def _named(attributes: ImportAttributes | None, name: str) -> ImportAttributes | None:
    return None if attributes is None else replace(attributes, name=name)
