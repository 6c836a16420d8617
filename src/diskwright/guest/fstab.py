"""What the guest mounts when it starts: /etc/fstab, fstab(5)."""

from __future__ import annotations

import re

from diskwright.guest.devices import DiskNames, name_device
from diskwright.guest.reading import Unreadable
from diskwright.guest.tree import GuestTree
from diskwright.model.guest import FstabEntry, NamedBy
from diskwright.model.location import Location

FSTAB = "/etc/fstab"
MAX_FSTAB = 1 << 20
MAX_ENTRIES = 4096

_DEFAULTS = ("auto", "defaults")  # of the third and the fourth field
_OCTAL = re.compile(r"\\([0-7]{3})")


def read_fstab(tree: GuestTree, disk: DiskNames) -> tuple[FstabEntry, ...]:
    """Its entries in order. Raises GuestReadError (also NotThere) where it can't be read."""
    entries = parse_fstab(tree.read_text(FSTAB, MAX_FSTAB), disk)
    if len(entries) > MAX_ENTRIES:
        raise Unreadable("too-large", f"has more than {MAX_ENTRIES} entries", path=FSTAB)
    return entries


def parse_fstab(text: str, disk: DiskNames) -> tuple[FstabEntry, ...]:
    """Lines with fewer than two fields are passed over, as mount(8) does."""
    entries = []
    for number, line in enumerate(text.split("\n"), start=1):
        fields = [_unescape(field) for field in line.split()]
        if len(fields) < 2 or fields[0].startswith("#"):
            continue
        spec, mount_point, kind, options = [*fields[:4], *_DEFAULTS[len(fields[:4]) - 2 :]]
        named = tuple(option for option in options.split(",") if option)
        entries.append(
            FstabEntry(
                location=Location(FSTAB, number),
                spec=spec,
                named_by=_named_by(spec, kind, named),
                mount_point=mount_point,
                type=kind,
                options=named,
                on_disk=disk.has(spec, kind),
                filesystem=disk.find(spec),
            )
        )
    return tuple(entries)


def _named_by(spec: str, kind: str, options: tuple[str, ...]) -> NamedBy:
    if "bind" in options or "rbind" in options:
        return NamedBy.PSEUDO
    return name_device(spec, kind)


def _unescape(field: str) -> str:
    r"""`\040` is a space: three octal digits of one byte."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8) & 0xFF), field)
