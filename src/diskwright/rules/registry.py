"""All rules, in the order that findings of one weight are shown in."""

from __future__ import annotations

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
)
from diskwright.rules.rule import Rule

RULES: tuple[Rule, ...] = (
    *image.RULES,
    *disk.RULES,
    *boot.RULES,
    *grub.RULES,
    *initramfs.RULES,
    *fstab.RULES,
    *awaited.RULES,
    *network.RULES,
    *cloud_init.RULES,
    *access.RULES,
    *privacy.RULES,
    *guest.RULES,
    *memory.RULES,
)


def known_rule_ids() -> frozenset[str]:
    """What `--accept` may name."""
    return frozenset(rule.id for rule in RULES)
