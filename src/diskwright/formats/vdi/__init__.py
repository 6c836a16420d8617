"""VDI."""

from diskwright.formats.vdi.facts import read_facts

__all__ = ["read_facts"]
