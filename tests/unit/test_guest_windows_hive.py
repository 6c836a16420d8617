"""Registry hives: what Windows writes is read, and a hostile one costs little and is told."""

from __future__ import annotations

import random
import struct
import time

import pytest

from diskwright.guest.reading import GuestReadError, NotThere, Unreadable
from diskwright.guest.windows import hive as hives
from diskwright.guest.windows.hive import Hive, Key, open_hive
from support.fake_guest import Broken, Content, Sparse, tree_of
from support.hive_maker import HEADER, NONE, hive, sealed

PATH = "/Windows/System32/config/SYSTEM"
TREE = {
    "Select": {"Current": 1, "Default": 1},
    "ControlSet001": {
        "Services": {
            "viostor": {
                "Start": 0,
                "Group": "SCSI miniport",
                "ImagePath": "\\SystemRoot\\System32\\drivers\\viostor.sys",
                "Tags": ["a", "", "b"],
                "Raw": b"\x01\x02",
                "": "its own",
                "Blob": b"x" * 40_000,
                "Long": "ö" * 20_000,
            }
        },
        "Ünicode": {"Größe": 3},
    },
}


def opened(content: Content) -> Hive:
    return open_hive(tree_of({PATH: content}), PATH)


def everything(key: Key, depth: int = 8) -> int:
    """All that can be asked for below a key; the number of keys."""
    found = 1
    for name in key.values():
        assert key.size(name) >= 0
        key.number(name)
        key.text(name)
        key.texts(name)
    for inner in key.keys().values() if depth else ():
        found += everything(inner, depth - 1)
    return found


def test_keys_and_values_are_found_whatever_their_case() -> None:
    root = opened(hive(TREE)).root
    assert set(root.keys()) == {"select", "controlset001"}
    key = root.key("CONTROLSET001\\services\\VIOSTOR")
    assert key is not None
    assert key.number("start") == 0
    assert key.text("GROUP") == "SCSI miniport"
    assert key.text("imagepath") == "\\SystemRoot\\System32\\drivers\\viostor.sys"
    assert key.texts("Tags") == ("a", "b")
    assert key.texts("Group") == ("SCSI miniport",)
    assert key.text("") == "its own"
    assert key.text("Long") == "ö" * hives.MAX_TEXT
    assert key.size("Blob") == 40_000
    other = root.key("ControlSet001\\ünicode")
    assert other is not None
    assert other.number("größe") == 3


def test_what_is_not_there_or_of_another_type_is_none() -> None:
    root = opened(hive(TREE)).root
    assert root.key("ControlSet002\\Services") is None
    key = root.key("Select")
    assert key is not None
    assert (key.text("Current"), key.number("Other"), key.size("Other")) == (None, None, 0)
    assert key.has("current")
    assert not key.has("Failed")


def test_a_list_of_lists_of_keys_is_read() -> None:
    tree = {"DeviceIds": {f"ven_{i:04x}": {"n": i} for i in range(90)}}
    key = opened(hive(tree, lists_of=20)).root.key("DeviceIds")
    assert key is not None
    assert len(key.keys()) == 90
    last = key.key("VEN_0059")
    assert last is not None
    assert last.number("n") == 0x59


@pytest.mark.parametrize(("sequences", "stale"), [((7, 7), False), ((8, 7), True)])
def test_a_hive_whose_logs_were_not_replayed_is_told(
    sequences: tuple[int, int], stale: bool
) -> None:
    assert opened(hive(TREE, sequences=sequences)).stale is stale


def test_a_header_that_was_not_written_to_its_end_is_told_too() -> None:
    data = bytearray(hive(TREE))
    data[100] ^= 1
    assert opened(bytes(data)).stale


@pytest.mark.parametrize(
    "content", [b"", b"regf", b"x" * 9000, hive(TREE)[:-1], hive(TREE)[:HEADER], Broken()]
)
def test_what_is_no_whole_hive_is_unreadable(content: Content) -> None:
    with pytest.raises(Unreadable) as caught:
        opened(content)
    assert caught.value.path == PATH


def test_a_hive_that_is_too_large_is_not_read() -> None:
    with pytest.raises(Unreadable) as caught:
        opened(Sparse(hives.MAX_HIVE + 1))
    assert caught.value.code == "too-large"
    with pytest.raises(NotThere):
        open_hive(tree_of({}), PATH)


