"""Which facts of a guest are told by which of its sections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from diskwright.model.guest import GuestFacts, Section

# Paths in GuestFacts, `*` for each member of a list; the first is the section's own. The others
# stay empty as well where it is unread.
FIELDS: Mapping[Section, tuple[str, ...]] = {
    Section.TABLE: ("table",),
    Section.FILESYSTEMS: ("filesystems", "volumes"),
    Section.ROOT: (
        *(
            "root",
            "root_subvolume",
            "os",
            "architecture",
            "libc",
            "fstab",
            "crypttab",
            "bootloader",
            "kernels",
        ),
        *("network", "cloud_init", "accounts", "ssh", "left", "services", "windows", "problems"),
    ),
    Section.OS: (
        "os",
        *("windows.product", "windows.edition", "windows.installation"),
        *("windows.version", "windows.build", "windows.release"),
    ),
    Section.FSTAB: ("fstab",),
    Section.CRYPTTAB: ("crypttab",),
    Section.BOOT: ("bootloader",),
    Section.KERNELS: ("kernels",),
    Section.INITRAMFS: ("kernels.*.initramfs",),
    Section.NETWORK: ("network",),
    Section.CLOUD_INIT: ("cloud_init",),
    Section.ACCOUNTS: ("accounts",),
    Section.SSH: ("ssh",),
    Section.LEFT: ("left",),
    Section.SERVICES: ("services",),
    Section.WINDOWS: ("windows",),
}


def unread_fields(guest: GuestFacts, names: Sequence[str]) -> list[tuple[Section, str]]:
    """The unread sections that a path of `names` is told by, each with the field it is in."""
    unread = dict.fromkeys(one.section for one in guest.unread)
    return [(section, f) for section in unread for f in FIELDS[section] if _is_in(names, f)]


def _is_in(names: Sequence[str], field: str) -> bool:
    wanted = field.split(".")
    pairs = zip(names, wanted, strict=False)
    return len(names) >= len(wanted) and all(want in ("*", name) for name, want in pairs)
