"""Text reports: worst first, what to do, and nothing that a guest wrote reaches a terminal raw."""

from __future__ import annotations

import re
from enum import Enum
from typing import Any

from diskwright._values import Struct, field_names, replace
from diskwright.model.finding import Accepted, Finding, Result, Severity, Verdict
from diskwright.model.guest import GuestFacts, Section, Unread
from diskwright.model.image import Problem
from diskwright.model.services import SeLinux, Service, Services, ServiceState
from diskwright.model.volumes import Volume
from diskwright.report.facts import facts_text
from diskwright.report.text import verdict_text
from diskwright.rules import judge
from support.good_facts import BIOS, CHRONY, CLOUD, DATE, IMAGE, MINIMUM, PROFILE, UEFI, UFW

EVIL = "\x1b[2J\r\nPASS    all\u202e\u2028\x9b\udc80"


def verdict(guest: GuestFacts = BIOS, *accepted: Accepted) -> Verdict:
    return judge(IMAGE, guest, PROFILE, minimum=MINIMUM, database_date=DATE, accepted=accepted)


def poisoned(value: Any) -> Any:
    """The same facts with something for a terminal to obey in every string."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return value + EVIL
    if isinstance(value, tuple):
        return tuple(poisoned(item) for item in value)
    if isinstance(value, Struct):
        changed = {name: poisoned(getattr(value, name)) for name in field_names(value)}
        return replace(value, **changed)
    return value


def assert_harmless(text: str) -> None:
    assert [c for c in text if not c.isprintable() and c != "\n"] == []
    assert not re.search(r"^PASS +all", text, re.MULTILINE)


def test_no_string_of_a_guest_reaches_the_terminal_raw() -> None:
    for guest in (poisoned(BIOS), poisoned(UEFI)):
        guest = replace(guest, problems=(Problem("guest-link-escapes", EVIL),))
        assert_harmless(facts_text("disk" + EVIL, poisoned(IMAGE), guest))
        assert_harmless(verdict_text("disk" + EVIL, verdict(guest)))


def test_findings_of_an_untrusted_manifest_are_made_harmless_too() -> None:
    finding = Finding("a.b" + EVIL, Result.FAIL, Severity.HIGH, EVIL, EVIL, EVIL, EVIL)
    accepted = Accepted("a.b" + EVIL, EVIL)
    text = verdict_text("disk", Verdict("p" + EVIL, (finding,), (accepted,)))
    assert [c for c in text if not c.isprintable() and c != "\n"] == []
    # a newline in evidence or remedy starts a line of its own, always under our own heading
    assert all(line.startswith(("FAIL", "        ", "disk: ")) for line in text.split("\n"))


def test_what_fails_comes_first_with_evidence_and_remedy() -> None:
    guest = replace(BIOS, cloud_init=replace(CLOUD, installed=False), fstab=None)
    lines = verdict_text("disk.qcow2", verdict(guest)).split("\n")
    assert lines[0].split() == ["WARN", "boot.fstab-unreadable"]
    assert any(line.strip().startswith("do in the guest: apt-get install cloud") for line in lines)
    assert sum(line.startswith("PASS") for line in lines) == 1
    assert lines[-1].startswith("disk.qcow2: nothing known against huawei-ims, not all was read")


def test_the_last_line_says_whether_anything_stands_against_an_import() -> None:
    guest = replace(BIOS, cloud_init=replace(CLOUD, installed=False))
    assert "disk: ready" in verdict_text("disk", verdict(guest))
    assert "disk: not ready" in verdict_text("disk", verdict(guest), strict=True)
    waived = verdict(guest, Accepted("cloud.cloud-init-missing", "set up by hand"))
    text = verdict_text("disk", waived, strict=True)
    assert "disk: ready" in text
    assert "accepted: set up by hand" in text


def test_what_was_not_read_for_one_reason_is_told_together_and_never_called_ready() -> None:
    reason = "partition 1: xfs is not read yet"
    text = verdict_text("disk", verdict(GuestFacts(unread=(Unread(Section.ROOT, reason),))))
    assert text.count(reason) == 1
    assert not re.search(r"^disk: (ready|not ready)", text, re.MULTILINE)


def test_colour_is_on_request_only() -> None:
    assert "\x1b" not in verdict_text("disk", verdict())
    assert "\x1b[32m" in verdict_text("disk", verdict(), colour=True)


def test_facts_of_a_good_disk_name_what_was_found() -> None:
    text = facts_text("disk.qcow2", IMAGE, UEFI)
    for said in ("qcow2, version 3", "gpt", "root", "Debian GNU/Linux 12", "virtio_blk", "22.4.2"):
        assert said in text
    assert "not read" not in text


def test_a_volume_is_told_by_its_device_and_so_is_what_it_holds() -> None:
    assert UEFI.filesystems is not None
    name = "/dev/mapper/vg0-root"
    guest = replace(
        UEFI,
        volumes=(
            Volume(name, "G/V", 1 << 30, (2, 3), True),
            Volume("/dev/mapper/vg0-t", "G/T", 1 << 20, (2,), True, "LVM thin is not read"),
        ),
        filesystems=(replace(UEFI.filesystems[1], partition=None, volume=name),),
        root=0,
    )
    lines = [line.strip() for line in facts_text("disk", IMAGE, guest).split("\n")]
    assert f"volumes      {name}  1 GiB; on partitions 2, 3" in lines
    assert "/dev/mapper/vg0-t  1 MiB; on partition 2; LVM thin is not read" in lines
    assert any(line.startswith(f"file systems ext4 on {name}; root; UUID") for line in lines)


def test_what_starts_is_told_a_line_each() -> None:
    off, unsure = replace(UFW, state=ServiceState.MASKED), replace(UFW, lets_ssh=None)
    agent = Service("qemu-guest-agent", ServiceState.DISABLED)
    services = Services(None, (UFW, off, unsure), (CHRONY,), (agent,), SeLinux("enforcing", True))
    text = facts_text("disk", IMAGE, replace(BIOS, services=services))
    told = text.partition("services")[2].split("\n")[:6]
    assert [line.strip() for line in told] == [
        "ufw enabled, lets ssh in (/etc/ufw/user.rules)",
        "ufw masked",
        "ufw enabled, not known whether ssh gets in (/etc/ufw/user.rules)",
        "chrony enabled",
        "qemu-guest-agent disabled",
        "SELinux enforcing, labels all files anew at the next start",
    ]


def test_a_reason_why_several_parts_were_not_read_is_said_once() -> None:
    unread = [
        Unread(section, "no partition holds a root") for section in (Section.OS, Section.BOOT)
    ]
    guest = GuestFacts(unread=(unread[0], Unread(Section.FSTAB, "damaged"), unread[1]))
    lines = facts_text("disk", IMAGE, guest).split("\n")
    assert lines[-2].split(maxsplit=2) == ["not", "read", "os, boot: no partition holds a root"]
    assert lines[-1].strip() == "fstab: damaged"
