"""The private part of a manifest: opened whole and with the very clear part, or refused."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from diskwright.envelope import keys
from diskwright.envelope.private import open_private, seal_private
from diskwright.errors import DataTampered

DATA_KEY = bytes(range(32))
CLEAR = b'{"image":"i","seal":"s","v":1}'
BODY = b'{"name":"web"}'


def test_what_was_sealed_opens() -> None:
    for body in (b"", BODY, bytes(1 << 20)):
        assert open_private(DATA_KEY, seal_private(DATA_KEY, body, CLEAR), CLEAR) == body


def test_the_same_body_never_looks_the_same() -> None:
    assert seal_private(DATA_KEY, BODY, CLEAR) != seal_private(DATA_KEY, BODY, CLEAR)


def test_any_bit_of_it_counts() -> None:
    private = bytearray(base64.b64decode(seal_private(DATA_KEY, BODY, CLEAR)))
    for place in range(len(private)):
        private[place] ^= 0x80
        with pytest.raises(DataTampered):
            open_private(DATA_KEY, base64.b64encode(private).decode(), CLEAR)
        private[place] ^= 0x80


def test_any_byte_of_the_clear_part_counts() -> None:
    private = seal_private(DATA_KEY, BODY, CLEAR)
    for changed in (b"", CLEAR[:-1], CLEAR + b" ", CLEAR.replace(b'"i"', b'"j"')):
        with pytest.raises(DataTampered, match="manifest 7"):
            open_private(DATA_KEY, private, changed, what="manifest 7")


def test_another_data_key_is_refused() -> None:
    with pytest.raises(DataTampered):
        open_private(bytes(32), seal_private(DATA_KEY, BODY, CLEAR), CLEAR)


@pytest.mark.parametrize("length", range(2, 5))
def test_only_canonical_base64_is_read(length: int) -> None:
    """Three lengths, so that every number of padding characters is there."""
    private = seal_private(DATA_KEY, BODY[:length], CLEAR)
    others = [private + "\n", " " + private, private + "=", private.rstrip("=") + "====", ""]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    padding = len(private) - len(private.rstrip("="))
    if padding:
        others.append(private.rstrip("="))
        last = private[-padding - 1]
        beyond = alphabet[alphabet.index(last) | 1]  # a bit beyond the last byte
        others.append(private[: -padding - 1] + beyond + "=" * padding)
    for other in others:
        with pytest.raises(DataTampered):
            open_private(DATA_KEY, other, CLEAR)


def test_a_data_key_has_32_bytes() -> None:
    for wrong in (b"", bytes(16), bytes(33)):
        with pytest.raises(ValueError, match="32"):
            keys.derive(wrong, b"info")


def test_keys_are_derived_as_rfc_5869_says() -> None:
    """Independent of the library: extract with an empty salt, then one block of expand."""

    extracted = hmac.digest(bytes(hashlib.sha256().digest_size), DATA_KEY, "sha256")
    expected = hmac.digest(extracted, b"diskwright header v1\x01", "sha256")
    assert keys.derive(DATA_KEY, b"diskwright header v1") == expected
