"""A LUKS volume, version 1 or 2: what its header tells without a key. Its content nobody reads."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping

from diskwright._values import Struct
from diskwright.errors import ImageUnsupported
from diskwright.formats import limits
from diskwright.formats.luks import layout
from diskwright.formats.source import ImageSource, shown
from diskwright.model.units import SECTOR

_CODE = "header-inconsistent"
_HASHES = ("sha1", "sha224", "sha256", "sha384", "sha512")


class LuksFacts(Struct, frozen=True):
    """`cipher` as dm-crypt spells it (aes-xts-plain64), `key_slots` those in use, offset in bytes.

    Every string is as the header has it, and not to be trusted.
    """

    version: int
    cipher: str
    key_slots: int
    uuid: str
    label: str
    payload_offset: int


def refusal(source: ImageSource) -> ImageUnsupported:
    """Why a file that is a LUKS volume can't be used. Raises as `read_header` does."""
    facts = read_header(source)
    slots = "1 key slot" if facts.key_slots == 1 else f"{facts.key_slots} key slots"
    detail = (
        f"a LUKS{facts.version} volume ({shown(facts.cipher)[1:-1]}, {slots}): "
        "its content can't be read without its key"
    )
    found = source.unsupported("encryption", detail)
    found.hint_text = f"decrypt it on the machine that has its key; {found.hint_text}"
    return found


def read_header(source: ImageSource) -> LuksFacts:
    """The facts of the LUKS volume that `source` is. Raises ImageBroken and ImageUnsupported."""
    data = source.read_up_to(0, layout.LUKS2_BINARY_BYTES)
    version = layout.decode_version(data)
    if version is None:
        raise source.broken("truncated", f"{source.size} bytes, no LUKS header", 0)
    if version == 1:
        return _read_1(source, data)
    if version == 2:
        return _read_2(source, data)
    raise source.unsupported("version-unknown", f"LUKS version {version}", 6)


def _read_1(source: ImageSource, data: bytes) -> LuksFacts:
    header = layout.decode_1(data)
    if header is None:
        raise source.broken("truncated", f"{source.size} bytes, less than a LUKS1 header")
    if not header.cipher or not header.mode or not header.hash:
        raise source.broken(_CODE, "a LUKS1 header that names no cipher", 8)
    if not 0 < header.key_bytes <= 512:  # cryptsetup's bound
        raise source.broken(_CODE, f"a key of {header.key_bytes} bytes", 108)
    used = 0
    for index, slot in enumerate(header.slots):
        at = 208 + 48 * index
        if slot.active not in (layout.SLOT_USED, layout.SLOT_FREE):
            raise source.broken(_CODE, f"key slot {index} is neither used nor free", at)
        if slot.active == layout.SLOT_FREE:
            continue
        used += 1
        end = slot.offset * SECTOR + slot.stripes * header.key_bytes
        if slot.offset * SECTOR < layout.LUKS1_BYTES or not slot.stripes:
            raise source.broken(_CODE, f"key slot {index} lies on the header", at)
        if end > source.size:
            raise source.past_end(f"the material of key slot {index} is past the end", at)
    payload = header.payload_offset * SECTOR
    if payload > source.size:
        raise source.past_end("the volume's content is past the end", 104)
    return LuksFacts(1, f"{header.cipher}-{header.mode}", used, header.uuid, "", payload)


def _read_2(source: ImageSource, data: bytes) -> LuksFacts:
    header = layout.decode_2(data)
    if header is None:
        raise source.broken("truncated", f"{source.size} bytes, less than a LUKS2 header")
    size = header.header_bytes
    if size not in layout.LUKS2_HEADER_BYTES:
        raise source.broken(_CODE, f"a LUKS2 header of {size} bytes", 8)
    if header.offset:
        raise source.broken(_CODE, f"the first header says that it is at {header.offset}", 256)
    if size > source.size:
        raise source.past_end("the JSON area is past the end", 8)
    if header.checksum_name not in _HASHES:
        detail = f"a header whose checksum is {shown(header.checksum_name)}"
        raise source.unsupported("checksum-unknown", detail, 72)
    whole = bytearray(source.read(0, size))
    whole[layout.CHECKSUM_AT : layout.CHECKSUM_AT + layout.CHECKSUM_BYTES] = bytes(
        layout.CHECKSUM_BYTES
    )
    digest = hashlib.new(header.checksum_name, whole, usedforsecurity=False).digest()
    if not hmac.compare_digest(digest, header.checksum[: len(digest)]):
        raise source.broken("checksum", "the LUKS2 header's checksum is another", 448)
    area = bytes(whole[layout.LUKS2_BINARY_BYTES :])
    return _from_json(source, header, _parse(source, area))


def _parse(source: ImageSource, area: bytes) -> Mapping[str, object]:
    at = layout.LUKS2_BINARY_BYTES
    text = area.partition(b"\0")[0]
    if len(text) > limits.LUKS2_JSON_BYTES:
        raise source.broken("table-too-large", f"{len(text)} bytes of JSON", at)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise source.broken(_CODE, "a LUKS2 header whose JSON can't be read", at) from None
    if not isinstance(found, dict):
        raise source.broken(_CODE, "a LUKS2 header whose JSON is no object", at)
    return found


def _from_json(
    source: ImageSource, header: layout.Header2, metadata: Mapping[str, object]
) -> LuksFacts:
    """Of the first segment, which is the volume's start (section 3.4)."""
    slots, segments = metadata.get("keyslots"), metadata.get("segments")
    at = layout.LUKS2_BINARY_BYTES
    if not isinstance(slots, dict) or not isinstance(segments, dict):
        raise source.broken(_CODE, "a LUKS2 header without key slots or segments", at)
    first = segments.get("0", {})
    first = first if isinstance(first, dict) else {}
    offset, cipher = first.get("offset"), first.get("encryption", "not encrypted yet")
    if not isinstance(offset, str) or not offset.isdecimal() or len(offset) > 20:
        raise source.broken(_CODE, "a LUKS2 header whose content is nowhere", at)
    if not isinstance(cipher, str):
        raise source.broken(_CODE, "a LUKS2 header that names no cipher", at)
    if int(offset) > source.size:
        raise source.past_end("the volume's content is past the end", at)
    return LuksFacts(2, cipher, len(slots), header.uuid, header.label, int(offset))
