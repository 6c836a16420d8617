"""Key files: one spelling, the owner's alone, never overwritten, bounded before they cost."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from diskwright._values import replace
from diskwright.adapters.kms_local import LocalKey, new_key
from diskwright.envelope import box, keyfile
from diskwright.errors import (
    KeyRefused,
    KeyUnreadable,
    OutputNotWritable,
    TargetExists,
    UsageError,
)
from diskwright.model.canonical import encode as canonical

ID = "6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b"
KEY = bytes(range(32))
PLAIN = {"format": "diskwright-kek", "id": ID, "key": box.encode_base64(KEY), "v": 1}
COST = {"n": 1024, "p": 1, "r": 8, "salt": box.encode_base64(bytes(16))}


def protected(passphrase: str = "correct horse", **cost: object) -> dict[str, object]:
    """A document under a passphrase, cheap to derive."""
    used = keyfile.Cost(**COST)
    bound = {"format": "diskwright-kek", "id": ID, "scrypt": COST | cost, "v": 1}
    return bound | {"sealed_key": box.seal(used.derive(passphrase), KEY, canonical(bound))}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    def write(document: object, *, mode: int = 0o600) -> str:
        path = tmp_path / "kek.json"
        path.write_bytes(document if isinstance(document, bytes) else canonical(document))
        path.chmod(mode)
        return str(path)

    return write


def refused(path: str, passphrase: Callable[[], str] | None = None) -> KeyUnreadable:
    with pytest.raises(KeyUnreadable) as caught:
        LocalKey.load(path, passphrase)
    assert caught.value.exit_code == 12
    return caught.value


def never() -> str:
    raise AssertionError("nobody had to be asked")


@pytest.mark.parametrize("umask", [0, 0o777])
def test_a_new_key_is_its_owners_alone_and_canonical(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "kek.json"
    before = os.umask(umask)
    try:
        made = new_key(str(path))
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    document = json.loads(path.read_bytes())
    assert path.read_bytes() == canonical(document)
    assert list(document) == ["format", "id", "key", "v"]
    assert LocalKey.load(str(path), never) == made
    assert document["id"] == made.key_id


def test_no_two_keys_are_the_same(tmp_path: Path) -> None:
    made = [new_key(str(tmp_path / f"{n}.json")) for n in range(3)]
    assert len({key.key_id for key in made}) == 3
    assert len({(tmp_path / f"{n}.json").read_bytes() for n in range(3)}) == 3


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "kek.json"
    path.write_bytes(b"precious")
    with pytest.raises(TargetExists) as caught:
        new_key(str(path))
    assert "never overwritten" in caught.value.hint
    assert path.read_bytes() == b"precious"


def test_neither_is_what_a_link_of_that_name_points_to(tmp_path: Path) -> None:
    (tmp_path / "kek.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TargetExists):
        new_key(str(tmp_path / "kek.json"))
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("path", ["missing/kek.json", "file/kek.json", "nul\0"])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputNotWritable):
        new_key(str(tmp_path / path))


def test_a_new_key_and_its_name_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))
    new_key(str(tmp_path / "kek.json"))
    assert synced == [(tmp_path / "kek.json").stat().st_ino, tmp_path.stat().st_ino]


def test_a_failed_write_leaves_no_key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputNotWritable, match="Input/output"):
        new_key(str(tmp_path / "kek.json"))
    assert list(tmp_path.iterdir()) == []


def test_a_passphrase_protects_the_key(tmp_path: Path) -> None:
    path = tmp_path / "kek.json"
    made = new_key(str(path), passphrase="correct horse")
    document = json.loads(path.read_bytes())
    assert list(document) == ["format", "id", "scrypt", "sealed_key", "v"]
    cost = document["scrypt"]
    assert (cost["n"], cost["r"], cost["p"]) == (131072, 8, 1)
    assert LocalKey.load(str(path), lambda: "correct horse") == made


def test_an_empty_passphrase_is_refused_and_no_file_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        new_key(str(tmp_path / "kek.json"), passphrase="")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_passphrase_is_refused(write: Callable[..., str]) -> None:
    path = write(protected())
    assert LocalKey.load(path, lambda: "correct horse").key_id == ID
    for wrong in ("", "Correct horse", "correct horse "):
        with pytest.raises(KeyRefused, match="passphrase is wrong") as caught:
            LocalKey.load(path, lambda wrong=wrong: wrong)
        assert "passphrase" in caught.value.hint


def test_a_passphrase_need_not_be_utf_8(write: Callable[..., str]) -> None:
    path = write(protected("caf\udce9"))
    assert LocalKey.load(path, lambda: "caf\udce9").key_id == ID


def test_without_a_passphrase_to_ask_for_it_says_so(write: Callable[..., str]) -> None:
    error = refused(write(protected()))
    assert "passphrase" in error.reason
    assert "asked" in error.hint


@pytest.mark.parametrize("name", ["format", "id", "scrypt", "sealed_key", "v"])
def test_all_of_a_protected_file_is_bound(write: Callable[..., str], name: str) -> None:
    """What can be changed without breaking the form makes the passphrase fail."""
    changes: dict[str, object] = {
        "id": ID.replace("6f", "7f"),
        "scrypt": COST | {"salt": box.encode_base64(bytes(17))},
        "sealed_key": box.encode_base64(bytes(60)),
        "format": "other",
        "v": 2,
    }
    with pytest.raises((KeyRefused, KeyUnreadable)):
        LocalKey.load(write(protected() | {name: changes[name]}), lambda: "correct horse")


@pytest.mark.parametrize(
    "cost",
    [
        {"n": 1 << 21},
        {"n": (1 << 53) - 1},
        {"n": 1000},
        {"n": 1},
        {"n": 0},
        {"r": 1},
        {"r": 16},
        {"p": 0},
        {"p": 5},
        {"n": "1024"},
        {"n": True},
        {"salt": ""},
        {"salt": "AAAA"},
        {"salt": box.encode_base64(bytes(65))},
        {"salt": "!" * 24},
        {"more": 1},
    ],
)
def test_costs_out_of_bounds_are_refused_before_anybody_is_asked(
    write: Callable[..., str], cost: dict[str, object]
) -> None:
    assert "no key file" in refused(write(protected(**cost)), never).reason


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": "1"},
        {"format": "diskwright"},
        {"id": ID.upper()},
        {"id": "kek"},
        {"key": box.encode_base64(bytes(31))},
        {"key": box.encode_base64(bytes(33))},
        {"key": ""},
        {"key": PLAIN["key"][:-1]},
        {"key": PLAIN["key"][:-2] + "9="},  # bits beyond the last byte
        {"key": "-" * 43 + "="},
        {"key": "\u00e9" * 44},
        {"key": 1},
        {"key": None},
        {"scrypt": None},
        {"sealed_key": "AAAA"},
        {"scrypt": COST},
        {"scrypt": COST, "sealed_key": "AAAA"},
        {"comment": "mine"},
    ],
)
def test_any_other_document_is_refused(
    write: Callable[..., str], change: dict[str, object]
) -> None:
    assert "no key file" in refused(write(PLAIN | change), never).reason


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        canonical(PLAIN) + b"\n",
        b" " + canonical(PLAIN),
        canonical(PLAIN).replace(b'"v":1', b'"v":1,"v":1'),
        canonical(PLAIN).replace(b'"v":1', b'"v":1.0'),
        b"[" * 4000,
        canonical(PLAIN) + b" " * 5000,
    ],
)
def test_any_other_spelling_is_refused(write: Callable[..., str], data: bytes) -> None:
    assert "no key file" in refused(write(data), never).reason


def test_a_missing_key_of_the_document_is_refused(write: Callable[..., str]) -> None:
    for document in (PLAIN, protected()):
        for name in document:
            refused(write({k: v for k, v in document.items() if k != name}), never)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o666])
def test_a_file_that_others_may_read_or_change_is_refused(
    write: Callable[..., str], mode: int
) -> None:
    path = write(PLAIN, mode=mode)
    error = refused(path)
    assert f"{mode:04o}" in error.reason
    assert error.hint == f"chmod 600 -- {path}"


def test_read_only_is_fine(write: Callable[..., str]) -> None:
    assert LocalKey.load(write(PLAIN, mode=0o400)).key_id == ID


def test_what_is_no_regular_file_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    (tmp_path / "folder").mkdir(mode=0o700)
    for path in (tmp_path / "fifo", tmp_path / "folder", Path("/dev/zero")):
        assert "regular" in refused(str(path)).reason


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    error = refused(str(tmp_path / "kek.json"))
    assert "key new" in error.hint
    refused("nul\0")


def test_parameters_that_no_local_key_has_are_refused(write: Callable[..., str]) -> None:
    key = LocalKey.load(write(PLAIN))
    wrapped = key.wrap(bytes(32), b"context")
    with pytest.raises(KeyRefused, match="parameters"):
        key.unwrap(replace(wrapped, params={"version": "2"}), b"context")


def test_no_key_is_shown(write: Callable[..., str]) -> None:
    shown = repr(LocalKey.load(write(PLAIN))) + repr(keyfile.decode(canonical(PLAIN), keyfile.KEK))
    assert str(KEY) not in shown
    assert str(PLAIN["key"]) not in shown
