"""Every adapter that wraps data keys, held to one contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from diskwright.adapters.kms_local import LocalKey, new_key
from diskwright.ports import KeyWrapper

from .key_wrapper import KeyWrapperContract


class TestLocalKey(KeyWrapperContract):
    @pytest.fixture
    def wrapper(self, tmp_path: Path) -> KeyWrapper:
        new_key(str(tmp_path / "kek.json"))
        return LocalKey.load(str(tmp_path / "kek.json"))

    @pytest.fixture
    def stranger(self, tmp_path: Path) -> KeyWrapper:
        return new_key(str(tmp_path / "other.json"))
