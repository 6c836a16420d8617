"""The vectors of docs/sealed-format.md: what the project makes, and what a second reader opens."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from diskwright.adapters.kms_local import LocalKey
from diskwright.adapters.kms_vault import transit
from diskwright.envelope import header, receiver, stream
from diskwright.envelope.private import open_private
from diskwright.model.stored import WrappedKey
from support import sealed_vectors, second_hpke, second_reader
from support.sealing import open_bytes

DOCS = Path(__file__).parents[2] / "docs"
VECTORS: dict[str, Any] = json.loads((DOCS / "vectors" / "sealed.json").read_text())
SAMPLE = (DOCS / "vectors" / "small.dws").read_bytes()
DISKS = {disk["name"]: disk for disk in VECTORS["disks"]}


@pytest.fixture(scope="module")
def built() -> dict[str, Any]:
    return sealed_vectors.build()


def test_the_project_still_makes_the_vectors(built: dict[str, Any]) -> None:
    assert built == VECTORS
    assert sealed_vectors.sample() == SAMPLE


def test_a_second_reader_opens_the_sample() -> None:
    kek_id, kek = second_reader.read_kek(VECTORS["kek"]["plain"])
    plain = second_reader.read_disk(SAMPLE, kek_id, kek)
    assert hashlib.sha256(plain).hexdigest() == DISKS["small"]["plain_sha256"]


@pytest.mark.parametrize("name", DISKS)
def test_a_second_reader_opens_every_disk(name: str) -> None:
    vector = DISKS[name]
    disk = json.loads(vector["j1"])["disk"]
    sealed, _ = sealed_vectors.sealed_disk(disk, vector["plain_size"])
    assert hashlib.sha256(sealed).hexdigest() == vector["sealed_sha256"]
    kek_id, kek = second_reader.read_kek(VECTORS["kek"]["plain"])
    plain = second_reader.read_disk(sealed, kek_id, kek)
    assert hashlib.sha256(plain).hexdigest() == vector["plain_sha256"]


def test_a_second_reader_opens_key_and_manifest() -> None:
    key = VECTORS["kek"]
    plain = second_reader.read_kek(key["plain"])
    assert second_reader.read_kek(key["protected"], key["passphrase"]) == plain
    assert plain[1].hex() == key["key"]
    manifest = VECTORS["manifest"]
    body = second_reader.read_private(
        bytes.fromhex(VECTORS["data_key"]), manifest["private"], manifest["clear"].encode()
    )
    assert body == manifest["body"].encode()


def test_the_project_reads_the_vectors(tmp_path: Path) -> None:
    keys = VECTORS["kek"]
    for name in ("plain", "protected"):
        (tmp_path / name).write_text(keys[name])
        (tmp_path / name).chmod(0o600)
        key = LocalKey.load(str(tmp_path / name), lambda: keys["passphrase"])
        recipient = header.decode(SAMPLE, what="sample").recipients[0]
        assert recipient.wrapped_key == VECTORS["wrapped_key"]
        assert recipient.key_id == key.key_id
    assert open_bytes(SAMPLE) == sealed_vectors.plaintext(5)
    manifest = VECTORS["manifest"]
    data_key = bytes.fromhex(VECTORS["data_key"])
    clear = manifest["clear"].encode()
    assert open_private(data_key, manifest["private"], clear) == manifest["body"].encode()


def test_a_key_that_was_wrapped_for_a_receiver_opens_for_good() -> None:
    vector = json.loads((DOCS / "vectors" / "receiver.json").read_text())
    seed, wrapped = bytes.fromhex(vector["seed"]), vector["recipient"]
    context = VECTORS["context"].encode()
    key = json.loads(vector["key_file"])
    assert base64.b64decode(key["key"]) == seed
    ours = receiver.ReceiverKey.of("receiver:vector", key["id"], key["name"], seed)
    assert ours.public.encode().decode() == vector["public"]
    assert ours.public.fingerprint == vector["fingerprint"]
    assert base64.b64decode(ours.public.public) == second_hpke.public_of(seed)
    opened = ours.unwrap(WrappedKey(**wrapped), context)
    assert opened.hex() == VECTORS["data_key"]
    raw = base64.b64decode(wrapped["wrapped_key"])
    assert second_hpke.open_(seed, raw, b"diskwright receiver v1" + context) == opened


def test_the_page_says_the_numbers_that_the_code_uses() -> None:
    page = (DOCS / "sealed-format.md").read_text()
    said = [
        f"{header.HEADER_SIZE:,} bytes",
        f"`{header.CIPHER}`",
        f"`{header.INFO.decode()}`",
        "`diskwright manifest v1`",
        f"{stream.FIRST_PLAIN:,}",
        f"{stream.OTHER_PLAIN:,}",
        f"{receiver.SUITE} ",
        f"`{receiver.INFO.decode()}`",
        f"provider `{receiver.PROVIDER}`",
        f"at most {receiver.LIMIT_BYTES:,} bytes",
        f"provider `{transit.PROVIDER}`",
        VECTORS["context"],
        DISKS["small"]["j1"],
        VECTORS["kek"]["plain"],
        VECTORS["data_key"],
        base64.b64encode(SAMPLE[header.HEADER_SIZE :]).decode(),
    ]
    assert [words for words in said if words not in page] == []
