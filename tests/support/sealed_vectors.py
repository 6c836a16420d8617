"""The vectors of docs/sealed-format.md, from the project's own code with all chance fixed.

`PYTHONPATH=tests:src python -m support.sealed_vectors docs/vectors` writes them.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from unittest import mock

from diskwright.adapters.kms_local import LocalKey
from diskwright.envelope import header, keyfile, keys, stream
from diskwright.envelope.private import seal_private
from diskwright.envelope.recipients import recipient_of
from diskwright.envelope.sealer import seal_chunks
from diskwright.model.stored import Chunk
from support.sealing import assemble

DATA_KEY = bytes(range(32))
KEK = bytes(range(64, 96))
KEK_ID = "6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b"
SEAL = "0190b0f4-6a3e-7c51-9d2b-3f8e5a6b7c8d"
SALT = bytes(range(100, 132))
PREFIX = bytes(range(200, 207))
PASSPHRASE = "correct horse battery staple"
CLEAR = b'{"image":"0190b0f4-0000-7000-8000-000000000001","v":1}'
BODY = b'{"name":"web"}'
SIZES = {
    "empty": 0,
    "small": 5,
    "one full segment": stream.FIRST_PLAIN,
    "one byte more": stream.FIRST_PLAIN + 1,
    "three segments": stream.FIRST_PLAIN + stream.OTHER_PLAIN + 1000,
}
SAMPLE = "small"  # stored whole, as a file


def plaintext(size: int) -> bytes:
    """SHA-256(u32be 0) | SHA-256(u32be 1) | … cut to `size`."""
    blocks = (hashlib.sha256(n.to_bytes(4, "big")).digest() for n in range(-(-size // 32)))
    return b"".join(blocks)[:size]


@contextmanager
def _fixed_random() -> Iterator[None]:
    """os.urandom gives 01 01 …, then 02 02 …: nonces and salts that can be repeated."""
    calls = iter(range(1, 256))
    with mock.patch.object(os, "urandom", lambda size: bytes([next(calls)]) * size):
        yield


def sealed_disk(disk: int, size: int) -> tuple[bytes, bytes]:
    """The sealed bytes, and J1."""
    j1 = header.DiskSeal(SEAL, disk, "raw", size).encode()
    with _fixed_random():
        key = LocalKey("local:kek.json", KEK_ID, KEK)
        recipient = recipient_of(key.wrap(DATA_KEY, header.context_bytes(SEAL)))
    encoded = header.encode(j1, [recipient], DATA_KEY)
    # one salt for all vectors: a real program draws one for each disk
    sealer = stream.SegmentSealer(DATA_KEY, j1, salt=SALT, prefix=PREFIX)
    source = iter([Chunk(0, plaintext(size))])
    return assemble(seal_chunks(source, header=encoded, sealer=sealer)), j1


def _disk(name: str, disk: int, size: int) -> dict[str, object]:
    sealed, j1 = sealed_disk(disk, size)
    associated_data = hashlib.sha256(j1).digest()
    payload = sealed[header.HEADER_SIZE :]
    cuts = [stream.stored_start(n) for n in range(stream.segment_count(size))] + [len(payload)]
    return {
        "name": name,
        "j1": j1.decode(),
        "plain_size": size,
        "plain_sha256": hashlib.sha256(plaintext(size)).hexdigest(),
        "associated_data": associated_data.hex(),
        "payload_key": keys.derive(DATA_KEY, associated_data, salt=SALT).hex(),
        "header_sha256": hashlib.sha256(sealed[: header.HEADER_SIZE]).hexdigest(),
        "header_mac": sealed[header.HEADER_SIZE - 32 : header.HEADER_SIZE].hex(),
        "payload_header": payload[:40].hex(),
        "segments": [
            {"size": end - start, "sha256": hashlib.sha256(payload[start:end]).hexdigest()}
            for start, end in pairwise(cuts)
        ],
        "sealed_size": len(sealed),
        "sealed_sha256": hashlib.sha256(sealed).hexdigest(),
    }


def build() -> dict[str, object]:
    with _fixed_random():
        wrapped = LocalKey("local:kek.json", KEK_ID, KEK).wrap(DATA_KEY, header.context_bytes(SEAL))
        protected = keyfile.encode(keyfile.KEK, KEK_ID, KEK, PASSPHRASE)
        private = seal_private(DATA_KEY, BODY, CLEAR)
    return {
        "data_key": DATA_KEY.hex(),
        "header_key": keys.derive(DATA_KEY, b"diskwright header v1").hex(),
        "manifest_key": keys.derive(DATA_KEY, b"diskwright manifest v1").hex(),
        "salt": SALT.hex(),
        "nonce_prefix": PREFIX.hex(),
        "seal": SEAL,
        "context": header.context_bytes(SEAL).decode(),
        "kek": {
            "key": KEK.hex(),
            "plain": keyfile.encode(keyfile.KEK, KEK_ID, KEK).decode(),
            "passphrase": PASSPHRASE,
            "protected": protected.decode(),
        },
        "wrapped_key": wrapped.wrapped_key,
        "manifest": {"body": BODY.decode(), "clear": CLEAR.decode(), "private": private},
        "disks": [_disk(name, n, size) for n, (name, size) in enumerate(SIZES.items())],
    }


def sample() -> bytes:
    return sealed_disk(list(SIZES).index(SAMPLE), SIZES[SAMPLE])[0]


def _write(folder: str) -> None:
    with open(os.path.join(folder, "sealed.json"), "w", encoding="utf-8") as file:
        file.write(json.dumps(build(), indent=2) + "\n")
    with open(os.path.join(folder, f"{SAMPLE}.dws"), "wb") as file:
        file.write(sample())


if __name__ == "__main__":
    _write(sys.argv[1])
