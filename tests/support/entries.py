"""Entries of a library, small ones and one that is full."""

from __future__ import annotations

from diskwright._values import replace
from diskwright.model.library import (
    Change,
    Entry,
    EntryDisk,
    ImageKind,
    Member,
    MemberState,
    Status,
    Visibility,
)
from diskwright.model.names import uuid7
from diskwright.model.recipient import Recipient


def image_id(number: int) -> str:
    return uuid7(1_700_000_000_000 + number, b"%010d" % number)


def entry(number: int = 1, **fields: object) -> Entry:
    made = Entry(
        id=image_id(number),
        name=f"image-{number}",
        status=Status.ACTIVE,
        kind=ImageKind.SYSTEM,
        created="2026-01-01T00:00:00Z",
        updated="2026-01-02T00:00:00Z",
        seq=1,
        head="ab" * 32,
    )
    return replace(made, **fields)


def disk(object_size: int = 1 << 30) -> EntryDisk:
    return EntryDisk("images/1/disk-0.dws", "qcow2", True, 10 << 30, object_size, "dw1:a", "b")


def full(number: int = 1) -> Entry:
    """No field is as an empty entry has it."""
    return entry(
        number,
        visibility=Visibility.SHARED,
        sealed=True,
        opened=False,
        recipients=(Recipient("local", "k", "w", {"nonce": "n"}),),
        description="what for\nand why",
        os_type="Linux",
        os="debian 12",
        os_version="Debian GNU/Linux 12.0 64bit",
        architecture="x86_64",
        boot_mode="UEFI",
        min_disk_gib=10,
        min_memory_mib=1024,
        max_memory_mib=4096,
        needs_memory_mib=512,
        nic_multiqueue=True,
        sriov=True,
        can_multiqueue=False,
        can_sriov=True,
        quick=True,
        disks=(disk(), replace(disk(7), data=True, name="data")),
        tags={"env": "prod", "naïve": ""},
        members=(Member("account", "name", MemberState.ACCEPTED),),
        owner="ops@example.com",
        profile="aws",
        source_name="web.qcow2",
        source_format="qcow2",
        source_digest="ef" * 32,
        tools={"diskwright": "0.1.0"},
        base=image_id(8),
        from_image=image_id(9),
        channel="web",
        proven="2026-01-03T00:00:00Z",
        failed=("disk.min-size",),
        received=MemberState.PENDING,
        origin="s3://elsewhere/library",
        warnings=("rolled back",),
    )


def change(seq: int, what: str = "name: a to b") -> Change:
    return Change(seq, "2026-01-01T00:00:00Z", "attributes", "ops@example.com", what, "cd" * 32)
