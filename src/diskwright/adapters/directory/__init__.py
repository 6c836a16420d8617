"""A folder laid out like a bucket: the `dir:PATH` destination."""

from diskwright.adapters.directory.store import DirectoryStore

__all__ = ["DirectoryStore"]
