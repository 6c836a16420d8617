"""Least memory and disk of operating systems."""

from diskwright.adapters.osinfo.database import OsinfoDatabase

__all__ = ["OsinfoDatabase"]
