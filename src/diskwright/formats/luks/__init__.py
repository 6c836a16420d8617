"""LUKS1 and LUKS2 headers."""

from diskwright.formats.luks.facts import read_header, refusal

__all__ = ["read_header", "refusal"]
