"""The header of a sealed disk: exactly one spelling is read, and only with its own data key."""

from __future__ import annotations

import hmac
import json
import struct

import pytest

from diskwright.envelope import header, keys, recipients
from diskwright.envelope.opener import open_header, verify_header
from diskwright.errors import DataTampered, KeyRefused, RemoteUnreachable, TooManyRecipients
from diskwright.model.canonical import encode as canonical
from diskwright.model.recipient import Recipient
from diskwright.model.stored import WrappedKey
from support.sealing import DATA_KEY, KEY, SEAL, make_header

J1 = {
    "cipher": "AES256_GCM_HKDF_1MB",
    "context": {"dw": "1", "seal": SEAL},
    "disk": 0,
    "format": "qcow2",
    "seal": SEAL,
    "v": 1,
    "virtual_size": 1 << 30,
}
J2 = [{"key_id": "k", "params": {}, "provider": "local", "wrapped_key": "AAAA"}]


def packed(j1: bytes, j2: bytes, *, padding: bytes = b"") -> bytes:
    """A header with a right MAC around whatever it is given."""
    body = b"DWSEAL\x01\n" + struct.pack(">I", len(j1)) + j1 + struct.pack(">I", len(j2)) + j2
    body = (body + padding).ljust((16 << 10) - 32, b"\0")
    mac_key = keys.derive(DATA_KEY, b"diskwright header v1")
    return body + hmac.digest(mac_key, body, "sha256")


def refused(data: bytes) -> str:
    with pytest.raises(DataTampered) as caught:
        verify_header(data, DATA_KEY, what="disk-0.dws")
    assert caught.value.what == "disk-0.dws"
    return caught.value.detail


def test_what_is_encoded_is_what_the_format_says() -> None:
    disk = header.DiskSeal(seal=SEAL, disk=0, format="qcow2", virtual_size=1 << 30)
    encoded = header.encode(disk.encode(), [Recipient("local", "k", "AAAA", {})], DATA_KEY)
    assert encoded == packed(canonical(J1), canonical(J2))
    assert header.is_sealed(encoded)


def test_it_reads_back_what_was_written() -> None:
    opened = verify_header(packed(canonical(J1), canonical(J2)), DATA_KEY, what="x")
    assert opened.header.disk == header.DiskSeal(SEAL, 0, "qcow2", 1 << 30)
    assert opened.header.j1 == canonical(J1)
    assert opened.header.recipients == (Recipient("local", "k", "AAAA", {}),)
    assert "data_key" not in repr(opened)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": True},
        {"cipher": "AES128_GCM_HKDF_4KB"},
        {"context": {"dw": "1", "seal": "0190b0f4-0000-7000-8000-00000000beef"}},
        {"context": {"dw": "1", "seal": SEAL, "x": "y"}},
        {"context": {"dw": "2", "seal": SEAL}},
        {"seal": SEAL.upper(), "context": {"dw": "1", "seal": SEAL.upper()}},
        {"disk": -1},
        {"disk": 1.5},
        {"virtual_size": 1 << 53},
        {"virtual_size": "1"},
        {"format": "../x"},
        {"format": ""},
        {"extra": 1},
        {"disk": None},
    ],
)
def test_any_other_j1_is_refused(change: dict[str, object]) -> None:
    j1 = json.dumps(J1 | change, sort_keys=True, separators=(",", ":")).encode()
    assert "can't be read" in refused(packed(j1, canonical(J2)))


def test_a_missing_key_of_j1_is_refused() -> None:
    for name in J1:
        refused(packed(canonical({k: v for k, v in J1.items() if k != name}), canonical(J2)))


@pytest.mark.parametrize(
    "j1",
    [
        canonical(J1).replace(b'"disk":0', b'"disk":0,"disk":0'),
        canonical(J1).replace(b'"disk":0', b'"disk": 0'),
        canonical(J1).replace(b'"disk":0', b'"disk":00'),
        canonical(J1).replace(b"qcow2", b"\\u0071cow2"),
        canonical(J1) + b"\n",
        canonical(J1)[:-1],
        b"",
        b"\xff",
        b"[" * 9000,
        b"1" * 9000,
    ],
)
def test_any_other_spelling_of_j1_is_refused(j1: bytes) -> None:
    refused(packed(j1, canonical(J2)))


