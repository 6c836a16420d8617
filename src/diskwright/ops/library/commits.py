"""What a catalog keeps of large manifests, so that a change of an image does not read one again.

Losing it loses nothing. What a swapped manifest would make of it is noticed where it matters: a
record that follows the one that is known here follows no other, and data is read by the manifest
that lies there, held against what the catalog knows.
"""

from __future__ import annotations

from diskwright.model import commit as commits
from diskwright.model.commit import Commit
from diskwright.ops.library.chain import Chain
from diskwright.ports_library import Catalog

_SMALL = 16 << 10  # bytes of a manifest that may as well be read each time


def keep(catalog: Catalog, chain: Chain) -> None:
    """The catalog has the image already."""
    if chain.commit.size > _SMALL:
        catalog.keep_commit(chain.manifest.image, commits.encode(chain.commit))


def kept(catalog: Catalog, image_id: str) -> Commit | None:
    text = catalog.commit(image_id)
    return None if text is None else commits.decode(text)
