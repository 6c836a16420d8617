"""An altered manifest of a sealed image: nothing of it is believed."""

from __future__ import annotations

import json

import pytest

from diskwright._values import replace
from diskwright.envelope import header
from diskwright.envelope.private import open_private, seal_private
from diskwright.envelope.recipients import recipient_of, unwrap_any
from diskwright.errors import SecretError
from diskwright.model import canonical
from diskwright.model.manifest import Manifest, NotAManifest, clear_part, decode, encode
from diskwright.model.stored import StoredObject
from support.sealing import DATA_KEY, KEY, SEAL

BODY = canonical.encode({"name": "web", "disks": []})


def sealed_manifest() -> Manifest:
    digest = "ab" * 32
    stored = StoredObject("images/i/disk-0.dws", 1 << 21, 8 << 20, (digest,), "cd" * 32)
    recipient = recipient_of(KEY.wrap(DATA_KEY, header.context_bytes(SEAL)))
    clear = Manifest(
        "0190b0f4-0000-7000-8000-000000000001",
        "2026-01-02T03:04:05Z",
        (stored,),
        seal=SEAL,
        recipients=(recipient,),
        private="",
    )
    return replace(clear, private=seal_private(DATA_KEY, BODY, clear_part(clear)))


def opened(data: bytes) -> bytes:
    """As a reader of the library does it: unwrap, then check the clear part by the private one."""
    manifest = decode(data)
    assert manifest is not None
    assert manifest.seal is not None
    assert manifest.private is not None
    data_key = unwrap_any(manifest.recipients, manifest.seal, KEY.unwrap)
    return open_private(data_key, manifest.private, clear_part(manifest))


def test_untouched_it_opens() -> None:
    assert opened(encode(sealed_manifest())) == BODY


def test_one_bit_of_every_byte() -> None:
    data = bytearray(encode(sealed_manifest()))
    for place in range(len(data)):
        for bit in (0, 5):
            data[place] ^= 1 << bit
            with pytest.raises((SecretError, NotAManifest)):
                opened(bytes(data))
            data[place] ^= 1 << bit


@pytest.mark.parametrize(
    "change",
    [
        {"time": "2026-01-02T03:04:06Z"},
        {"image": "0190b0f4-0000-7000-8000-000000000002"},
        {"seal": "0190b0f4-0000-7000-8000-00000000beef"},
        {"objects": []},
        {"private": ""},
    ],
)
def test_a_well_formed_change_of_any_field(change: dict[str, object]) -> None:
    document = json.loads(encode(sealed_manifest()))
    with pytest.raises(SecretError):
        opened(canonical.encode(document | change))


def test_a_recipient_that_was_added_or_taken_from_elsewhere() -> None:
    document = json.loads(encode(sealed_manifest()))
    mine = document["recipients"][0]
    stranger = mine | {"key_id": "another"}
    other_seal = KEY.wrap(bytes(32), header.context_bytes("0190b0f4-0000-7000-8000-00000000beef"))
    for recipients in ([mine, stranger], [], [mine | {"wrapped_key": other_seal.wrapped_key}]):
        with pytest.raises(SecretError):
            opened(canonical.encode(document | {"recipients": recipients}))
