"""Remedies and sources are those of the target: none tells of another cloud's drivers or manual."""

from __future__ import annotations

import pytest

from diskwright._values import replace
from diskwright.config_profiles import load_profile
from diskwright.model.finding import Finding, Result
from diskwright.model.guest import GuestFacts
from diskwright.model.rule import RuleText
from diskwright.model.units import MIB
from diskwright.model.windows import WindowsService
from diskwright.report.text import where
from diskwright.rules import judge
from diskwright.rules.explain import explained
from support.fault_parts import STATIC, WINDOWS_STATIC, windows
from support.good_facts import BIOS, IMAGE, MINIMUM, WINDOWS_BIOS

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


def test_what_comes_with_windows_is_repaired_and_not_installed() -> None:
    found = finding(windows(services=()), MISSING, "azure")
    for remedy in (found.remedy.split("\n"), told(MISSING, "azure").remedy):
        assert "DISM /Online /Cleanup-Image /RestoreHealth" in remedy
        assert "sfc /scannow" in remedy
        assert any("Services\\storvsc -Name Start -Value 0" in line for line in remedy)
        assert not any("msiexec" in line or "virtio" in line for line in remedy)


def test_aws_has_a_package_for_the_network_and_windows_has_the_disk_s_driver() -> None:
    lines = "\n".join(told(MISSING, "aws").remedy)
    assert finding(windows(services=()), MISSING, "aws").remedy == lines
    for said in ("sfc /scannow", "Services\\stornvme", "AwsEnaNetworkDriver"):
        assert said in lines
    assert "virtio" not in lines
    network = finding(windows(services=(STORNVME,)), MISSING, "aws")
    assert network.result is Result.WARN
    assert "AwsEnaNetworkDriver" in network.remedy
    assert "sfc" not in network.remedy


@pytest.mark.parametrize("profile", ["huawei-ims", "kvm", "openstack", "gcp"])
def test_virtio_s_drivers_are_installed(profile: str) -> None:
    remedy = finding(windows(services=()), MISSING, profile).remedy
    assert remedy == "\n".join(told(MISSING, profile).remedy)
    assert "msiexec /i D:\\virtio-win-gt-x64.msi" in remedy
    assert "DISM" not in remedy


def test_a_driver_s_start_is_told_by_the_target_s_names() -> None:
    remedy = "\n".join(told("boot.windows-virtio-disabled", "azure").remedy)
    assert "Services\\storvsc -Name Start" in remedy
    assert "pnputil" not in remedy


@pytest.mark.parametrize("profile", OTHERS)
@pytest.mark.parametrize("rule", [MISSING, NO_DRIVER])
def test_no_manual_of_another_cloud_is_cited_for_drivers(profile: str, rule: str) -> None:
    assert "Open Telekom Cloud" not in told(rule, profile).source


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


def test_a_fixed_address_is_looked_up_where_the_system_s_page_is() -> None:
    rule = "network.net-static-address"
    assert WINDOWS_BIOS.network is not None
    assert BIOS.network is not None
    guest = replace(
        WINDOWS_BIOS, network=replace(WINDOWS_BIOS.network, interfaces=(WINDOWS_STATIC,))
    )
    source = finding(guest, rule, "huawei-ims").source
    assert "(Windows)" in source
    assert "Linux" not in source
    linux = replace(BIOS, network=replace(BIOS.network, interfaces=(STATIC,)))
    source = finding(linux, rule, "huawei-ims").source
    assert "Linux" in source
    assert "Windows" not in source
    both = told(rule, "huawei-ims").source
    assert "Linux" in both
    assert "(Windows)" in both
    assert told(rule, "aws").source == "AWS, VM Import/Export user guide: network by DHCP"


def test_whole_units_are_explained_for_any_target() -> None:
    huawei, azure = (told("image.size-multiple", name) for name in ("huawei-ims", "azure"))
    assert "Azure" not in huawei.why
    assert "azure" not in huawei.source.lower()
    assert "MicrosoftDocs/azure-docs" in azure.source


def test_less_memory_than_the_service_offers_is_mended_here_and_cites_the_service() -> None:
    found = finding(BIOS, "memory.minimum", "huawei-ims", min_memory=256 * MIB)
    assert [where(found, line) for line in found.remedy.split("\n")] == ["here"]
    assert "512 MB" in found.source
    system = finding(BIOS, "memory.minimum", "huawei-ims", min_memory=600 * MIB)
    assert where(system, system.remedy) == "here"
    assert "osinfo-db" in system.source