@pytest.mark.parametrize(
    "j2",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b"[[]]",
        canonical([J2[0] | {"more": 1}]),
        canonical([J2[0] | {"params": {"a": 1}}]),
        canonical([{"provider": "local"}]),
        canonical(J2).replace(b'"params":{}', b'"params":{},"params":{}'),
    ],
)
def test_any_other_list_of_recipients_is_refused(j2: bytes) -> None:
    refused(packed(canonical(J1), j2))


def test_a_byte_in_the_padding_is_refused() -> None:
    assert "zeros" in refused(packed(canonical(J1), canonical(J2), padding=b"\0" * 99 + b"x"))


@pytest.mark.parametrize("length", [(16 << 10) - 43, 16 << 10, (1 << 32) - 1])
def test_a_part_longer_than_the_header_is_refused(length: int) -> None:
    good = packed(canonical(J1), canonical(J2))
    assert "longer" in refused(good[:8] + struct.pack(">I", length) + good[12:])
    at = 12 + len(canonical(J1))
    assert "longer" in refused(good[:at] + struct.pack(">I", length) + good[at + 4 :])


def test_a_first_part_that_leaves_no_room_for_the_second_is_refused() -> None:
    good = packed(canonical(J1), canonical(J2))
    for left in range(4):
        length = (16 << 10) - 32 - 12 - left
        assert "longer" in refused(good[:8] + struct.pack(">I", length) + good[12:])


def test_a_cut_header_and_another_file_are_refused() -> None:
    good = packed(canonical(J1), canonical(J2))
    assert "ends inside" in refused(good[:-1])
    assert "ends inside" in refused(b"")
    assert "does not begin" in refused(b"QFI\xfb" + good[4:])
    assert not header.is_sealed(b"DWSEAL\x02\n")


def test_the_mac_commits_to_the_data_key() -> None:
    data, _ = make_header(0)
    with pytest.raises(DataTampered, match="does not verify"):
        verify_header(data, bytes(32), what="x")


def test_recipients_fill_the_header_to_the_last_byte_and_not_further() -> None:
    j1 = canonical(J1)
    overhead = len(canonical([J2[0] | {"wrapped_key": ""}]))
    room = (16 << 10) - 32 - 8 - 4 - len(j1) - 4 - overhead
    fits = Recipient("local", "k", "A" * room, {})
    assert len(header.encode(j1, [fits], DATA_KEY)) == 16 << 10
    verify_header(header.encode(j1, [fits], DATA_KEY), DATA_KEY, what="x")
    with pytest.raises(TooManyRecipients) as caught:
        header.encode(j1, [Recipient("local", "k", "A" * (room + 1), {})], DATA_KEY)
    assert (caught.value.count, caught.value.limit_bytes) == (1, 16 << 10)
    assert caught.value.exit_code == 14


def test_a_header_without_recipients_is_not_written() -> None:
    with pytest.raises(ValueError, match="never be opened"):
        header.encode(canonical(J1), [], DATA_KEY)


def test_the_context_is_bounded_and_depends_on_the_seal_only() -> None:
    assert header.context_bytes(SEAL) == b'{"dw":"1","seal":"%s"}' % SEAL.encode()
    assert len(header.context_bytes(SEAL)) <= 128


def test_any_recipient_opens() -> None:
    mine = recipients.recipient_of(KEY.wrap(DATA_KEY, header.context_bytes(SEAL)))
    stranger = Recipient("local", "another", "AAAA", {})
    for listed in ([mine, stranger], [stranger, mine], [stranger, stranger, mine]):
        data = header.encode(canonical(J1), listed, DATA_KEY)
        assert open_header(data, KEY.unwrap, what="x").data_key == DATA_KEY


def test_a_key_that_is_no_recipient_is_refused_and_the_recipients_are_named() -> None:
    strangers = [Recipient("local", "one", "AAAA", {}), Recipient("kms", "two\x1b", "AAAA", {})]
    data = header.encode(canonical(J1), strangers, DATA_KEY)
    with pytest.raises(KeyRefused, match=r"local:one.*kms:two\\x1b"):
        open_header(data, KEY.unwrap, what="x")


def test_a_key_service_that_fails_is_no_refusal() -> None:
    def unreachable(wrapped: WrappedKey, context: bytes) -> bytes:
        raise RemoteUnreachable("https://kms", "timed out")

    with pytest.raises(RemoteUnreachable):
        open_header(make_header(0)[0], unreachable, what="x")


def test_what_unwraps_to_no_data_key_is_refused() -> None:
    with pytest.raises(KeyRefused, match="no data key"):
        open_header(make_header(0)[0], lambda wrapped, context: b"short", what="x")
