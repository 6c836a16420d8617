"""What prepare is asked for, and whether the disks stand up to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from diskwright._values import Struct
from diskwright.errors import ValidationFailed
from diskwright.model.finding import Accepted, Verdict
from diskwright.model.guest import GuestFacts
from diskwright.model.image import ImageFormat
from diskwright.model.manifest import DiskBase, LibraryEntry
from diskwright.model.outcome import Validated
from diskwright.model.profile import Profile
from diskwright.model.times import day_text
from diskwright.ops.opening import Source
from diskwright.ops.validate import verdict_of
from diskwright.ports import (
    BlockExporter,
    BlockReader,
    CancelToken,
    GuestInspector,
    KeyWrapper,
    ObjectStore,
    OsDatabase,
    UploadJournal,
)


class PrepareTools(Struct, frozen=True):
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


class DeltaBase(Struct, frozen=True):
    """A disk of a library's image, open to be read: only what differs from it is stored."""

    told: DiskBase
    reader: BlockReader


class PrepareRequest(Struct, frozen=True):
    """`names` has one for each image. As one for data a package's further disk is always judged.
    `bases` are those of the first disks, in order; a further one is stored whole.
    """

    names: tuple[str, ...]
    output_format: ImageFormat | None = None  # None: the profile's preferred one
    compress: bool | None = None  # None: as the profile prefers
    data: bool = False
    strict: bool = False
    min_memory: int | None = None
    accepted: tuple[Accepted, ...] = ()
    entry: LibraryEntry | None = None  # of the image in a library that it is made for
    bases: tuple[DeltaBase, ...] = ()


class JudgedDisk(Struct, frozen=True):
    """A disk, and what the rules say of it; `data`: by those of a data disk."""

    source: Source
    guest: GuestFacts
    verdict: Verdict
    data: bool


def judge_all(
    sources: Sequence[Source],
    request: PrepareRequest,
    *,
    tools: PrepareTools,
    judged: Callable[[Validated], None] | None,
    cancel: CancelToken,
) -> tuple[JudgedDisk, ...]:
    """Raises ValidationFailed when all were judged and findings of any stand against the import."""
    found = tuple(_judge(source, request, tools, judged, cancel) for source in sources)
    against = [(one, one.verdict.standing(strict=request.strict)) for one in found]
    standing = [(one, findings) for one, findings in against if findings]
    if standing:
        where = standing[0][0].source.disk.name if len(standing) == 1 else sources[0].path
        raise ValidationFailed(where, sum(len(findings) for _, findings in standing))
    return found


def _judge(
    source: Source,
    request: PrepareRequest,
    tools: PrepareTools,
    judged: Callable[[Validated], None] | None,
    cancel: CancelToken,
) -> JudgedDisk:
    cancel.check()
    data = request.data or source.further
    guest = tools.inspector.inspect(source.disk)
    verdict = verdict_of(
        source,
        guest,
        profile=tools.profile,
        database=tools.database,
        data=data,
        min_memory=request.min_memory,
        accepted=request.accepted,
        today=day_text(tools.now()),
    )
    if judged is not None:
        judged(Validated(source.path, source.facts, guest, verdict, source.name, data))
    return JudgedDisk(source, guest, verdict, data)
