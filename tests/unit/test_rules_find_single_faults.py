"""One fault, one finding: the rule that is meant, and no other above `unknown`."""

from __future__ import annotations

import pytest

from diskwright._values import replace
from diskwright.model.finding import Finding, Result
from diskwright.model.guest import FileSystem, GuestFacts, NamedBy, Section, Unread
from diskwright.model.image import ImageFacts, ImageFormat
from diskwright.model.location import Location
from diskwright.model.units import TIB
from diskwright.rules import RULES, judge
from support.fault_parts import EFI, NO_VIRTIO, STATIC, bios, btrfs, uefi
from support.faults import FAULTS, IMAGE_FAULTS
from support.good_facts import (
    BIOS,
    CLOUD,
    DATE,
    FSTAB,
    IMAGE,
    INITRAMFS,
    LINUX,
    MINIMUM,
    NETWORK,
    PROFILE,
    ROOT,
    TABLE,
    UEFI,
    WINDOWS_BIOS,
    WINDOWS_UEFI,
    entry,
    fstab,
    kernel,
)

BAD = (Result.FAIL, Result.WARN)
CASES = [(rule, facts, result) for rule, faults in FAULTS.items() for facts, result in faults]


def findings(guest: GuestFacts, image: ImageFacts = IMAGE) -> dict[str, Finding]:
    minimum = MINIMUM if guest.os is not None else None
    verdict = judge(image, guest, PROFILE, minimum=minimum, database_date=DATE)
    return {finding.id: finding for finding in verdict.findings}


@pytest.mark.parametrize("guest", [BIOS, UEFI, WINDOWS_BIOS, WINDOWS_UEFI])
def test_a_good_disk_has_nothing_above_pass(guest: GuestFacts) -> None:
    found = findings(guest).values()
    above = [f for f in found if f.result not in (Result.PASS, Result.SKIP)]
    assert above == []


@pytest.mark.parametrize(("rule", "guest", "result"), CASES, ids=[case[0] for case in CASES])
def test_a_fault_is_found_by_its_rule_alone(rule: str, guest: GuestFacts, result: Result) -> None:
    found = findings(guest)
    assert found[rule].result is result, found[rule]
    if rule != "disk.one-system-disk":
        assert {i for i, f in found.items() if f.result in BAD} <= {rule}
    if result in BAD:
        assert found[rule].message
        assert found[rule].remedy


@pytest.mark.parametrize("rule", IMAGE_FAULTS)
def test_a_fault_of_the_file_is_found_by_its_rule_alone(rule: str) -> None:
    image, result = IMAGE_FAULTS[rule]
    found = findings(BIOS, image)
    assert found[rule].result is result
    assert {i for i, f in found.items() if f.result in BAD} <= {rule}


def test_of_an_install_medium_only_that_it_is_one_is_told() -> None:
    """What is on it, and how large it is, are no faults of a disk."""
    medium = replace(IMAGE, format=ImageFormat.ISO, virtual_size=2 << 20, file_size=2 << 20)
    found = findings(GuestFacts(), medium)
    assert found["image.format"].result is Result.FAIL
    assert found["image.oddities"].result is Result.PASS
    others = {f.result for i, f in found.items() if i not in ("image.format", "image.oddities")}
    assert others == {Result.SKIP}


def test_every_rule_has_a_fault_that_breaks_it() -> None:
    by_options = {"memory.minimum", "disk.minimum"}
    assert {rule.id for rule in RULES} == {*FAULTS, *IMAGE_FAULTS} | by_options


def test_no_rule_about_the_guest_passes_on_facts_that_were_not_read() -> None:
    for guest in (GuestFacts(), None):
        verdict = judge(IMAGE, guest, PROFILE, database_date=DATE)
        passed = {f.id for f in verdict.findings if f.result in (Result.PASS, Result.FAIL)}
        assert {i for i in passed if not i.startswith("image.")} == set()


SECTIONS = {
    "table": Section.TABLE,
    "filesystems": Section.FILESYSTEMS,
    "crypttab": Section.CRYPTTAB,
    "os": Section.OS,
    "bootloader": Section.BOOT,
    "kernels": Section.KERNELS,
    "network": Section.NETWORK,
    "cloud_init": Section.CLOUD_INIT,
    "accounts": Section.ACCOUNTS,
    "ssh": Section.SSH,
    "left": Section.LEFT,
    "services": Section.SERVICES,
}