def test_a_large_file_that_is_none_is_not_read_to_its_end() -> None:
    started = time.process_time()
    with pytest.raises(Unreadable) as caught:
        opened(Sparse(hives.MAX_HIVE))
    assert caught.value.code == "damaged"
    assert time.process_time() - started < 0.2


def test_what_is_behind_a_hive_is_not_read() -> None:
    assert opened(hive(TREE) + bytes(4 << 20)).root.key("Select") is not None


def test_large_values_are_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hives, "MAX_STEPS", 500)
    key = opened(hive({"A": {"b": "x" * 20_000}})).root.key("A")
    assert key is not None
    for _ in range(3):
        key.text("b")
    with pytest.raises(Unreadable) as caught:
        key.text("b")
    assert caught.value.code == "budget"


def test_a_value_that_is_too_large_is_not_read() -> None:
    key = opened(hive({"A": {"b": "x" * hives.MAX_VALUE}})).root.key("A")
    assert key is not None
    with pytest.raises(Unreadable) as caught:
        key.text("b")
    assert (caught.value.code, caught.value.path) == ("too-large", PATH)


def nk_list(data: bytes, name: bytes) -> int:
    """Where the key of that name says which list has the keys below it."""
    return data.index(name) - 76 + 0x1C


def patched(data: bytes, at: int, value: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into("<I", changed, at, value)
    return bytes(changed)


def test_a_key_below_itself_ends() -> None:
    data = hive({"Loop": {"Loop2": {"Loop3": {}}}})
    (top,) = struct.unpack_from("<I", data, nk_list(data, b"Loop\0"))
    key: Key | None = opened(patched(data, nk_list(data, b"Loop2"), top)).root
    for _ in range(200):
        assert key is not None
        key = next(iter(key.keys().values()))


def lists_in_themselves() -> bytes:
    """A list that names itself 30,000 times: with the library alone, for ever."""
    many = {"Wide": {f"k{i:05}": {} for i in range(900)}}
    data = bytearray(hive(many, lists_of=10))
    at = data.index(b"ri")
    start = at - 4 - HEADER
    for index in range(int.from_bytes(data[at + 2 : at + 4], "little")):
        struct.pack_into("<I", data, at + 4 + 4 * index, start)
    return bytes(data)


def test_lists_in_lists_end() -> None:
    with pytest.raises(Unreadable):
        everything(opened(lists_in_themselves()).root)


def test_counts_that_lie_end() -> None:
    data = hive({"A": {"b": 1}})
    root = data.index(b"nk")
    key = data.index(b"nk", root + 2)
    for at, value in (
        (key + 0x24, NONE - 1),
        (key + 0x28, NONE - 9),
        (key + 0x14, NONE - 1),
        (root + 0x1C, 0x10),
        (root + 0x1C, NONE - 9),
    ):
        with pytest.raises(Unreadable):
            everything(opened(patched(data, at, value)).root)


def test_a_hive_of_endless_keys_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hives, "MAX_STEPS", 500)
    with pytest.raises(Unreadable) as caught:
        everything(opened(hive({"W": {f"k{i}": {} for i in range(600)}})).root)
    assert caught.value.code == "budget"


@pytest.mark.parametrize("seed", range(200))
def test_a_changed_hive_is_read_or_unreadable(seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(hive(TREE, lists_of=1))
    for _ in range(chance.choice((1, 4, 40))):
        at = chance.randrange(len(data))
        if chance.random() < 0.5:
            data[at] ^= 1 << chance.randrange(8)
        else:
            cell = chance.choice([b"nk", b"vk", b"lh", b"ri", b"db", b"sk"])
            place = data.find(cell, at)
            if place >= 0:
                data[place + chance.randrange(48)] = chance.choice((0, 1, 0x7F, 0xFF))
    if chance.random() < 0.2:
        del data[chance.randrange(len(data)) :]
    started = time.process_time()
    try:
        everything(opened(bytes(sealed(data) if len(data) > 512 else data)).root)
    except GuestReadError as error:
        told = error
    else:
        told = None
    assert told is None or told.path == PATH
    assert time.process_time() - started < 5
