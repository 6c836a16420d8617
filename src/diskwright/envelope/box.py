"""Small secrets in JSON: base64 of nonce (12), AES-256-GCM ciphertext and tag (16)."""

from __future__ import annotations

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_SIZE = 12
TAG_SIZE = 16


class BoxRefused(ValueError):
    """The text is no box, or was made with another key or other associated data."""


def seal(key: bytes, secret: bytes, associated_data: bytes) -> str:
    """A box under a new random nonce."""
    nonce = os.urandom(NONCE_SIZE)
    return encode_base64(nonce + AESGCM(key).encrypt(nonce, secret, associated_data))


def open_(key: bytes, text: str, associated_data: bytes) -> bytes:
    """What was sealed. Raises BoxRefused."""
    raw = decode_base64(text)
    if len(raw) < NONCE_SIZE + TAG_SIZE:
        raise BoxRefused("too short")
    try:
        return AESGCM(key).decrypt(raw[:NONCE_SIZE], raw[NONCE_SIZE:], associated_data)
    except InvalidTag as error:
        raise BoxRefused("does not verify") from error


def encode_base64(data: bytes) -> str:
    """Standard alphabet, padded (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Only the one spelling that `encode_base64` gives is read. Raises BoxRefused."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BoxRefused("not base64") from error
    if encode_base64(data) != text:  # bits beyond the last byte, which decoders ignore
        raise BoxRefused("not canonical base64")
    return data
