"""What prepare has planned, and what comes of it: notes, manifest, outcome."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from diskwright.model.attributes import ImportAttributes
from diskwright.model.finding import Verdict
from diskwright.model.guest import GuestFacts
from diskwright.model.image import ImageFormat
from diskwright.model.manifest import Manifest, ManifestBody, ManifestDisk
from diskwright.model.names import manifest_key, plain_key, sealed_key
from diskwright.model.outcome import Prepared
from diskwright.model.stored import Layout, StoredObject
from diskwright.ops.opening import Source
from diskwright.ops.sealing import Seal


@dataclass(frozen=True, slots=True)
class PreparePlan:
    """What run() is going to do, complete: an id, a key, a layout."""

    source: Source
    guest: GuestFacts
    verdict: Verdict
    attributes: ImportAttributes
    image: str
    name: str
    format: ImageFormat
    compress: bool
    layout: Layout  # of the plain object
    seal: Seal | None

    @property
    def key(self) -> str:
        if self.seal is not None:
            return sealed_key(self.image, 0)
        return plain_key(self.image, self.name, 0, self.format.value)

    @property
    def stored_layout(self) -> Layout:
        return self.layout if self.seal is None else self.seal.layout(self.layout)


def body_of(
    planned: PreparePlan, digest: str, plain_size: int, versions: dict[str, str]
) -> ManifestBody:
    facts = planned.source.facts
    disk = ManifestDisk(
        key=planned.key,
        format=planned.format.value,
        compressed=planned.compress,
        virtual_size=facts.virtual_size,
        exact_size=facts.exact_size,
        digest=digest,
        stored_size=plain_size,
    )
    return ManifestBody(
        name=planned.name,
        disks=(disk,),
        source_name=_base_name(planned.source.path),
        source_format=facts.format.value,
        image=facts,
        guest=planned.guest,
        profile=planned.verdict.profile,
        findings=planned.verdict.findings,
        accepted=planned.verdict.accepted,
        attributes=planned.attributes,
        tools=versions,
    )


def manifest_of(
    planned: PreparePlan,
    digest: str,
    stored: StoredObject,
    plain_size: int,
    versions: dict[str, str],
    now: float,
) -> Manifest:
    body = body_of(planned, digest, plain_size, versions)
    time = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    manifest = Manifest(planned.image, time, (stored,), body=body)
    return manifest if planned.seal is None else planned.seal.close(manifest)


def _base_name(path: str) -> str:
    return path.rsplit("/", 1)[-1].encode("utf-8", "backslashreplace").decode()


def journal_notes(planned: PreparePlan, versions: dict[str, str]) -> dict[str, object]:
    """What a later run needs to know of this one; wrapped keys only."""
    identity = planned.source.origin
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
    planned: PreparePlan, target: str, stored: StoredObject, digest: str, *, dry_run: bool
) -> Prepared:
    return Prepared(
        target=target,
        image=planned.image,
        name=planned.name,
        key=stored.key,
        manifest_key=manifest_key(planned.image),
        sealed=planned.seal is not None,
        format=planned.format.value,
        compressed=planned.compress,
        virtual_size=planned.source.facts.virtual_size,
        stored_size=stored.size,
        part_size=stored.part_size,
        digest=digest,
        object_digest=stored.digest,
        dry_run=dry_run,
        verdict=planned.verdict,
        attributes=planned.attributes,
    )
