"""All rules, in the order that findings of one weight are shown in."""

from __future__ import annotations

from collections.abc import Iterable

from diskwright._values import replace
from diskwright.rules import (
    access,
    awaited,
    boot,
    cloud_init,
    disk,
    fstab,
    grub,
    guest,
    image,
    initramfs,
    memory,
    network,
    privacy,
    remote_desktop,
    subvolumes,
    windows,
    windows_drivers,
)
from diskwright.rules.rule import Rule


def _of_linux(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(replace(rule, linux_only=True) for rule in rules)


RULES: tuple[Rule, ...] = (
    *image.RULES,
    *disk.RULES,
    *boot.RULES,
    *_of_linux(grub.RULES),
    *_of_linux(initramfs.RULES),
    *_of_linux(fstab.RULES),
    *_of_linux(subvolumes.RULES),
    *_of_linux(awaited.RULES),
    *windows_drivers.RULES,
    *windows.RULES,
    *remote_desktop.RULES,
    *network.RULES,
    *cloud_init.RULES,
    *_of_linux(access.RULES),
    *_of_linux(privacy.RULES),
    *guest.RULES,
    *memory.RULES,
)


def known_rule_ids() -> frozenset[str]:
    """What `--accept` may name."""
    return frozenset(rule.id for rule in RULES)
