"""qcow2, versions 2 and 3."""

from diskwright.formats.qcow2.facts import read_facts

__all__ = ["read_facts"]
