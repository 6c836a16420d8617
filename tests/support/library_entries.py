"""Images of a library to be shown: a plausible team's, every status, and a hostile one."""

from __future__ import annotations

from collections.abc import Iterator

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
from diskwright.model.recipient import Recipient
from diskwright.model.units import GIB, MIB
from support.judgements import EVIL

NOW = "2026-11-26T22:30:00Z"
KMS = Recipient("huawei-kms", "0d0466b0-e727-4d9c-b35d-f84bb474a37f", "d3JhcHBlZA==", {"a": "b"})


def image_id(number: int) -> str:
    return f"019a{number:04x}-7b10-7def-8123-{number:012x}"


def disk(size: int = 40 * GIB, stored: int = 1340 * MIB, **more) -> EntryDisk:
    said = {"key": "images/019a/disk-0", "format": "qcow2", "compressed": True}
    digests = {"digest": "ab" * 32, "object_digest": "cd" * 32}
    return EntryDisk(virtual_size=size, object_size=stored, **said | digests | more)


def entry(number: int = 1, **more) -> Entry:
    """Of Debian, made on day `number` of October."""
    day = f"2026-{10 + number // 30 % 3:02}-{number % 28 + 1:02}T08:15:00Z"
    said = {
        "id": image_id(number),
        "name": f"debian-12-base-{number}",
        "status": Status.ACTIVE,
        "kind": ImageKind.SYSTEM,
        "created": day,
        "updated": day,
        "seq": 1,
        "head": "ef" * 32,
        "os_type": "Linux",
        "os": "debian 12",
        "os_version": "Debian GNU/Linux 12.0.0 64bit",
        "architecture": "x86_64",
        "boot_mode": "UEFI",
        "min_disk_gib": 40,
        "min_memory_mib": 1024,
        "needs_memory_mib": 512,
        "can_multiqueue": True,
        "disks": (disk(),),
        "owner": "anna@build-3",
        "profile": "huawei-ims",
        "source_name": "debian-12-genericcloud-amd64.qcow2",
        "source_format": "qcow2",
    }
    return Entry(**said | more)


def team() -> tuple[Entry, ...]:
    """Two golden images in versions, what was made of them, and what happens beside."""
    base = [
        entry(n, channel="debian-12", tags={"team": "platform", "release": f"12.{n}"})
        for n in range(1, 7)
    ]
    base[5] = replace(base[5], proven="2026-10-09T03:00:00Z", quick=True)
    base[1] = replace(base[1], status=Status.PENDING_DELETE)
    windows = [
        entry(
            n,
            name=f"windows-2022-golden-{n}",
            channel="windows-2022",
            os_type="Windows",
            os="windows 2022",
            os_version="Windows Server 2022 Standard 64bit",
            boot_mode="BIOS",
            sealed=True,
            recipients=(KMS,),
            disks=(disk(80 * GIB, 9 * GIB),),
            failed=("drivers.virtio-net",) if n == 12 else (),
        )
        for n in (10, 12, 14)
    ]
    shop = [
        entry(n, name=f"shop-frontend-{n}", channel="shop", from_image=base[at].id, owner="bob@ci")
        for n, at in ((8, 3), (15, 4), (17, 5))
    ]
    shop[1] = replace(shop[1], failed=("network.net-static-address", "boot.fstab-by-name"))
    members = (Member("9f" * 8, "finance"), Member("7e" * 8, "lab", MemberState.ACCEPTED))
    beside = [
        entry(18, name="billing-full", kind=ImageKind.FULL, from_image=shop[0].id, members=members,
              disks=(disk(), disk(200 * GIB, 31 * GIB, data=True, name="data-1.vmdk"))),
        entry(19, name="archive-2019", kind=ImageKind.DATA, os="", os_type="", os_version=None,
              disks=(disk(500 * GIB, 88 * GIB, data=True),), description="Quarterly figures"),
        entry(20, name=None, kind=None, opened=False, sealed=True, recipients=(KMS,), os="",
              os_type="", os_version=None, architecture="", boot_mode="",
              disks=(disk(0, 4 * GIB, digest=""),)),
        entry(21, name="東京-データベース-2026", visibility=Visibility.SHARED,
              received=MemberState.PENDING, origin="s3://partner/images"),
        entry(22, name="upload-going-on", status=Status.SAVING, disks=()),
        entry(23, name="torn-upload", status=Status.ERROR, disks=(),
              warnings=("the library has fewer records than were seen here",)),
    ]  # fmt: skip
    return (*base, *windows, *shop, *beside)


def hostile_entry(number: int = 7) -> Entry:
    """Everything that a library can name is EVIL."""
    return entry(
        number,
        id=f"{EVIL}{number}",
        name=EVIL,
        created=EVIL,
        updated=EVIL,
        head=EVIL,
        description=EVIL,
        os_type=EVIL,
        os=EVIL,
        os_version=EVIL,
        architecture=EVIL,
        boot_mode=EVIL,
        sealed=True,
        recipients=(Recipient(EVIL, EVIL, EVIL, {EVIL: EVIL}),),
        disks=(disk(format=EVIL, key=EVIL, digest=EVIL, object_digest=EVIL, name=EVIL),),
        tags={EVIL: EVIL},
        members=(Member(EVIL, EVIL),),
        owner=EVIL,
        profile=EVIL,
        source_name=EVIL,
        source_format=EVIL,
        source_digest=EVIL,
        tools={EVIL: EVIL},
        base=EVIL,
        from_image=EVIL,
        channel=EVIL,
        proven=EVIL,
        failed=(EVIL,),
        origin=EVIL,
        warnings=(EVIL,),
    )


def many(count: int) -> Iterator[Entry]:
    """Of 40 channels, in each what is made of the one before."""
    for number in range(count):
        yield entry(
            number,
            id=f"019a3c2f-7b10-7def-8123-{number:012x}",
            created=f"20{10 + number % 17:02}-{number % 12 + 1:02}-{number % 28 + 1:02}T00:00:00Z",
            channel=f"golden-{number % 40}" if number % 3 else "",
            from_image=f"019a3c2f-7b10-7def-8123-{number - 40:012x}" if number > 40 else "",
            tags={"team": f"team-{number % 9}", "stage": "test"},
        )


CHANGES = (
    Change(1, "2026-10-02T08:15:00Z", "created", "anna@build-3", "created as 'web'", "aa" * 32),
    Change(12, "2026-10-03T09:00:00Z", "modified", "王芳", "name: 'web' to 'web-2'", "bb" * 32),
)
