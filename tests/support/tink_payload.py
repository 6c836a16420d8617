"""Tink's own streaming AEAD over a given data key: the reference for our payload."""

from __future__ import annotations

import hashlib
import io

import tink
from tink import secret_key_access, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2, common_pb2, tink_pb2

_TYPE = "type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey"


class _KeptOpen(io.BytesIO):
    """Tink closes what it writes to; its bytes are wanted afterwards."""

    def close(self) -> None:
        pass


def seal(data_key: bytes, j1: bytes, plain: bytes) -> bytes:
    payload = _KeptOpen()
    stream = _primitive(data_key).new_encrypting_stream(payload, hashlib.sha256(j1).digest())
    with stream:
        stream.write(plain)
    return payload.getvalue()


def open_(data_key: bytes, j1: bytes, payload: bytes) -> bytes:
    associated_data = hashlib.sha256(j1).digest()
    stream = _primitive(data_key).new_decrypting_stream(io.BytesIO(payload), associated_data)
    with stream:
        return stream.read()


def _primitive(data_key: bytes) -> streaming_aead.StreamingAead:
    streaming_aead.register()
    parameters = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingParams(
        ciphertext_segment_size=1 << 20, derived_key_size=32, hkdf_hash_type=common_pb2.SHA256
    )
    key = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey(
        version=0, key_value=data_key, params=parameters
    )
    data = tink_pb2.KeyData(
        type_url=_TYPE, value=key.SerializeToString(), key_material_type=tink_pb2.KeyData.SYMMETRIC
    )
    entry = tink_pb2.Keyset.Key(
        key_data=data, status=tink_pb2.ENABLED, key_id=1, output_prefix_type=tink_pb2.RAW
    )
    keyset = tink_pb2.Keyset(primary_key_id=1, key=[entry]).SerializeToString()
    handle = tink.proto_keyset_format.parse(keyset, secret_key_access.TOKEN)
    return handle.primitive(streaming_aead.StreamingAead)
