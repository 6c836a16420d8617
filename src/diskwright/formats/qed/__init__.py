"""QED."""

from diskwright.formats.qed.facts import read_facts

__all__ = ["read_facts"]
