"""What passes between a confined child and its parent; light to import, for the parent's sake."""

from __future__ import annotations

FUNCTION = "diskwright.formats.packed.child:main"
REFUSED = 3  # exit status: stderr is JSON, [code, detail, offset]
UNREADABLE = 4  # exit status: stderr is what the system said
