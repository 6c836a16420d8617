"""Least memory and disk: what is asked for, against what the system's maker says."""

from __future__ import annotations

import pytest

from diskwright._values import replace
from diskwright.model.finding import Finding, Result
from diskwright.model.profile import Minimum
from diskwright.model.units import GIB, MIB
from diskwright.rules import import_attributes, judge
from support.good_facts import BIOS, DATE, IMAGE, MINIMUM, OS, PROFILE, UEFI


def finding(rule: str, *, minimum: Minimum | None, min_memory: int | None = None) -> Finding:
    verdict = judge(
        IMAGE, BIOS, PROFILE, minimum=minimum, database_date=DATE, min_memory=min_memory
    )
    return next(f for f in verdict.findings if f.id == rule)


@pytest.mark.parametrize(
    ("asked", "result"),
    [
        (None, Result.PASS),
        (GIB, Result.PASS),
        (GIB - 1, Result.FAIL),
        (256 * MIB, Result.FAIL),
    ],
)
def test_a_least_memory_below_the_systems_fails(asked: int | None, result: Result) -> None:
    assert finding("memory.minimum", minimum=MINIMUM, min_memory=asked).result is result


def test_an_unknown_system_has_no_known_minimum_and_the_databases_date_is_told() -> None:
    for rule in ("memory.minimum", "disk.minimum"):
        found = finding(rule, minimum=None, min_memory=GIB)
        assert found.result is Result.UNKNOWN
        assert DATE in found.message


def test_less_than_the_service_offers_fails_for_an_unknown_system_too() -> None:
    assert finding("memory.minimum", minimum=None, min_memory=MIB).result is Result.FAIL


def test_a_system_larger_than_the_services_disk_is_warned_of() -> None:
    assert finding("disk.minimum", minimum=MINIMUM).result is Result.PASS
    large = replace(MINIMUM, disk_bytes=64 * GIB)
    assert finding("disk.minimum", minimum=large).result is Result.WARN


def test_the_import_asks_for_whole_gibibytes_and_the_least_disk_that_the_service_takes() -> None:
    small = import_attributes("web", IMAGE, BIOS, PROFILE)
    assert small.min_disk_gib == 40
    large = import_attributes("web", replace(IMAGE, virtual_size=50 * GIB + 512), BIOS, PROFILE)
    assert large.min_disk_gib == 51


def test_the_import_asks_for_the_memory_that_was_asked_for_or_that_the_system_needs() -> None:
    asked = import_attributes("web", IMAGE, BIOS, PROFILE, min_memory=2 * GIB, minimum=MINIMUM)
    assert asked.min_memory_mib == 2048
    assert import_attributes("w", IMAGE, BIOS, PROFILE, minimum=MINIMUM).min_memory_mib == 1024
    assert import_attributes("w", IMAGE, BIOS, PROFILE).min_memory_mib == 512


def test_the_import_states_boot_mode_architecture_and_version() -> None:
    old = import_attributes("web", IMAGE, BIOS, PROFILE)
    assert (old.boot_mode, old.architecture) == ("bios", "x86")
    assert old.os_version == "Debian GNU/Linux 12.0.0 64bit"
    assert import_attributes("web", IMAGE, UEFI, PROFILE).boot_mode == "uefi"
    arm = import_attributes(
        "w", IMAGE, replace(UEFI, os=replace(OS, architecture="aarch64")), PROFILE
    )
    assert (arm.architecture, arm.boot_mode, arm.os_version) == ("arm", "uefi", None)


def test_the_version_is_left_out_where_its_spelling_is_not_certain() -> None:
    other = replace(BIOS, os=replace(OS, version_id="13"))
    assert import_attributes("web", IMAGE, other, PROFILE).os_version is None
    assert import_attributes("web", IMAGE, None, PROFILE).os_version is None
