"""From a manifest and its records to an entry, and to a history in words. Pure."""

from __future__ import annotations

from diskwright._values import replace
from diskwright.model.attributes import ImportAttributes
from diskwright.model.finding import Result
from diskwright.model.guest import GuestFacts
from diskwright.model.library import (
    Change,
    Entry,
    EntryDisk,
    ImageKind,
    Member,
    Status,
)
from diskwright.model.manifest import LibraryEntry, Manifest, ManifestBody
from diskwright.model.record import (
    Attributes,
    Body,
    Deleted,
    Proven,
    Recipients,
    Replicated,
    Sharing,
    Tags,
)
from diskwright.ops.library.chain import Chain, Link

_SET = {
    "name": "name",
    "description": "description",
    "min_memory_mib": "minimum memory",
    "max_memory_mib": "maximum memory",
    "nic_multiqueue": "NIC multi-queue",
    "sriov": "SR-IOV",
    "channel": "channel",
}


def entry_of(chain: Chain) -> Entry:
    """The newest state. Of an image that was not opened only what stands in clear."""
    entry = _made(chain)
    for link in chain.links:
        entry = _with(entry, link)
    return replace(entry, seq=chain.seq, head=chain.head, warnings=chain.warnings)


def history_of(chain: Chain) -> tuple[Change, ...]:
    """From the making on, oldest first. The making has number 0."""
    body = chain.body
    who = body.entry.who if body is not None and body.entry is not None else ""
    first = chain.links[0].record.prev if chain.links else chain.head
    made = Change(0, chain.manifest.time, "created", who, _making(body), first)
    return (made, *(_change(link) for link in chain.links))


def _making(body: ManifestBody | None) -> str:
    if body is None:
        return "sealed: its key tells more"
    if body.entry is not None and body.entry.from_image:
        return f"replicated from {body.entry.from_image}"
    return f"created from {body.source_name} ({body.source_format})"


def _made(chain: Chain) -> Entry:
    manifest, body = chain.manifest, chain.body
    if body is None:
        return _unopened(manifest, chain)
    told = body.entry or LibraryEntry(_kind(body).value, "")
    about = body.attributes
    kind = ImageKind(told.kind) if told.kind in set(ImageKind) else _kind(body)
    data = kind is ImageKind.DATA  # no system is on it, whatever an import has to say of one
    return Entry(
        id=manifest.image,
        name=body.name,
        status=Status.ACTIVE,
        kind=kind,
        created=manifest.time,
        updated=manifest.time,
        seq=0,
        head="",
        sealed=manifest.sealed,
        recipients=chain.recipients,
        description=told.description,
        os_type=about.os_type if about and not data else "",
        os=_system(body.guest),
        os_version=told.os_version or (about.os_version if about else None),
        architecture=about.architecture if about else "",
        boot_mode=about.boot_mode if about and not data else "",
        min_disk_gib=about.min_disk_gib if about else 0,
        min_memory_mib=_memory(told, about),
        max_memory_mib=told.max_memory_mib,
        needs_memory_mib=about.min_memory_mib if about else 0,
        nic_multiqueue=_switch(told.nic_multiqueue, about.nic_multiqueue if about else None),
        sriov=_switch(told.sriov, about.sriov if about else None),
        can_multiqueue=about.nic_multiqueue if about else None,
        can_sriov=about.sriov if about else None,
        quick=told.quick,
        disks=_disks(manifest, body),
        tags=dict(told.tags),
        owner=told.who,
        profile=body.profile,
        source_name=body.source_name,
        source_format=body.source_format,
        source_digest=body.disks[0].digest,
        tools=dict(body.tools),
        base=next((disk.base.image for disk in body.disks if disk.base is not None), ""),
        from_image=told.from_image,
        channel=told.channel,
        failed=tuple(
            f"{finding.id}: {finding.result.value}"
            for finding in body.findings
            if finding.result in {Result.FAIL, Result.WARN}
        ),
    )


