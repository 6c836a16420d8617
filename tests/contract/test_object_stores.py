"""The shipped stores keep the contract."""

from __future__ import annotations

import os
import uuid

import pytest

from diskwright.adapters.directory import DirectoryStore

from .object_store import ObjectStoreContract


class TestDirectory(ObjectStoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        root = tmp_path / "target"
        yield DirectoryStore(str(root))
        assert not os.path.exists(root / ".uploads")


@pytest.fixture(scope="module")
def bucket(seaweed):
    return seaweed.bucket()


@pytest.mark.s3
class TestS3(ObjectStoreContract):
    @pytest.fixture
    def store(self, seaweed, bucket):
        return seaweed.store(bucket, f"team a/{uuid.uuid4()}")

    def test_a_wrong_checksum_is_seen_by_the_server(self, store):
        assert store.probe().checksum_verified
