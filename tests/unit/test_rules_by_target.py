"""Remedies and sources are those of the target: none tells of another cloud's drivers or manual."""

from __future__ import annotations

import pytest

from diskwright.config_profiles import load_profile
from diskwright.model.finding import Finding
from diskwright.model.guest import GuestFacts
from diskwright.model.rule import RuleText
from diskwright.model.windows import WindowsService
from diskwright.rules import judge
from diskwright.rules.explain import explained
from support.good_facts import IMAGE, MINIMUM

OTHERS = ("kvm", "openstack", "azure", "aws", "gcp")
MISSING, NO_DRIVER = "boot.windows-virtio-missing", "boot.initramfs-no-virtio"
STORNVME = WindowsService("stornvme", start=0, file_exists=True)


def finding(guest: GuestFacts, rule: str, profile: str, **options: int) -> Finding:
    verdict = judge(
        IMAGE, guest, load_profile(profile), minimum=MINIMUM, min_memory=options.get("min_memory")
    )
    return next(found for found in verdict.findings if found.id == rule)


def told(rule: str, profile: str) -> RuleText:
    return next(text for text in explained(load_profile(profile)) if text.id == rule)


@pytest.mark.parametrize("profile", ["huawei-ims", *OTHERS])
def test_the_initramfs_gets_the_target_s_drivers_in_every_family(profile: str) -> None:
    modules = " ".join(load_profile(profile).boot_modules)
    remedy = told(NO_DRIVER, profile).remedy
    heads = [line for line in remedy if line.startswith("# ") and line.endswith(":")]
    assert len(heads) == len(set(heads)) == 5
    assert sum(modules in line for line in remedy) == 5
    if profile == "azure":
        assert not any("virtio" in line for line in remedy)


@pytest.mark.parametrize("rule", [NO_DRIVER, "boot.initramfs-corrupt", "boot.initramfs-missing"])
def test_a_unified_image_is_told_in_one_line(rule: str) -> None:
    remedy = told(rule, "huawei-ims").remedy
    (uki,) = [line for line in remedy if line.startswith("# uki:")]
    assert remedy[-1] == uki
    assert "kernel-install add" in uki
