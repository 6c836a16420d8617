"""A library's index as an SQLite file of this workstation.

    schema.py      tables, and the numbered steps to the newest ones
    connection.py  how the file is made and opened, and what SQLite says in our words
    rows.py        an entry as columns and JSON, and back
    filters.py     a query as SQL
    store.py       `SqliteCatalog`

Nothing in it is the only copy: whatever is wrong with the file, it is discarded and made anew.
"""

from diskwright.adapters.catalog.connection import discard
from diskwright.adapters.catalog.store import SqliteCatalog

__all__ = ["SqliteCatalog", "discard"]
