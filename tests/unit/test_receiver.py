"""Receivers' keys: a pair of files or none, a public document that anybody may have written."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from diskwright._values import replace
from diskwright.adapters import kms_receiver
from diskwright.adapters.kms_local import LocalKey, new_key
from diskwright.envelope import box, header
from diskwright.envelope.receiver import (
    LIMIT_BYTES,
    SUITE,
    NotAReceiver,
    ReceiverKey,
    ReceiverPublicKey,
)
from diskwright.envelope.recipients import recipient_of
from diskwright.errors import (
    KeyRefused,
    KeyUnreadable,
    TargetExists,
    TooManyRecipients,
    UsageError,
)
from diskwright.model.canonical import encode as canonical

ID = "6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b"
SEAL = "0190b0f4-6a3e-7c51-9d2b-3f8e5a6b7c8d"
KEY = ReceiverKey.of("receiver:test", ID, "Ada, archive", bytes(range(32)))
PUBLIC = json.loads(KEY.public.encode())
RAW = box.decode_base64(PUBLIC["public"])
DATA_KEY = bytes(range(32))


def test_both_files_are_made_and_only_one_is_secret(tmp_path: Path) -> None:
    path = tmp_path / "receiver.json"
    before = os.umask(0o077)
    try:
        made = kms_receiver.new_receiver(str(path), name="Ada")
    finally:
        os.umask(before)
    beside = tmp_path / "receiver.json.pub"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(beside.stat().st_mode) == 0o644
    document = json.loads(path.read_bytes())
    assert list(document) == ["format", "id", "key", "name", "suite", "v"]
    assert path.read_bytes() == canonical(document)
    assert kms_receiver.load(str(path)) == made
    assert kms_receiver.load_public(str(beside)) == made.public
    assert list(json.loads(beside.read_bytes())) == sorted(PUBLIC)
    assert len(beside.read_bytes()) < LIMIT_BYTES / 2
    assert document["key"] not in beside.read_text() + repr(made)


@pytest.mark.parametrize("taken", ["receiver.json", "receiver.json.pub"])
def test_neither_file_is_overwritten_and_none_is_left_alone(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_bytes(b"precious")
    with pytest.raises(TargetExists):
        kms_receiver.new_receiver(str(tmp_path / "receiver.json"), name="Ada")
    assert [path.name for path in tmp_path.iterdir()] == [taken]
    assert (tmp_path / taken).read_bytes() == b"precious"


@pytest.mark.parametrize("name", ["", "a\nb", "\x1b[2J", "x" * 129, "\udce9", "\u202e"])
def test_a_name_is_one_printable_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        kms_receiver.new_receiver(str(tmp_path / "receiver.json"), name=name)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NotAReceiver):
        ReceiverPublicKey.decode(json.dumps(PUBLIC | {"name": name}).encode())


def test_a_passphrase_protects_it_and_all_that_the_file_says(tmp_path: Path) -> None:
    path = tmp_path / "receiver.json"
    made = kms_receiver.new_receiver(str(path), name="Ada", passphrase="correct horse")
    assert kms_receiver.load(str(path), lambda: "correct horse") == made
    with pytest.raises(KeyRefused, match="passphrase is wrong"):
        kms_receiver.load(str(path), lambda: "wrong")
    with pytest.raises(KeyUnreadable, match="passphrase"):
        kms_receiver.load(str(path))
    path.write_bytes(canonical(json.loads(path.read_bytes()) | {"name": "Eve"}))
    with pytest.raises(KeyRefused):
        kms_receiver.load(str(path), lambda: "correct horse")


def test_the_two_kinds_of_key_files_are_not_taken_for_each_other(tmp_path: Path) -> None:
    kms_receiver.new_receiver(str(tmp_path / "receiver.json"), name="Ada")
    new_key(str(tmp_path / "kek.json"))
    with pytest.raises(KeyUnreadable, match="it is a diskwright-receiver"):
        LocalKey.load(str(tmp_path / "receiver.json"))
    with pytest.raises(KeyUnreadable, match="it is a diskwright-kek"):
        kms_receiver.load(str(tmp_path / "kek.json"))
    with pytest.raises(KeyUnreadable, match="no key file"):
        kms_receiver.load_public(str(tmp_path / "kek.json"))
    with pytest.raises(KeyUnreadable, match="others may read"):
        kms_receiver.load(str(tmp_path / "receiver.json.pub"))


@pytest.mark.parametrize(
    "change",
    [{"suite": "X25519"}, {"suite": None}, {"name": ""}, {"name": 1}, {"id": "x"}, {"more": 1}],
)
def test_any_other_key_file_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "receiver.json"
    kms_receiver.new_receiver(str(path), name="Ada")
    path.write_bytes(canonical(json.loads(path.read_bytes()) | change))
    with pytest.raises(KeyUnreadable, match="no key file"):
        kms_receiver.load(str(path))


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": True},
        {"format": "diskwright-receiver"},
        {"id": ID.upper()},
        {"suite": "DHKEM-X25519/HKDF-SHA256/AES-256-GCM"},
        {"public": ""},
        {"public": box.encode_base64(RAW[:-1])},
        {"public": box.encode_base64(RAW + b"\0")},
        {"public": box.encode_base64(bytes(1216))},
        {"public": box.encode_base64(b"\xff" * 1184 + RAW[1184:])},  # coefficients out of range
        {"public": box.encode_base64(RAW[:1184] + bytes(32))},  # of low order
        {"public": box.encode_base64(RAW[:1184] + b"\1" + bytes(31))},
        {"public": PUBLIC["public"] + "="},
        {"public": 1},
        {"name": None},
        {"more": "x"},
        {"key": box.encode_base64(bytes(32))},
    ],
)
def test_any_other_public_document_is_refused(change: dict[str, object]) -> None:
    assert ReceiverPublicKey.decode(canonical(PUBLIC)) == KEY.public
    with pytest.raises(NotAReceiver):
        ReceiverPublicKey.decode(canonical(PUBLIC | change))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"{}",
        b"[]",
        b"\xff",
        b"[" * 4000,
        b" " + canonical(PUBLIC),
        canonical(PUBLIC) + b"\n\n",
        canonical(PUBLIC).replace(b'"v":1', b'"v":1,"v":1'),
        canonical(PUBLIC | {"name": "x" * LIMIT_BYTES}),
    ],
)
def test_any_other_spelling_is_refused(data: bytes) -> None:
    with pytest.raises(NotAReceiver):
        ReceiverPublicKey.decode(data)


def test_one_line_end_is_let_pass_as_a_redirection_adds_it() -> None:
    assert ReceiverPublicKey.decode(canonical(PUBLIC) + b"\n") == KEY.public


def test_a_public_file_is_bounded_and_regular(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", tmp_path, Path("/dev/zero"), tmp_path / "none"):
        with pytest.raises(KeyUnreadable):
            kms_receiver.load_public(str(path))
    (tmp_path / "large").write_bytes(b" " * (LIMIT_BYTES + 1))
    with pytest.raises(KeyUnreadable, match="over 4096"):
        kms_receiver.load_public(str(tmp_path / "large"))


def test_who_has_the_document_wraps_and_the_key_alone_unwraps() -> None:
    public = ReceiverPublicKey.decode(canonical(PUBLIC))
    wrapped = public.wrap(DATA_KEY, b"context")
    assert (wrapped.provider, wrapped.key_id, wrapped.params) == ("hpke", ID, {"suite": SUITE})
    assert KEY.unwrap(wrapped, b"context") == DATA_KEY
    with pytest.raises(KeyRefused, match="public half"):
        public.unwrap(wrapped, b"context")
    twin = ReceiverKey.of("receiver:twin", ID, "Ada, archive", bytes(32))
    with pytest.raises(KeyRefused):  # of the same id
        twin.unwrap(wrapped, b"context")


@pytest.mark.parametrize("params", [{}, {"suite": "other"}, {"suite": SUITE, "more": "1"}])
def test_another_suite_is_refused(params: dict[str, str]) -> None:
    wrapped = replace(KEY.wrap(DATA_KEY, b"context"), params=params)
    with pytest.raises(KeyRefused, match="suite"):
        KEY.unwrap(wrapped, b"context")


def test_the_fingerprint_is_of_the_whole_document() -> None:
    others = [replace(KEY.public, name="Eve"), replace(KEY.public, id=SEAL)]
    assert len({key.fingerprint for key in (KEY.public, *others)}) == 3
    assert len(KEY.public.fingerprint) == 64


def test_nine_receivers_fit_into_a_header() -> None:
    """The number that docs/sealed-format.md and docs/decisions/0008-receivers.md tell."""
    j1 = header.DiskSeal(SEAL, 999, "streamoptimized0", (1 << 53) - 1).encode()
    wrapped = recipient_of(KEY.wrap(DATA_KEY, header.context_bytes(SEAL)))
    assert len(header.encode(j1, [wrapped] * 9, DATA_KEY)) == header.HEADER_SIZE
    with pytest.raises(TooManyRecipients):
        header.encode(j1, [wrapped] * 10, DATA_KEY)
