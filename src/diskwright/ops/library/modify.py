"""set, tag and untag: what is said of an image changes, its data never moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from diskwright._values import Struct, field_names
from diskwright.errors import UsageError
from diskwright.model.library import Changed, Entry, Status
from diskwright.model.limits import (
    check_channel,
    check_description,
    check_memory,
    check_name,
    check_tags,
)
from diskwright.model.record import Attributes, Body, Tags
from diskwright.ops.library.chain import Chain
from diskwright.ops.library.claims import give_back, holding
from diskwright.ops.library.fold import words_of
from diskwright.ops.library.place import (
    Place,
    append,
    check_state,
    seen,
    to_change,
)


class ChangePlan(Struct, frozen=True):
    """A record that is going to be put, on what was there when it was planned. `body` is None where
    nothing would change."""

    before: Entry
    chain: Chain
    body: Body | None
    allow_duplicate: bool = False


def plan_set(
    place: Place, wanted: str, asked: Attributes, *, allow_duplicate: bool = False
) -> ChangePlan:
    """Raises UsageError for what the console would not take, or the guest does not bear."""
    chain = to_change(place, wanted)
    entry = seen(place, chain)
    check_state(entry, Status.ACTIVE, "changed")
    _check(entry, asked)
    given = {
        name: value
        for name in field_names(Attributes)
        if name not in {"who", "reason"}
        and (value := getattr(asked, name)) is not None
        and value != getattr(entry, name)
    }
    body = Attributes(place.who, reason=asked.reason, **given) if given else None
    return ChangePlan(entry, chain, body, allow_duplicate)


def plan_tags(
    place: Place, wanted: str, *, put: Mapping[str, str], removed: Sequence[str] = ()
) -> ChangePlan:
    """Raises UsageError past the console's limits, or for a tag that is to go and is not there."""
    chain = to_change(place, wanted)
    entry = seen(place, chain)
    check_state(entry, Status.ACTIVE, "tagged")
    missing = [name for name in removed if name not in entry.tags]
    if missing:
        there = ", ".join(sorted(entry.tags)) or "none"
        raise UsageError(f"image {entry.id} has no tag {missing[0]}", f"it has: {there}")
    check_tags({**{k: v for k, v in entry.tags.items() if k not in removed}, **put})
    new = {name: value for name, value in put.items() if entry.tags.get(name) != value}
    body = Tags(place.who, put=new, removed=tuple(sorted(set(removed)))) if new or removed else None
    return ChangePlan(entry, chain, body)


def made(place: Place, plan: ChangePlan, *, dry_run: bool) -> Changed:
    """As `run`, told. With `dry_run` nothing is done."""
    what = words_of(plan.body) if plan.body is not None else ""
    return Changed(plan.before if dry_run else run(place, plan), what, dry_run)


def run(place: Place, plan: ChangePlan) -> Entry:
    """The image after the change. Raises ChangedMeanwhile where another one came first, and
    NameTaken."""
    if plan.body is None:
        return plan.before
    name = plan.body.name if isinstance(plan.body, Attributes) else None
    if name is None:
        return seen(place, append(place, plan.chain, plan.body))
    before = plan.before
    with holding(place, name, before, duplicate=plan.allow_duplicate):
        after = seen(place, append(place, plan.chain, plan.body))
    if before.name is not None:
        give_back(place, before.name, before.id, sealed=before.sealed)
    return after


def _check(entry: Entry, asked: Attributes) -> None:
    if asked.name is not None:
        check_name(asked.name)
    check_description(asked.description or "")
    check_channel(asked.channel or "")
    minimum = entry.min_memory_mib if asked.min_memory_mib is None else asked.min_memory_mib
    maximum = entry.max_memory_mib if asked.max_memory_mib is None else asked.max_memory_mib
    check_memory(minimum, maximum)
    check_guest(
        asked,
        needs_mib=entry.needs_memory_mib,
        can={"nic_multiqueue": entry.can_multiqueue, "sriov": entry.can_sriov},
    )


def check_guest(asked: Attributes, *, needs_mib: int, can: Mapping[str, bool | None]) -> None:
    """Raises UsageError. A reason overrides what is known, but for a driver that is not there."""
    minimum = asked.min_memory_mib
    if minimum is not None and minimum < needs_mib and not asked.reason:
        raise UsageError(
            f"a minimum memory of {minimum} MiB is less than the guest needs ({needs_mib} MiB)",
            "give more, or say why: --reason TEXT",
        )
    for name, words in (("nic_multiqueue", "NIC multi-queue"), ("sriov", "SR-IOV")):
        if not getattr(asked, name):
            continue
        if can[name] is False:
            raise UsageError(
                f"{words} can't be on: the guest has no driver for it",
                "install it in the guest, then create the image anew",
            )
        if can[name] is None and not asked.reason:
            raise UsageError(
                f"{words}: whether the guest has the driver is not known",
                "say how you know: --reason TEXT",
            )
