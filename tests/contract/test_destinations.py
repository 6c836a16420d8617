"""Images go whole or not at all to every shipped store."""

from __future__ import annotations

import pytest

from diskwright.adapters.directory import DirectoryStore
from support.memory_store import MemoryStore

from .destination import DestinationContract


class TestMemory(DestinationContract):
    @pytest.fixture
    def part_size(self):
        return 128 << 10

    @pytest.fixture
    def store(self):
        return MemoryStore()


class TestDirectory(DestinationContract):
    @pytest.fixture
    def part_size(self):
        return 128 << 10

    @pytest.fixture
    def store(self, tmp_path):
        return DirectoryStore(str(tmp_path / "target"))


@pytest.mark.s3
class TestS3(DestinationContract):
    @pytest.fixture
    def part_size(self):
        return 5 << 20

    @pytest.fixture
    def store(self, seaweed):
        return seaweed.fresh()
