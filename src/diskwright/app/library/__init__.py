"""The private image library as methods: `diskwright.Library`, and what the command calls."""

from diskwright.app.library.library import Library

__all__ = ["Library"]
