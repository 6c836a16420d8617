"""What prepare has planned, and what comes of it: notes, manifest, outcome."""

from __future__ import annotations

from collections.abc import Sequence

from diskwright._values import Struct
from diskwright.model.attributes import ImportAttributes
from diskwright.model.finding import Verdict
from diskwright.model.guest import GuestFacts
from diskwright.model.image import ImageFormat
from diskwright.model.manifest import (
    DiskAbout,
    LibraryEntry,
    Manifest,
    ManifestBody,
    ManifestDisk,
)
from diskwright.model.names import manifest_key
from diskwright.model.outcome import Prepared, PreparedDisk
from diskwright.model.profile import Profile
from diskwright.model.stored import Layout, StoredObject
from diskwright.model.times import time_text
from diskwright.ops.judging import DeltaBase
from diskwright.ops.opening import Source
from diskwright.ops.sealing import DiskSeal, Seal


class DiskPlan(Struct, frozen=True):
    """What becomes of one disk: a key, a layout."""

    source: Source
    guest: GuestFacts
    verdict: Verdict
    attributes: ImportAttributes
    key: str
    format: ImageFormat
    compress: bool
    layout: Layout  # of the plain object
    seal: DiskSeal | None
    base: DeltaBase | None = None

    @property
    def stored_layout(self) -> Layout:
        return self.layout if self.seal is None else self.seal.layout(self.layout)


class PreparePlan(Struct, frozen=True):
    """What run() is going to do, complete. The first disk is the one that is started from."""

    image: str
    name: str
    disks: tuple[DiskPlan, ...]
    seal: Seal | None
    entry: LibraryEntry | None = None


class SentDisk(Struct, frozen=True):
    """dw1, the object as it is stored, and the size of the plain object."""

    digest: str
    stored: StoredObject
    plain_size: int


def not_sent(disk: DiskPlan) -> SentDisk:
    """For what is told of a disk before it is sent: its size is an upper bound."""
    layout = disk.stored_layout
    return SentDisk("", StoredObject(disk.key, layout.size_limit, layout.part_size, (), ""), 0)


def object_limit(disk: DiskPlan, profile: Profile) -> int:
    """Bytes that the object may have: an import-ready one has to pass the service's own limit."""
    waived = {entry.id for entry in disk.verdict.accepted}
    if disk.seal is not None or "image.object-size" in waived:
        return disk.stored_layout.size_limit
    return min(disk.stored_layout.size_limit, profile.object_maximum)


def body_of(
    planned: PreparePlan, sent: Sequence[SentDisk], versions: dict[str, str]
) -> ManifestBody:
    first = planned.disks[0]
    return ManifestBody(
        name=planned.name,
        disks=tuple(
            _manifest_disk(disk, one, further=number > 0)
            for number, (disk, one) in enumerate(zip(planned.disks, sent, strict=True))
        ),
        source_name=_base_name(first.source.path),
        source_format=first.source.facts.format.value,
        image=first.source.facts,
        guest=first.guest,
        profile=first.verdict.profile,
        findings=first.verdict.findings,
        accepted=first.verdict.accepted,
        attributes=first.attributes,
        tools=versions,
        entry=planned.entry,
    )


def _manifest_disk(disk: DiskPlan, sent: SentDisk, *, further: bool) -> ManifestDisk:
    facts, verdict = disk.source.facts, disk.verdict
    about = None
    if further:
        about = DiskAbout(facts, disk.guest, verdict.findings, verdict.accepted, disk.attributes)
    return ManifestDisk(
        key=disk.key,
        format=disk.format.value,
        compressed=disk.compress,
        virtual_size=facts.virtual_size,
        exact_size=facts.exact_size,
        digest=sent.digest,
        stored_size=sent.plain_size,
        name=disk.source.name,
        about=about,
        base=None if disk.base is None else disk.base.told,
    )


def manifest_of(
    planned: PreparePlan, sent: Sequence[SentDisk], versions: dict[str, str], now: float
) -> Manifest:
    body = body_of(planned, sent, versions)
    time = time_text(int(now))
    manifest = Manifest(planned.image, time, tuple(one.stored for one in sent), body=body)
    return manifest if planned.seal is None else planned.seal.close(manifest)


def _base_name(path: str) -> str:
    return path.rsplit("/", 1)[-1].encode("utf-8", "backslashreplace").decode()


def journal_notes(planned: PreparePlan, versions: dict[str, str]) -> dict[str, object]:
    """What a later run needs to know of this one; wrapped keys only."""
    identity = planned.disks[0].source.origin
    notes: dict[str, object] = {
        "source": {
            "device": identity.device,
            "inode": identity.inode,
            "size": identity.size,
            "mtime_ns": str(identity.mtime_ns),  # past 2^53
        },
        "versions": versions,
    }
    if planned.seal is not None:
        notes["seal"] = planned.seal.journal_notes()
    return notes


def outcome_of(
    planned: PreparePlan, target: str, sent: Sequence[SentDisk], *, dry_run: bool
) -> Prepared:
    disks = tuple(_made(disk, one) for disk, one in zip(planned.disks, sent, strict=True))
    first = disks[0]
    return Prepared(
        target=target,
        image=planned.image,
        name=planned.name,
        key=first.key,
        manifest_key=manifest_key(planned.image),
        sealed=planned.seal is not None,
        format=first.format,
        compressed=first.compressed,
        virtual_size=first.virtual_size,
        stored_size=first.stored_size,
        part_size=first.part_size,
        digest=first.digest,
        object_digest=first.object_digest,
        dry_run=dry_run,
        verdict=first.verdict,
        attributes=first.attributes,
        disks=disks,
        package_verified=_verified(planned),
    )


def _verified(planned: PreparePlan) -> bool | None:
    """Of all its disks, which lie in one package or in none."""
    found = [disk.source.package_verified for disk in planned.disks]
    return None if None in found else all(found)


def _made(disk: DiskPlan, sent: SentDisk) -> PreparedDisk:
    return PreparedDisk(
        name=disk.source.name,
        key=sent.stored.key,
        format=disk.format.value,
        compressed=disk.compress,
        virtual_size=disk.source.facts.virtual_size,
        stored_size=sent.stored.size,
        part_size=sent.stored.part_size,
        digest=sent.digest,
        object_digest=sent.stored.digest,
        verdict=disk.verdict,
        attributes=disk.attributes,
    )
