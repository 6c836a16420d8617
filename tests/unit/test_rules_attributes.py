"""What an import is told of an image, and where each value is from."""

from __future__ import annotations

import pytest

from diskwright._values import field_names, replace
from diskwright.model.attributes import ImportAttributes
from diskwright.model.guest import GuestFacts, Kernel
from diskwright.rules import import_attributes
from support.fault_parts import bios
from support.good_facts import BIOS, IMAGE, LINUX, MINIMUM, PROFILE, UEFI, WINDOWS_UEFI, kernel

WITHOUT_SOURCE = {"name", "data_disk", "sources"}  # the user's own words


def attributes(guest: GuestFacts | None, *, data: bool = False) -> ImportAttributes:
    return import_attributes("web", IMAGE, guest, PROFILE, data=data, minimum=MINIMUM)


@pytest.mark.parametrize("guest", [BIOS, UEFI, WINDOWS_UEFI, GuestFacts(), None])
def test_each_value_says_where_it_is_from(guest: GuestFacts | None) -> None:
    made = attributes(guest)
    assert set(made.sources) == set(field_names(made)) - WITHOUT_SOURCE
    assert all(made.sources.values())


def test_a_data_disk_s_values_too() -> None:
    made = attributes(None, data=True)
    assert set(made.sources) >= {"os_type", "architecture", "boot_mode", "min_disk_gib"}


def test_the_least_memory_names_its_database() -> None:
    assert MINIMUM.source in attributes(BIOS).sources["min_memory_mib"]


@pytest.mark.parametrize(
    ("linux", "queues"),
    [
        (LINUX, True),
        (replace(LINUX, version="2.6.35-22-generic"), True),
        (replace(LINUX, version="2.6.32-754.el6.x86_64"), False),
        (replace(LINUX, version="custom"), None),
        (kernel(modules=("ext4",))[0], None),
    ],
)
def test_several_queues_need_the_driver_and_a_kernel_that_is_not_too_old(
    linux: Kernel, queues: bool | None
) -> None:
    assert attributes(bios(kernels=(linux,))).nic_multiqueue is queues


@pytest.mark.parametrize(
    ("linux", "sriov"),
    [
        (LINUX, True),
        (replace(LINUX, modules=("xfs",)), False),
        (replace(LINUX, modules=None), None),
        (replace(LINUX, modules=("xfs",), builtin=None), None),
        (replace(LINUX, modules=None, builtin=("hinic",)), True),
    ],
)
def test_sr_iov_needs_a_driver_that_was_seen(linux: Kernel, sriov: bool | None) -> None:
    made = attributes(bios(kernels=(linux,)))
    assert made.sriov is sriov
    assert "hinic" in made.sources["sriov"]
