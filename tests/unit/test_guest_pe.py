"""What a PE header says, and that a lie in one costs nothing."""

import struct
from pathlib import Path

import pytest

from diskwright.guest.pe import PeFile, read_pe, read_section
from diskwright.guest.reading import Unreadable
from support.fake_guest import Broken, tree_of
from support.pe_maker import pe

SECTIONS = {".text": bytes(900), ".cmdline": b"root=UUID=u quiet", ".uname": b"6.1.0-9"}


def read(data: bytes) -> PeFile | None:
    return read_pe(tree_of({"/x.efi": data}), "/x.efi")


def refused(data: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        read(data)
    assert caught.value.path == "/x.efi"
    return caught.value.code


def test_sections_are_read_by_name() -> None:
    tree = tree_of({"/x.efi": pe(SECTIONS)})
    found = read_pe(tree, "/x.efi")
    assert found is not None
    assert found.architecture == "x86_64"
    assert [section.name for section in found.sections] == list(SECTIONS)
    for name, content in SECTIONS.items():
        assert read_section(tree, found, name, 1000) == content
    assert read_section(tree, found, ".linux", 1000) is None
    with pytest.raises(Unreadable, match="900 bytes"):
        read_section(tree, found, ".text", 899)


@pytest.mark.parametrize(
    ("machine", "name"), [(0xAA64, "aarch64"), (0x5064, "riscv64"), (0x1234, None)]
)
def test_the_machine(machine: int, name: str | None) -> None:
    found = read(pe({}, machine=machine))
    assert found is not None
    assert found.architecture == name


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"MZ",
        b"MZ" + bytes(200),
        b"\x7fELF" + bytes(200),
        b"MZ" + bytes(58) + b"\xff\xff\xff\xff" + bytes(200),
        pe(SECTIONS)[:70],
    ],
    ids=["empty", "short", "zeros", "elf", "far away", "cut in its header"],
)
def test_what_is_no_pe(data: bytes) -> None:
    assert read(data) is None


def test_lies_about_sections_are_refused() -> None:
    whole = pe(SECTIONS)
    assert refused(whole[:200]) == "damaged"  # the table
    cut = read(whole[:-20])
    assert cut is not None
    assert cut.damage == "ends within its section .uname"
    with pytest.raises(Unreadable, match="ends within"):
        read_section(tree_of({"/x.efi": whole[:-20]}), cut, ".uname", 100)
    many = bytearray(whole)
    struct.pack_into("<H", many, 64 + 6, 0xFFFF)
    assert refused(bytes(many)) == "too-large"
    huge = bytearray(whole)
    at = 64 + 24 + struct.unpack_from("<H", whole, 64 + 20)[0]
    struct.pack_into("<II", huge, at + 8, 0xFFFFFFFF, 0)
    struct.pack_into("<I", huge, at + 16, 0xFFFFFFFF)
    lying = read(bytes(huge))
    assert lying is not None
    assert lying.damage == "ends within its section .text"


def test_a_file_that_can_not_be_read_says_so() -> None:
    with pytest.raises(Unreadable):
        read_pe(tree_of({"/x.efi": Broken()}), "/x.efi")


STUB = Path("/usr/lib/systemd/boot/efi/linuxx64.efi.stub")


@pytest.mark.skipif(not STUB.exists(), reason="systemd-boot-efi is not installed")
def test_a_real_stub() -> None:
    found = read(STUB.read_bytes())
    assert found is not None
    assert found.architecture == "x86_64"
    assert {".text", ".data", ".sbat"} <= {section.name for section in found.sections}
