"""Whatever is done to the metadata of the smaller formats, they are read or refused."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from diskwright.errors import ImageRefused
from diskwright.formats import luks, parallels, qcow1, qed
from diskwright.formats.package import ova
from diskwright.formats.source import ImageSource
from diskwright.model.image import ImageFacts
from support import small_images as make
from support.looking import ending
from support.packages import archive, descriptor, disk, drive, file, manifest

C = 4096
MUTANTS = 600
VALUES = (0, 1, 2, 0x40, 0x7F, 0x80, 0xFE, 0xFF)


def package() -> bytes:
    about = descriptor(
        files=file("f1", "a.vmdk") + file("f2", "b.vmdk"),
        disks=disk("d1", "f1") + disk("d2", "f2"),
        items=drive(1, "d2", 0, 0) + drive(2, "d1", 0, 1),
    )
    disks = [("a.vmdk", b"x" * 700), ("b.vmdk", b"y" * 10)]
    return archive(("w.ovf", about), *disks, ("w.mf", manifest(("w.ovf", about), *disks)))


# name -> reader, good content, where its metadata lies
BASES: dict[str, tuple[Callable[[ImageSource], object], bytes, list[range]]] = {
    "qed": (
        qed.read_facts,
        make.qed(features=2),
        [range(64), range(C, C + 64), range(3 * C, 3 * C + 64)],
    ),
    "qcow": (
        qcow1.read_facts,
        make.qcow1(l2=[1024, 0, make.packed(9, 1600, 99), make.packed(9, 1700, 300)]),
        [range(56), range(512, 560)],
    ),
    "parallels": (parallels.read_facts, make.parallels(in_use=0x746F6E59), [range(96)]),
    "luks1": (luks.read_header, make.luks1(), [range(300)]),
    "luks2": (luks.read_header, make.luks2(), [range(520), range(4096, 4300)]),
    "ova": (ova.read_package, package(), [range(5120)]),
}


def mutants(content: bytes, places: list[range], seed: int):
    """One to four bytes changed, and now and then the file cut."""
    chance = random.Random(seed)
    flat = [place for part in places for place in part if place < len(content)]
    for _ in range(MUTANTS):
        changed = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            value = chance.choice([chance.choice(VALUES), chance.randrange(256)])
            changed[chance.choice(flat)] = value
        kept = chance.randrange(len(changed)) if chance.random() < 0.1 else len(changed)
        yield bytes(changed[:kept])


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", BASES)
def test_changed_bytes_end_in_facts_or_in_a_refusal(name: str, seed: int) -> None:
    reader, content, places = BASES[name]
    assert not isinstance(ending(reader, content), ImageRefused)
    refused = 0
    for mutant in mutants(content, places, seed):
        end = ending(reader, mutant)
        refused += isinstance(end, ImageRefused)
        if isinstance(end, ImageFacts):
            assert 0 < end.virtual_size < 1 << 63
            assert end.virtual_size % 512 == 0
    assert 0 < refused <= MUTANTS


@pytest.mark.parametrize("name", BASES)
def test_a_file_cut_at_any_byte_of_its_metadata_ends_in_facts_or_in_a_refusal(name: str) -> None:
    reader, content, places = BASES[name]
    for place in {place for part in places for place in part[::3] if place < len(content)}:
        end = ending(reader, content[:place])
        if name not in ("ova", "luks1"):  # which are whole before what these bytes hold
            assert isinstance(end, ImageRefused)


def test_of_a_digest_that_is_verified_no_changed_byte_passes() -> None:
    content = package()

    def verified(source: ImageSource) -> bool:
        found = ova.read_package(source)
        return ova.verify_digests(source, found, lambda count: None).digests_verified

    assert ending(verified, content) is True
    data = range(content.index(b"x" * 700), content.index(b"x" * 700) + 700, 13)
    for place in data:
        changed = bytearray(content)
        changed[place] ^= 1
        end = ending(verified, bytes(changed))
        assert isinstance(end, ImageRefused)
        assert end.code == "checksum"
