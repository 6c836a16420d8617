"""Parallels."""

from diskwright.formats.parallels.facts import read_facts

__all__ = ["read_facts"]
