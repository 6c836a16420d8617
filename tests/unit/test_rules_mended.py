"""What a service mends by itself, what it refuses by name, what a person accepts for a while."""

from __future__ import annotations

import pytest

from diskwright._values import replace
from diskwright.config_profiles import load_profile
from diskwright.model.finding import Accepted, Finding, Result, Verdict
from diskwright.model.guest import GuestFacts, NamedBy
from diskwright.rules import judge
from support.fault_parts import NO_VIRTIO, bios
from support.good_facts import FSTAB, IMAGE, MINIMUM, OS, ROOT, entry, fstab, kernel

AUTO = load_profile("huawei-ims-auto-config")
DEVICE = bios(fstab=(replace(FSTAB, spec="/dev/sda1", named_by=NamedBy.DEVICE),))
BARE = bios(kernels=kernel(modules=NO_VIRTIO))
GRUB = bios(bootloader=entry(root="/dev/sda1", root_named_by=NamedBy.DEVICE))


def finding(guest: GuestFacts, rule: str, profile: str) -> Finding:
    verdict = judge(IMAGE, guest, load_profile(profile), minimum=MINIMUM)
    return next(found for found in verdict.findings if found.id == rule)


MENDED = {
    "boot.fstab-device-name": DEVICE,
    "boot.grub-root-device-name": GRUB,
    "boot.initramfs-no-virtio": BARE,
}


@pytest.mark.parametrize("rule", MENDED)
def test_what_automatic_configuration_mends_warns(rule: str) -> None:
    found = finding(MENDED[rule], rule, "huawei-ims-auto-config")
    assert found.result is Result.WARN
    assert f"the service mends it at the import: {AUTO.mends[rule]}" in found.message


@pytest.mark.parametrize("profile", ["huawei-ims", "huawei-ims-fast"])
@pytest.mark.parametrize("rule", MENDED)
def test_the_other_ways_mend_nothing(rule: str, profile: str) -> None:
    found = finding(MENDED[rule], rule, profile)
    assert found.result is Result.FAIL
    assert "mends" not in found.message


@pytest.mark.parametrize(
    "guest",
    [
        replace(BARE, fstab=fstab(mount_point="/usr", spec="UUID=x")),
        replace(BARE, os=replace(OS, id="fedora", version_id="30")),
        replace(
            BARE,
            os=replace(OS, id="centos", version_id="8"),
            filesystems=(replace(ROOT, type="xfs"),),
        ),
        replace(BARE, os=None),
        replace(BARE, fstab=None),
    ],
    ids=["own /usr", "fedora 30", "centos 8 on xfs", "unknown system", "unread fstab"],
)
def test_drivers_are_not_copied_everywhere(guest: GuestFacts) -> None:
    found = finding(guest, "boot.initramfs-no-virtio", "huawei-ims-auto-config")
    assert found.result is Result.FAIL
    assert "mends" not in found.message


def test_a_profile_s_own_severity_is_mended_too() -> None:
    stricter = replace(AUTO, severities={"boot.fstab-device-name": "fail"})
    verdict = judge(IMAGE, DEVICE, stricter, minimum=MINIMUM)
    assert result_of(verdict, "boot.fstab-device-name") is Result.WARN


def result_of(verdict: Verdict, rule: str) -> Result:
    return next(found.result for found in verdict.findings if found.id == rule)


def test_a_documented_refusal_is_named_with_its_code() -> None:
    qed = replace(IMAGE, format="luks")
    verdict = judge(qed, bios(), load_profile("huawei-ims"), minimum=MINIMUM)  # type: ignore[arg-type]
    (found,) = (f for f in verdict.findings if f.id == "image.format")
    assert found.result is Result.FAIL
    assert "the service refuses it: IMG.0057" in found.message


@pytest.mark.parametrize(
    ("until", "counts"), [("", True), ("2026-11-27", True), ("2026-11-26", False)]
)
def test_the_last_day_counts(until: str, counts: bool) -> None:
    assert Accepted("a.b", "why", until).counts_on("2026-11-27") is counts
