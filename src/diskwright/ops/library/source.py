"""An image whose data is going to be read: opened, at its newest state."""

from __future__ import annotations

from diskwright.errors import ImageNotFound
from diskwright.model.library import Entry, Status
from diskwright.ops.images import Found
from diskwright.ops.library.chain import OTHERS_BYTES, Chain, read_chain
from diskwright.ops.library.fold import entry_of
from diskwright.ops.library.place import check_known, check_state
from diskwright.ops.manifests import needs_key
from diskwright.ports import KeyWrapper, ObjectStore


def source_chain(store: ObjectStore, known: Entry, wrapper: KeyWrapper | None) -> Chain:
    """Raises ImageNotFound, DataTampered where it is not what is `known`, or less of it."""
    limit = OTHERS_BYTES if known.origin else None
    chain = read_chain(store, known.id, wrapper, limit=limit)
    if chain is None:
        raise ImageNotFound(store.url, known.id)
    if not known.origin:
        check_known(known, chain)
    return chain


def active_chain(
    store: ObjectStore, known: Entry, wrapper: KeyWrapper | None, wanted: str
) -> Chain:
    """As `source_chain`. Raises IllegalState for what is in the trash: it can't be `wanted`."""
    chain = source_chain(store, known, wrapper)
    check_state(entry_of(chain), Status.ACTIVE, wanted)
    return chain


def found_of(chain: Chain) -> Found:
    """Its first disk. Raises KeyMissing where it is sealed and was not opened."""
    if chain.body is None:
        raise needs_key(chain.manifest.image, chain.recipients)
    return Found(chain.manifest, chain.body, chain.data_key, chain.warnings)
