"""What the image service mends by itself when it imports an image, and when it does not."""

from __future__ import annotations

from diskwright.rules.rule import Case, root_filesystem

# Open Telekom Cloud, Image Management Service user guide, "What Will the System Do to an Image File
# When I Use the File to Register a Private Image?": where it copies no virtio driver
_WITHOUT_DRIVERS = (
    ("fedora", "29", ""),
    ("fedora", "30", ""),
    ("centos", "8", "xfs"),
    ("sles", "12.4", "ext4"),
)
_DRIVERS = "boot.initramfs-no-virtio"


def mended(rule: str, case: Case) -> str:
    """In words what the service does about a breach of `rule`; empty where that stays."""
    said = case.profile.mends.get(rule, "")
    return "" if rule == _DRIVERS and not _takes_drivers(case) else said


def _takes_drivers(case: Case) -> bool:
    if any(entry.mount_point == "/usr" for entry in case.guest.fstab or ()):
        return False
    os, root = case.guest.os, root_filesystem(case.guest)
    if os is None or root is None or case.guest.fstab is None:
        return False  # what is not known is not taken for mended
    return not any(
        os.id == name and os.version_id == version and kind in ("", root.type)
        for name, version, kind in _WITHOUT_DRIVERS
    )
