"""create: all that prepare does, then an entry; whole or absent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from diskwright._values import replace
from diskwright.model.creation import CreateRequest
from diskwright.model.library import Entry, ImageKind, Status
from diskwright.model.limits import (
    check_channel,
    check_description,
    check_memory,
    check_name,
    check_tags,
)
from diskwright.model.outcome import Prepared, Validated
from diskwright.model.record import Attributes
from diskwright.ops import prepare
from diskwright.ops.judging import PrepareRequest, PrepareTools
from diskwright.ops.library import changes
from diskwright.ops.library.claims import check_free
from diskwright.ops.library.modify import check_guest
from diskwright.ops.library.place import Place, check_conditions, reread, seen
from diskwright.ops.library.resting import resting
from diskwright.ops.library.underway import underway
from diskwright.ops.opening import Source
from diskwright.ops.prepared import PreparePlan
from diskwright.ports import CancelToken, Progress


def plan(
    place: Place,
    sources: Sequence[Source],
    request: CreateRequest,
    prepared: PrepareRequest,
    *,
    tools: PrepareTools,
    judged: Callable[[Validated], None] | None = None,
    cancel: CancelToken,
) -> PreparePlan:
    """Nothing is written. `prepared` says how the disks are made; its name and entry are ours.

    Raises UsageError, NameTaken, and what `prepare.plan` raises.
    """
    check_name(request.name)
    check_description(request.description)
    check_tags(request.tags)
    check_channel(request.channel)
    check_conditions(place)
    if not request.allow_duplicate:
        check_free(place, request.name)
    wanted = replace(
        prepared,
        names=(request.name,),
        data=request.kind is ImageKind.DATA,
        entry=request.entry(place.who),
    )
    (planned,) = prepare.plan(sources, wanted, tools=tools, judged=judged, cancel=cancel)
    about = planned.disks[0].attributes
    check_memory(about.min_memory_mib, request.max_memory_mib)
    check_guest(
        Attributes(
            place.who,
            reason=request.reason,
            nic_multiqueue=request.nic_multiqueue,
            sriov=request.sriov,
        ),
        needs_mib=0,
        can={"nic_multiqueue": about.nic_multiqueue, "sriov": about.sriov},
    )
    return planned


def run(
    place: Place,
    planned: PreparePlan,
    *,
    allow_duplicate: bool = False,
    tools: PrepareTools,
    progress: Progress,
    cancel: CancelToken,
) -> tuple[Entry, Prepared]:
    """Whole or absent. The name is taken before the first byte is sent.

    Raises NameTaken, ChangedMeanwhile, and what `prepare.run` raises.
    """
    bases = [disk.base.told for disk in planned.disks if disk.base is not None]
    with (
        underway(place, _queued(place, planned), duplicate=allow_duplicate),
        resting(place, planned.image, bases) as rest,
    ):
        made = prepare.run(
            planned,
            tools=tools,
            progress=progress,
            cancel=cancel,
            around=lambda: _committing(place, planned, rest),
        )
    return seen(place, reread(place, planned.image)), made


@contextmanager
def _committing(place: Place, planned: PreparePlan, rest: Callable[[], None]) -> Iterator[None]:
    """Around the manifest: what it rests on stays, and others are told to look."""
    rest()
    changes.announce(place.store, planned.image, 0, place.now())
    yield


def _queued(place: Place, planned: PreparePlan) -> Entry:
    """What is known before it is there."""
    assert planned.entry is not None
    told, about = planned.entry, planned.disks[0].attributes
    time, kind = place.time(), ImageKind(told.kind)
    return Entry(
        id=planned.image,
        name=planned.name,
        status=Status.QUEUED,
        kind=kind,
        created=time,
        updated=time,
        seq=0,
        head="",
        sealed=planned.seal is not None,
        description=told.description,
        os_type="" if kind is ImageKind.DATA else about.os_type,
        os_version=told.os_version or about.os_version,
        architecture=about.architecture,
        boot_mode="" if kind is ImageKind.DATA else about.boot_mode,
        min_disk_gib=about.min_disk_gib,
        min_memory_mib=about.min_memory_mib,
        max_memory_mib=told.max_memory_mib,
        needs_memory_mib=about.min_memory_mib,
        tags=dict(told.tags),
        owner=told.who,
        channel=told.channel,
    )
