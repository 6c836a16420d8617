"""VMDK."""

from diskwright.formats.vmdk.facts import extents_of, read_extent_facts, read_facts

__all__ = ["extents_of", "read_extent_facts", "read_facts"]
