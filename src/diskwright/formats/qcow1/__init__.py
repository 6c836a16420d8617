"""qcow version 1."""

from diskwright.formats.qcow1.facts import read_facts

__all__ = ["read_facts"]
