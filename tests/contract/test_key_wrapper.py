"""Every adapter that wraps data keys, held to one contract."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from diskwright.adapters import kms_receiver
from diskwright.adapters.kms_local import LocalKey, new_key
from diskwright.model.stored import WrappedKey
from diskwright.ports import KeyWrapper
from support.servers.openbao import KEY, OTHER_KEY, PLAIN_KEY, OpenBao

from .key_wrapper import KeyWrapperContract


class TestLocalKey(KeyWrapperContract):
    @pytest.fixture
    def wrapper(self, tmp_path: Path) -> KeyWrapper:
        new_key(str(tmp_path / "kek.json"))
        return LocalKey.load(str(tmp_path / "kek.json"))

    @pytest.fixture
    def stranger(self, tmp_path: Path) -> KeyWrapper:
        return new_key(str(tmp_path / "other.json"))


class TestReceiverKey(KeyWrapperContract):
    @pytest.fixture
    def wrapper(self, tmp_path: Path) -> KeyWrapper:
        kms_receiver.new_receiver(str(tmp_path / "receiver.json"), name="Ada")
        return kms_receiver.load(str(tmp_path / "receiver.json"))

    @pytest.fixture
    def stranger(self, tmp_path: Path) -> KeyWrapper:
        return kms_receiver.new_receiver(str(tmp_path / "other.json"), name="Ada")


class TestTransitKey(KeyWrapperContract):
    """Of Vault's transit engine, with a derived key."""

    place = KEY

    @pytest.fixture
    def wrapper(self, openbao: OpenBao) -> KeyWrapper:
        return openbao.key(self.place)

    @pytest.fixture
    def stranger(self, openbao: OpenBao) -> KeyWrapper:
        return openbao.key(OTHER_KEY)

    def apart(self, wrapped: WrappedKey) -> tuple[str, bytes]:
        prefix, _, text = wrapped.wrapped_key.rpartition(":")
        return f"{prefix}:", base64.b64decode(text, validate=True)


class TestPlainTransitKey(TestTransitKey):
    """With one that is not derived: the context is bound all the same."""

    place = PLAIN_KEY
