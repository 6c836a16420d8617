"""The shipped stores keep the contract."""

from __future__ import annotations

import os
import uuid

import pytest

from diskwright.adapters.directory import DirectoryStore
from support.memory_store import MemoryStore

from .object_store import ObjectStoreContract


class TestMemory(ObjectStoreContract):
    """The store that other tests use in place of a real one."""

    @pytest.fixture
    def store(self):
        return MemoryStore()


class TestDirectory(ObjectStoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        root = tmp_path / "target"
        yield DirectoryStore(str(root))
        assert not os.path.exists(root / ".uploads")

    @pytest.fixture
    def beside(self, tmp_path):
        return DirectoryStore(str(tmp_path / "beside"))


@pytest.mark.s3
class TestS3(ObjectStoreContract):
    @pytest.fixture
    def store(self, seaweed):
        return seaweed.fresh()

    @pytest.fixture
    def beside(self, seaweed):
        return seaweed.store(seaweed.bucket("beside"), f"test {uuid.uuid4()}")

    def test_a_wrong_checksum_is_seen_by_the_server(self, store):
        assert store.probe().checksum_verified
