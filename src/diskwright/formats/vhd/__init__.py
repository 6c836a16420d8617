"""VHD."""

from diskwright.formats.vhd.facts import read_facts

__all__ = ["read_facts"]
