"""VHDX."""

from diskwright.formats.vhdx.facts import read_data_runs, read_facts

__all__ = ["read_data_runs", "read_facts"]
