"""Every adapter that keeps a library's index, held to one contract."""

from __future__ import annotations

from contextlib import closing

import pytest

from diskwright.adapters.catalog import SqliteCatalog
from diskwright.ports_library import Catalog

from .catalog import CatalogContract


class TestSqliteCatalog(CatalogContract):
    @pytest.fixture
    def catalog(self, tmp_path):
        opened: Catalog = SqliteCatalog.open(str(tmp_path / "library" / "catalog.db"))
        with closing(opened):
            yield opened
