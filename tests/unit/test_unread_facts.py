"""What was not read of one of two guests is told, and not taken for a difference."""

from __future__ import annotations

from types import NoneType
from typing import get_args, get_type_hints

import pytest

from diskwright._values import field_names, replace
from diskwright.guest.answer import nothing_read
from diskwright.model.difference import NotCompared
from diskwright.model.guest import (
    BootEntry,
    Bootloader,
    GuestFacts,
    Initramfs,
    InitramfsState,
    Kernel,
    OsRelease,
    Section,
    Unread,
)
from diskwright.model.image import Problem
from diskwright.model.location import Location
from diskwright.model.sections import FIELDS
from diskwright.model.windows import FirewallProfile, WindowsFacts
from diskwright.ops.unread_facts import differing_guests
from support.good_facts import BIOS

HUGE = "/etc/fstab: has 4294967296 bytes [too-large]"


def lacking(guest: GuestFacts, *unread: Section, **changed) -> GuestFacts:
    return replace(guest, unread=tuple(Unread(section, HUGE) for section in unread), **changed)


def compared(a: GuestFacts, b: GuestFacts) -> tuple[list[str], list[str]]:
    """Paths of what changed, and what was not compared."""
    changes, unread = differing_guests(a, b)
    assert {one.reason for one in unread} <= {HUGE}
    return [c.path for c in changes], [f"{one.image} {one.what}" for one in unread]


def swapped(lines: list[str]) -> list[str]:
    return [("b" if line[0] == "a" else "a") + line[1:] for line in lines]


def both_ways(a: GuestFacts, b: GuestFacts) -> tuple[list[str], list[str]]:
    changes, unread = compared(a, b)
    assert compared(b, a) == (changes, swapped(unread))
    return changes, unread


def test_every_section_has_fields_and_every_field_a_section() -> None:
    assert set(FIELDS) == set(Section)
    assert all(FIELDS.values())
    told = {path.split(".")[0] for paths in FIELDS.values() for path in paths}
    assert told == set(field_names(GuestFacts)) - {"unread"}


@pytest.mark.parametrize("path", sorted({path for paths in FIELDS.values() for path in paths}))
def test_each_of_these_fields_is_there(path: str) -> None:
    kind: object = GuestFacts
    for name in path.split("."):
        kind = next((k for k in get_args(kind) if k not in (NoneType, Ellipsis)), kind)
        if name != "*":
            kind = get_type_hints(kind)[name]


def test_a_field_that_was_not_read_is_told_and_not_compared() -> None:
    assert BIOS.fstab
    unread = lacking(BIOS, Section.FSTAB, fstab=None)
    assert both_ways(BIOS, unread) == ([], ["b guest.fstab"])
    _, (told,) = differing_guests(BIOS, unread)
    assert told == NotCompared("b", "guest.fstab", HUGE)


def test_a_field_that_is_null_and_read_differs() -> None:
    assert compared(BIOS, replace(BIOS, fstab=None)) == (["guest.fstab"], [])


def test_what_is_unread_in_both_is_told_of_both() -> None:
    unread = lacking(BIOS, Section.FSTAB, fstab=None)
    assert compared(unread, unread) == ([], ["a guest.fstab", "b guest.fstab"])


def test_other_facts_are_compared_all_the_same() -> None:
    other = OsRelease("debian", "99", None)
    unread = lacking(BIOS, Section.FSTAB, fstab=None, libc="musl", os=other)
    changes, _ = compared(replace(BIOS, os=OsRelease("debian", "98", None)), unread)
    assert changes == ["guest.os.version_id", "guest.libc"]


@pytest.mark.parametrize("problems", [(), (Problem("guest-link-escapes", "/x"),)])
def test_a_guest_of_which_nothing_was_read_has_no_other_facts(problems) -> None:
    whole = replace(BIOS, problems=problems, windows=WindowsFacts())
    changes, unread = both_ways(whole, nothing_read(HUGE))
    assert changes == []
    assert {f"b guest.{paths[0]}" for paths in FIELDS.values()} <= set(unread)
    assert ("b guest.problems" in unread) is bool(problems)
    assert len(unread) == len(set(unread))


