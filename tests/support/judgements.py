"""What `validate` may have found: good disks, bad ones, and hostile ones, to be reported."""

from __future__ import annotations

from diskwright._values import replace
from diskwright.errors import DiskwrightError, ImageUnsafe
from diskwright.model.finding import Accepted
from diskwright.model.guest import GuestFacts, Section, Unread
from diskwright.model.image import ImageFacts
from diskwright.model.outcome import Validated
from diskwright.report.judged import Judged, Judgement
from diskwright.rules import judge
from diskwright.rules.explain import explained
from support.fault_parts import STATIC, bios
from support.good_facts import BIOS, CLOUD, DATE, IMAGE, MINIMUM, NETWORK, PROFILE, ROOT, UEFI

# Markup, quotes, the end of a CDATA section, an escape, a line, a reversal, what no UTF-8 holds
EVIL = """a'b"<script>alert(1)</script>&amp;]]>\x1b[2J\n\u202e\udc80\ufffe\x00\U0001f600é.qcow2"""

STATIC_ADDRESS = bios(network=replace(NETWORK, interfaces=(STATIC,)))
UNREAD = GuestFacts(unread=tuple(Unread(section, "xfs is torn") for section in Section))
MANY = replace(STATIC_ADDRESS, cloud_init=replace(CLOUD, installed=False), kernels=None)
WAIVER = Accepted("network.net-static-address", f"lab {EVIL}")


def validated(
    guest: GuestFacts, *accepted: Accepted, image: ImageFacts = IMAGE, name: str = ""
) -> Validated:
    verdict = judge(
        image, guest, PROFILE, minimum=MINIMUM, database_date=DATE, accepted=tuple(accepted)
    )
    return Validated("/disk", image, guest, verdict, name)


def judgement(
    *outcomes: Validated | DiskwrightError, strict: bool = False, names: tuple[str, ...] = ()
) -> Judgement:
    """Of `disk-1.qcow2` and so on, or of files with these names."""
    return Judgement(
        PROFILE.name,
        strict,
        tuple(
            Judged(
                names[number] if names else f"disk-{number + 1}.qcow2",
                outcome.name if isinstance(outcome, Validated) else "",
                outcome,
            )
            for number, outcome in enumerate(outcomes)
        ),
        explained(PROFILE),
        "1.2.3",
        "2026-11-26T22:30:00Z",
    )


def hostile() -> Judgement:
    """Everything that a disk, a package or a person can name is EVIL."""
    fs = replace(ROOT, label=EVIL, type=EVIL, note=EVIL, uuid=EVIL, partition=2)
    assert UEFI.table is not None
    parts = tuple(replace(part, label=EVIL) for part in UEFI.table.partitions)
    network = replace(NETWORK, interfaces=(replace(STATIC, name=EVIL, address=EVIL, manager=EVIL),))
    guest = replace(
        UEFI,
        table=replace(UEFI.table, partitions=parts),
        filesystems=(fs,),
        root=0,
        network=network,
        os=replace(BIOS.os, name=EVIL),  # type: ignore[type-var]
        unread=(Unread(Section.KERNELS, EVIL),),
    )
    refused = ImageUnsafe(EVIL, "reference-outside", EVIL)
    names = (EVIL, f"/{EVIL}", "x.raw")
    return judgement(validated(guest, WAIVER, name=EVIL), validated(guest), refused, names=names)


ALL = (
    judgement(validated(BIOS)),
    judgement(validated(STATIC_ADDRESS)),
    judgement(validated(STATIC_ADDRESS, Accepted(WAIVER.id, "lab"))),
    judgement(validated(UNREAD), strict=True),
    judgement(validated(MANY), validated(UEFI), ImageUnsafe("x", "reference-outside", "y")),
    judgement(validated(MANY), validated(UNREAD), strict=True),
    hostile(),
)