@pytest.mark.parametrize("gone", SECTIONS)
def test_one_unread_section_is_never_a_failure(gone: str) -> None:
    unread = (Unread(SECTIONS[gone], "not read here"),)
    found = findings(bios(**{gone: None}, unread=unread))
    assert {i for i, f in found.items() if f.result in BAD} == set()
    assert any(f.result is Result.UNKNOWN for f in found.values())


def test_a_root_that_may_be_on_what_was_not_read_is_not_known_to_lack() -> None:
    other = replace(ROOT, type="xfs", read=False, note="xfs is not read yet")
    found = findings(GuestFacts(table=TABLE, filesystems=(other,)))
    assert found["disk.one-system-disk"].result is Result.UNKNOWN


@pytest.mark.parametrize("dirty", [True, None])
def test_a_root_that_may_be_in_a_log_alone_is_not_known_to_lack(dirty: bool | None) -> None:
    other = replace(ROOT, type="xfs", dirty=dirty, note="its log was not replayed")
    unread = (Unread(Section.ROOT, "xfs log not replayed"),)
    found = findings(GuestFacts(table=TABLE, filesystems=(other,), unread=unread))
    assert found["disk.one-system-disk"].result is Result.UNKNOWN
    assert "xfs log not replayed" in found["disk.one-system-disk"].message
    clean = replace(other, dirty=False)
    found = findings(GuestFacts(table=TABLE, filesystems=(clean,)))
    assert found["disk.one-system-disk"].result is Result.FAIL


def test_no_boot_entry_is_good_while_another_configuration_is_unread() -> None:
    """The first configuration was not read, and a later one was."""
    unread = (Unread(Section.BOOT, "/boot/grub/grub.cfg is damaged"),)
    found = findings(bios(unread=unread))
    told = {i for i, f in found.items() if f.result is Result.UNKNOWN}
    assert told == {
        "boot.esp-config-other-disk",
        "boot.grub-config-missing",
        "boot.grub-root-device-name",
        "boot.grub-root-unknown",
        "boot.initramfs-missing",
        "boot.kernel-missing",
        "boot.resume-unknown-device",
    }
    assert all("/boot/grub/grub.cfg is damaged" in found[rule].message for rule in told)
    found = findings(bios(bootloader=entry(kernel_exists=False), unread=unread))
    assert found["boot.kernel-missing"].result is Result.FAIL


def test_the_subvolume_of_a_root_is_not_known_without_its_command_line() -> None:
    unread = (Unread(Section.BOOT, "/boot/grub/grub.cfg is damaged"),)
    good = btrfs("subvol=@")
    assert good.bootloader is not None
    bare = replace(good.bootloader, config=None, entries=())
    for loader in (None, bare):
        found = findings(replace(good, bootloader=loader, unread=unread))["boot.subvolume-missing"]
        assert found.result is Result.UNKNOWN
        assert "/boot/grub/grub.cfg is damaged" in found.message
    assert findings(good)["boot.subvolume-missing"].result is Result.PASS


def test_what_is_on_a_volume_is_told_by_its_device() -> None:
    on_volume = replace(ROOT, partition=None, volume="/dev/mapper/vg0-root")
    found = findings(bios(filesystems=(replace(on_volume, dirty=True),)))
    assert found["disk.filesystem-dirty"].evidence.startswith("ext4 on /dev/mapper/vg0-root")
    thin = FileSystem("unknown", None, False, note="LVM thin is not read", volume="/dev/mapper/t")
    found = findings(bios(filesystems=(on_volume, thin)))
    assert found["disk.encrypted"].result is Result.UNKNOWN
    assert "unknown on /dev/mapper/t: LVM thin is not read" in found["disk.encrypted"].evidence


def test_the_reason_why_something_was_not_read_is_told() -> None:
    guest = GuestFacts(unread=(Unread(Section.ROOT, "xfs is not read yet"),))
    assert "xfs is not read yet" in findings(guest)["boot.fstab-device-name"].message


def test_everything_that_an_unread_root_leaves_open_names_the_reason() -> None:
    other = replace(ROOT, type="xfs", read=False, note="xfs is not read yet")
    unread = tuple(Unread(section, "xfs is not read yet") for section in Section)
    assert BIOS.bootloader is not None
    seen = replace(BIOS.bootloader, config=None, entries=())
    entry = replace(BIOS.bootloader.entries[0], root_on_disk=None)
    own_boot = replace(BIOS.bootloader, entries=(entry,))
    for loader in (seen, own_boot):
        guest = GuestFacts(TABLE, (other,), bootloader=loader, unread=unread)
        open_ = [f for f in findings(guest).values() if f.result is Result.UNKNOWN]
        assert len(open_) > 15
        assert [f for f in open_ if "xfs" not in f.message] == []


