"""A LUKS volume is refused with what its header tells; a broken header is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from diskwright.errors import ImageUnsupported
from diskwright.formats import luks
from support.images import look_at
from support.looking import read, refused
from support.small_images import LUKS2_JSON, luks1, luks2

USED, FREE = 0x00AC71F3, 0x0000DEAD


def code_of(content: bytes) -> str:
    return refused(luks.read_header, content).code


def test_a_luks1_header_is_told() -> None:
    facts = read(luks.read_header, luks1(slots=((USED, 2, 4), (FREE, 2, 4), (USED, 3, 4))))
    assert (facts.version, facts.cipher, facts.key_slots) == (1, "aes-xts-plain64", 2)
    assert facts.uuid == "3773cd91-09ce-46cb-9e78-1843c1805c13"
    assert facts.payload_offset == 2048


def test_a_luks2_header_is_told() -> None:
    facts = read(luks.read_header, luks2())
    assert (facts.version, facts.cipher, facts.key_slots) == (2, "aes-xts-plain64", 2)
    assert (facts.label, facts.payload_offset) == ("a label", 32768)
    assert facts.uuid == "202265fe-9842-4c2d-ac9b-aba1b05deb63"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (luks1(), "a LUKS1 volume (aes-xts-plain64, 1 key slot)"),
        (luks2(), "a LUKS2 volume (aes-xts-plain64, 2 key slots)"),
    ],
    ids=["1", "2"],
)
def test_a_volume_is_unsupported_with_its_facts(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "disk.img"
    path.write_bytes(content)
    with pytest.raises(ImageUnsupported) as caught:
        look_at(path)
    assert caught.value.code == "encryption"
    assert caught.value.detail == f"{says}: its content can't be read without its key"


@pytest.mark.parametrize("name", [b"sha1", b"sha256", b"sha384", b"sha512"])
def test_the_checksum_is_of_the_hash_that_the_header_names(name: bytes) -> None:
    assert read(luks.read_header, luks2(name=name)).version == 2
    assert code_of(luks2(name=name, wrong=1)) == "checksum"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (luks1(version=3), "version-unknown"),
        (luks1(cipher=b""), "header-inconsistent"),
        (luks1(key_bytes=0), "header-inconsistent"),
        (luks1(key_bytes=1 << 31), "header-inconsistent"),
        (luks1(slots=((7, 2, 4),)), "header-inconsistent"),
        (luks1(slots=((USED, 1, 4),)), "header-inconsistent"),
        (luks1(slots=((USED, 2, 0),)), "header-inconsistent"),
        (luks1(slots=((USED, 2, 4000),)), "offset-past-end"),
        (luks1(payload=9), "offset-past-end"),
        (luks1()[:591], "truncated"),
        (luks2(header_bytes=12345), "header-inconsistent"),
        (luks2(header_bytes=1 << 62), "header-inconsistent"),
        (luks2(header_bytes=1 << 22), "offset-past-end"),
        (luks2(offset=16384), "header-inconsistent"),
        (luks2()[:4095], "truncated"),
        (luks2(area=b"{"), "header-inconsistent"),
        (luks2(area=b"[]"), "header-inconsistent"),
        (luks2(area=b"[" * 12000), "header-inconsistent"),
        (luks2(area=b"1" * 12000), "header-inconsistent"),
        (luks2(area=b"\xff"), "header-inconsistent"),
        (luks2(metadata={}), "header-inconsistent"),
        (luks2(metadata=LUKS2_JSON | {"segments": {}}), "header-inconsistent"),
        (luks2(metadata=LUKS2_JSON | {"segments": {"0": 5}}), "header-inconsistent"),
        (luks2(metadata=LUKS2_JSON | {"segments": {"0": {"offset": "x"}}}), "header-inconsistent"),
        (
            luks2(metadata=LUKS2_JSON | {"segments": {"0": {"offset": "9999999"}}}),
            "offset-past-end",
        ),
    ],
)
def test_a_header_that_does_not_hold_is_refused(content: bytes, code: str) -> None:
    assert code_of(content) == code


def test_an_unknown_checksum_is_unsupported() -> None:
    content = luks2().replace(b"sha256\0", b"crc32c\0", 1)
    assert code_of(content) == "checksum-unknown"


def test_what_a_header_says_is_shown_without_control_characters() -> None:
    found = read(luks.refusal, luks1(cipher=b"\x1b[2J" + b"x" * 20))
    assert found.detail.isprintable()


def test_more_json_than_any_header_has_is_broken() -> None:
    area = b"[" + b"[]," * (1 << 19)
    found = refused(luks.read_header, luks2(area=area, header_bytes=1 << 21, size=1 << 21))
    assert found.code == "table-too-large"
