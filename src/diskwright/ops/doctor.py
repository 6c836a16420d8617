"""doctor: what is installed and in force here, and what an endpoint can do."""

from __future__ import annotations

from collections.abc import Sequence

from diskwright.model.outcome import Doctored, Tool
from diskwright.ports import ObjectStore, OsDatabase


def doctor(
    *,
    tools: Sequence[Tool],
    confinement: str,
    confined: bool,
    database: OsDatabase,
    store: ObjectStore | None,
) -> Doctored:
    """With a store it writes, reads back, multiparts, copies, puts conditionally and deletes."""
    return Doctored(
        tools=tuple(tools),
        confinement=confinement,
        confined=confined,
        os_database=database.date,
        target=store.url if store is not None else "",
        capabilities=store.probe() if store is not None else None,
    )