def test_what_is_worst_comes_first() -> None:
    guest = bios(
        cloud_init=replace(CLOUD, installed=False),
        network=replace(NETWORK, interfaces=(STATIC,)),
        fstab=None,
    )
    order = [f.result for f in judge(IMAGE, guest, PROFILE).findings]
    ranks = [Result.FAIL, Result.WARN, Result.UNKNOWN, Result.PASS, Result.SKIP]
    assert order == sorted(order, key=ranks.index)
    assert order[0] is Result.FAIL


def test_a_driver_built_into_the_kernel_counts_as_present() -> None:
    built_in = replace(
        LINUX,
        builtin=INITRAMFS.modules,
        initramfs=None,
    )
    assert findings(bios(kernels=(built_in,)))["boot.initramfs-no-virtio"].result is Result.PASS


def test_a_driver_that_may_be_built_in_is_not_known_to_lack() -> None:
    open_question = tuple(replace(k, builtin=None) for k in kernel(modules=NO_VIRTIO))
    found = findings(bios(kernels=open_question))["boot.initramfs-no-virtio"]
    assert found.result is Result.UNKNOWN


def test_a_second_disk_with_nofail_is_no_fault() -> None:
    options = ("defaults", "nofail")
    guest = bios(fstab=fstab(spec="UUID=aaaa", mount_point="/data", on_disk=False, options=options))
    assert findings(guest)["boot.fstab-other-disk"].result is Result.PASS


def test_a_name_of_the_device_mapper_is_no_fault() -> None:
    line = replace(FSTAB, spec="/dev/mapper/vg0-root", named_by=NamedBy.MAPPER)
    assert findings(bios(fstab=(line,)))["boot.fstab-device-name"].result is Result.PASS


def test_a_data_disk_is_judged_by_the_rules_of_data_disks_only() -> None:
    image = replace(IMAGE, format=ImageFormat.RAW, virtual_size=2 * TIB, exact_size=2 * TIB)
    verdict = judge(image, None, PROFILE, data=True)
    assert {f.id.split(".")[0] for f in verdict.findings} == {"image"}
    assert verdict.standing() == ()


def test_a_profile_decides_what_a_breach_gives() -> None:
    strict = replace(PROFILE, severities={"cloud.cloud-init-missing": "fail"})
    guest = bios(cloud_init=replace(CLOUD, installed=False))
    found = {f.id: f for f in judge(IMAGE, guest, strict).findings}
    assert found["cloud.cloud-init-missing"].result is Result.FAIL


def test_remedies_name_the_guests_own_values() -> None:
    guest = bios(fstab=(replace(FSTAB, spec="/dev/sda1", named_by=NamedBy.DEVICE),))
    found = findings(guest)["boot.fstab-device-name"]
    assert found.evidence == "/etc/fstab:1: /dev/sda1 on /"
    assert f"UUID={ROOT.uuid}" in found.remedy


def test_a_guests_string_can_not_break_out_of_a_command() -> None:
    evil = Location("/etc/udev/rules.d/x'; rm -rf ~ #\n\x1b[2J.rules")
    found = findings(bios(network=replace(NETWORK, persistent_rules=(evil,))))
    remedy = found["network.net-persistent-rules"].remedy
    assert remedy.startswith("""rm '/etc/udev/rules.d/x'"'"'; rm -rf ~ #\\n\\x1b[2J.rules'""")
    assert "\x1b" not in found["network.net-persistent-rules"].evidence


def test_a_guest_does_not_decide_how_long_a_report_is() -> None:
    line = replace(FSTAB, spec="/dev/sda1", named_by=NamedBy.DEVICE)
    endless = replace(line, spec="/dev/" + "x" * 100_000, location=Location("/f" * 50_000, 1))
    found = findings(bios(fstab=(*[line] * 4000, endless)))["boot.fstab-device-name"]
    assert found.evidence.endswith("… and 3961 more")
    assert found.remedy.count("\n") == 40
    one = findings(bios(fstab=(endless,)))["boot.fstab-device-name"]
    assert len(one.evidence) < 2000
    assert all(line.startswith("#") or line == "blkid" for line in one.remedy.split("\n"))


def test_an_arm_disk_that_starts_by_uefi_is_taken_whatever_its_first_sector_holds() -> None:
    guest = uefi(architecture="aarch64", bootloader=replace(EFI, bios=True))
    assert findings(guest)["boot.mode"].result is Result.PASS
