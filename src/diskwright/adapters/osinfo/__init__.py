"""Operating systems by their install media, their least memory and disk."""

from diskwright.adapters.osinfo.database import OsinfoDatabase

__all__ = ["OsinfoDatabase"]