def _unopened(manifest: Manifest, chain: Chain) -> Entry:
    disks = tuple(
        EntryDisk(one.key, "", False, 0, one.size, "", one.digest) for one in manifest.objects
    )
    return Entry(
        id=manifest.image,
        name=None,
        status=Status.ACTIVE,
        kind=ImageKind.FULL if len(disks) > 1 else None,
        created=manifest.time,
        updated=manifest.time,
        seq=0,
        head="",
        sealed=True,
        opened=False,
        recipients=chain.recipients,
        disks=disks,
    )


def _kind(body: ManifestBody) -> ImageKind:
    """Of what `prepare` made: by its disks and what they were judged as."""
    if len(body.disks) > 1:
        return ImageKind.FULL
    data = body.attributes is not None and body.attributes.data_disk
    return ImageKind.DATA if data else ImageKind.SYSTEM


def _memory(told: LibraryEntry, about: ImportAttributes | None) -> int:
    if told.min_memory_mib is not None:
        return told.min_memory_mib
    return about.min_memory_mib if about else 0


def _switch(told: bool | None, can: bool | None) -> bool:
    return bool(can) if told is None else told


def _system(guest: GuestFacts | None) -> str:
    if guest is None or guest.os is None:
        return ""
    if guest.windows is not None and guest.windows.product:
        return guest.windows.product
    return " ".join(part for part in (guest.os.id, guest.os.version_id) if part)


def _disks(manifest: Manifest, body: ManifestBody) -> tuple[EntryDisk, ...]:
    first = body.attributes is not None and body.attributes.data_disk
    return tuple(
        EntryDisk(
            key=disk.key,
            format=disk.format,
            compressed=disk.compressed,
            virtual_size=disk.virtual_size,
            object_size=stored.size,
            digest=disk.digest,
            object_digest=stored.digest,
            data=number > 0 or first,
            name=disk.name,
        )
        for number, (disk, stored) in enumerate(zip(body.disks, manifest.objects, strict=True))
    )


def _with(entry: Entry, link: Link) -> Entry:
    time, body = link.record.time, link.body
    match body:
        case Attributes():
            given = {name: getattr(body, name) for name in _SET}
            entry = replace(entry, **{n: value for n, value in given.items() if value is not None})
        case Tags():
            tags = {**entry.tags, **body.put}
            entry = replace(entry, tags={k: v for k, v in tags.items() if k not in body.removed})
        case Sharing():
            rest = tuple(one for one in entry.members if one.account != body.account)
            offered = (Member(body.account, body.name),) if body.offered else ()
            entry = replace(entry, members=(*rest, *offered))
        case Deleted():
            status = Status.PENDING_DELETE if body.deleted else Status.ACTIVE
            entry = replace(entry, status=status)
        case Proven():
            return replace(entry, proven=time)  # that it was looked at does not change it
        case Replicated() | Recipients() | None:
            return entry
    return replace(entry, updated=time)


def _change(link: Link) -> Change:
    record, body = link.record, link.body
    kind = "undeleted" if isinstance(body, Deleted) and not body.deleted else record.kind
    who = getattr(body, "who", "")
    return Change(record.seq, record.time, kind, who, words_of(body), link.digest)


def words_of(body: Body | None) -> str:
    """What a record says, for people."""
    match body:
        case Attributes():
            given = [(name, words, getattr(body, name)) for name, words in _SET.items()]
            told = [
                f"{words}: {_value(name, value)}"
                for name, words, value in given
                if value is not None
            ]
            because = [f"because: {body.reason}"] if body.reason else []
            return "; ".join([*told, *because])
        case Tags():
            put = [f"{name}={value}" for name, value in sorted(body.put.items())]
            return "; ".join([*put, *(f"without {name}" for name in body.removed)])
        case Recipients():
            return f"{len(body.recipients)} can open it"
        case Sharing():
            what = "shared with" if body.offered else "no longer shared with"
            return f"{what} {body.name or body.account}"
        case Deleted():
            what = "into the trash" if body.deleted else "out of the trash"
            return f"{what}; because: {body.reason}" if body.reason else what
        case Replicated():
            return f"replicated to {body.to} in {body.library}"
        case Proven():
            return f"found whole: {body.how}"
        case None:
            return "its key tells what"


def _value(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if name == "max_memory_mib" and not value:
        return "no limit"
    return f"{value} MiB" if name.endswith("_mib") else str(value)