def test_where_the_root_was_not_read_nothing_of_it_is_gone() -> None:
    """Its kernels and Windows have sections that are not named as unread."""
    lost = lacking(GuestFacts(table=BIOS.table), Section.ROOT)
    whole = replace(BIOS, filesystems=None, volumes=(), windows=WindowsFacts())
    changes, unread = both_ways(whole, lost)
    assert changes == []
    assert {"b guest.root", "b guest.kernels", "b guest.windows"} <= set(unread)


def test_a_product_that_was_not_read() -> None:
    whole = GuestFacts(windows=WindowsFacts(product="Windows 10 Pro", build="19045"))
    unread = lacking(GuestFacts(windows=WindowsFacts()), Section.OS)
    told = ["b guest.os", "b guest.windows.product", "b guest.windows.build"]
    assert both_ways(whole, unread) == ([], told)


def test_a_section_that_was_read_in_part_is_compared_by_what_was_read() -> None:
    on, off = (FirewallProfile("public", enabled) for enabled in (True, False))
    whole = GuestFacts(windows=WindowsFacts(fast_startup=True, firewall=(on,)))
    part = lacking(GuestFacts(windows=WindowsFacts(firewall=(off,))), Section.WINDOWS)
    changed = ["guest.windows.firewall.0.enabled"]
    assert both_ways(whole, part) == (changed, ["b guest.windows"])
    more = GuestFacts(windows=WindowsFacts(firewall=(off, FirewallProfile("domain", True))))
    assert both_ways(more, part) == (["guest.windows.firewall.1"], ["b guest.windows"])
    empty = lacking(GuestFacts(windows=WindowsFacts()), Section.WINDOWS)
    assert both_ways(more, empty) == ([], ["b guest.windows"])


def boot(*versions: str) -> Bootloader:
    entries = tuple(
        BootEntry(Location("/x", 1), v, f"/{v}", True, (), None, "", None, None, None, version=v)
        for v in versions
    )
    return Bootloader("grub2", True, None, None, (), "/x", entries)


def test_boot_entries_may_be_in_a_file_that_was_not_read() -> None:
    whole = GuestFacts(bootloader=boot("1", "2"))
    part = lacking(GuestFacts(bootloader=boot("1")), Section.BOOT)
    assert both_ways(whole, part) == ([], ["b guest.bootloader"])
    other = lacking(GuestFacts(bootloader=boot("1", "2", "3")), Section.BOOT)
    assert compared(whole, other) == (["guest.bootloader.entries.2"], ["b guest.bootloader"])


def kernel(version: str, initramfs: Initramfs | None, *, default: bool = True) -> Kernel:
    modules = ("virtio_blk",) if default else None
    return Kernel(version, f"/boot/{version}", default, ("ext4",), initramfs, None, modules)


READ = Initramfs("/boot/i", InitramfsState.READ, "zstd", 400, ("virtio_blk",))
UNREAD = Initramfs("/boot/i", InitramfsState.UNREAD, detail=HUGE)


def test_an_initramfs_that_was_not_read() -> None:
    whole = GuestFacts(kernels=(kernel("1", READ),))
    unread = lacking(GuestFacts(kernels=(kernel("1", UNREAD),)), Section.INITRAMFS)
    told = ["b guest.kernels.*.initramfs", "b guest.kernels.0.initramfs"]
    assert both_ways(whole, unread) == ([], told)
    gone = GuestFacts(kernels=(kernel("1", None),))
    assert both_ways(whole, gone) == (["guest.kernels.0.initramfs"], [])
    assert both_ways(unread, GuestFacts(kernels=())) == (
        ["guest.kernels.0"],
        ["a guest.kernels.*.initramfs"],
    )


def test_of_a_kernel_that_is_the_default_no_more_little_is_known() -> None:
    before = GuestFacts(kernels=(kernel("1", READ),))
    after = GuestFacts(kernels=(kernel("2", READ), kernel("1", UNREAD, default=False)))
    changes, unread = differing_guests(before, after)
    assert [(c.change.value, c.path) for c in changes] == [
        ("changed", "guest.kernels.0.default"),
        ("added", "guest.kernels.0"),
    ]
    assert [(one.image, one.what, one.reason) for one in unread] == [
        ("b", "guest.kernels.0.initramfs", HUGE),
        ("b", "guest.kernels.0.modules", "of a kernel that is not the default"),
    ]
