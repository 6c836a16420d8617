"""What the guest opens by a key when it starts: /etc/crypttab, crypttab(5)."""

from __future__ import annotations

from diskwright.guest.devices import DiskNames, name_device
from diskwright.guest.reading import Unreadable
from diskwright.guest.tree import GuestTree
from diskwright.model.guest import CryptEntry
from diskwright.model.location import Location

CRYPTTAB = "/etc/crypttab"
MAX_CRYPTTAB = 1 << 20
MAX_ENTRIES = 4096

_NO_KEY = frozenset({"", "-", "none"})


def read_crypttab(tree: GuestTree, disk: DiskNames) -> tuple[CryptEntry, ...]:
    """Its entries in order. Raises GuestReadError (also NotThere) where it can't be read."""
    entries = parse_crypttab(tree.read_text(CRYPTTAB, MAX_CRYPTTAB), disk)
    if len(entries) > MAX_ENTRIES:
        raise Unreadable("too-large", f"has more than {MAX_ENTRIES} entries", path=CRYPTTAB)
    return entries


def parse_crypttab(text: str, disk: DiskNames) -> tuple[CryptEntry, ...]:
    """Lines with fewer than two fields are passed over."""
    entries = []
    for number, line in enumerate(text.split("\n"), start=1):
        fields = line.split()
        if len(fields) < 2 or fields[0].startswith("#"):
            continue
        name, spec, key, options = [*fields[:4], *("", "")[len(fields[:4]) - 2 :]]
        entries.append(
            CryptEntry(
                location=Location(CRYPTTAB, number),
                name=name,
                spec=spec,
                named_by=name_device(spec),
                key=None if key in _NO_KEY else key,
                options=tuple(option for option in options.split(",") if option),
                on_disk=disk.has(spec),
            )
        )
    return tuple(entries)
