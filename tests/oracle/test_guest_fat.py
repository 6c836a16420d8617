"""FAT as mkfs.vfat and mtools make it."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from diskwright.guest.filesystems.fat import FatFs, open_fat
from diskwright.guest.reading import Unreadable
from diskwright.guest.tree import GuestTree
from support.guest_disks import run, seen_in, seen_in_folder, source_of_file

SIZES = {"FAT12": ("-F", "12", 2), "FAT16": ("-F", "16", 24), "FAT32": ("-F", "32", 40)}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    noise = random.Random(2)
    root = tmp_path_factory.mktemp("fat") / "tree"
    (root / "EFI" / "BOOT").mkdir(parents=True)
    (root / "EFI" / "BOOT" / "BOOTX64.EFI").write_bytes(noise.randbytes(700_000))
    (root / "EFI" / "a long name of more than thirteen letters.cfg").write_text("set x=1\n")
    (root / "EFI" / "größe").write_text("umlaut")
    (root / "many").mkdir()
    for i in range(200):
        (root / "many" / f"file {i:03d}").write_bytes(b"y" * i)
    (root / "empty").touch()
    return root


@pytest.fixture(params=SIZES)
def image(request: pytest.FixtureRequest, tree: Path, tmp_path: Path) -> Path:
    return make(tmp_path / "image", request.param, tree)


def make(image: Path, name: str, tree: Path) -> Path:
    *options, mebibytes = SIZES[name]
    image.write_bytes(b"")
    os.truncate(image, int(mebibytes) << 20)
    run("mkfs.vfat", *map(str, options), "-i", "ABCD1234", "-n", "SYSTEM", image)
    run("mcopy", "-s", "-i", image, *sorted(tree.iterdir()), "::/", env=UTF8)
    return image


UTF8 = {**os.environ, "LC_ALL": "C.UTF-8", "MTOOLS_SKIP_CHECK": "1"}


def opened(image: Path) -> FatFs:
    fs = open_fat(source_of_file(image))
    assert fs is not None
    return fs


def test_a_whole_tree_is_read_as_it_was_written(image: Path, tree: Path) -> None:
    fs = opened(image)
    assert seen_in(fs) == seen_in_folder(tree)
    assert (fs.type, fs.uuid, fs.label, fs.dirty) == ("vfat", "ABCD-1234", "SYSTEM", False)
    assert fs.size == image.stat().st_size


def test_names_are_found_whatever_their_case(image: Path, tree: Path) -> None:
    guest = GuestTree(opened(image))
    whole = (tree / "EFI" / "BOOT" / "BOOTX64.EFI").read_bytes()
    assert guest.read_bytes("/efi/Boot/bootx64.efi", 1 << 20) == whole
    assert guest.read_text("/EFI/Größe") == "umlaut"
    assert not guest.exists("/efi/boot/bootia32.efi")


def test_the_dirty_bit_is_seen(image: Path) -> None:
    data = bytearray(image.read_bytes())
    wide = data[82:87] == b"FAT32"
    data[65 if wide else 37] |= 1  # as Linux marks it while mounted
    image.write_bytes(data)
    assert opened(image).dirty is True


def test_a_volume_that_windows_left_open_is_dirty(tree: Path, tmp_path: Path) -> None:
    image = make(tmp_path / "image", "FAT16", tree)
    data = bytearray(image.read_bytes())
    reserved = int.from_bytes(data[14:16], "little") * 512
    data[reserved + 3] &= 0x7F
    image.write_bytes(data)
    assert opened(image).dirty is True


def test_free_space_of_fat32_is_what_mtools_counts(tree: Path, tmp_path: Path) -> None:
    image = make(tmp_path / "image", "FAT32", tree)
    lines = run("mdir", "-i", image, "::/", env=UTF8).splitlines()
    said = next(line for line in lines if "bytes free" in line)
    assert opened(image).free == int("".join(c for c in said if c.isdigit()))


def test_damage_never_ends_in_anything_but_unreadable(tree: Path, tmp_path: Path) -> None:
    image = make(tmp_path / "image", "FAT16", tree)
    good = image.read_bytes()
    noise = random.Random(5)
    ends = set()
    for _ in range(60):
        data = bytearray(good)
        for _ in range(40):
            data[noise.choice((noise.randrange(512), noise.randrange(200_000)))] ^= (
                1 << noise.randrange(8)
            )
        image.write_bytes(data)
        try:
            fs = open_fat(source_of_file(image))
            if fs is not None:
                (fs.label, fs.free, fs.dirty, seen_in(fs, most_bytes=1 << 20))
            ends.add("read")
        except Unreadable as error:
            ends.add(error.code)
    assert ends == {"read", "damaged"}


def test_after_preload_no_module_is_opened(tree: Path, tmp_path: Path) -> None:
    """The readers run where no file can be opened, so not a module either."""
    image = make(tmp_path / "image", "FAT32", tree)
    script = """
import sys
from pathlib import Path
from diskwright.guest.late import preload
from diskwright.guest.probe import probe
from diskwright.guest.partitions import read_table
from diskwright.guest.tree import GuestTree
from support.guest_disks import gpt, seen_in, source_of_file, source_of
preload()
def closed(event, arguments):
    if event == "open" and str(arguments[0]).endswith((".py", ".pyc", ".so")):
        raise SystemExit(f"imports {arguments[0]} late")
sys.addaudithook(closed)
found = probe(source_of_file(Path(sys.argv[1])), 1)
assert found.facts.read, found.facts.note
seen_in(found.reader)
GuestTree(found.reader).read_bytes("/efi/boot/bootx64.efi", 1 << 20)
assert read_table(source_of(bytes(gpt((34, 1000))))).partitions[0].label == "p0"
"""
    here = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": f"{here}:{here.parent / 'src'}"}
    done = subprocess.run(
        [sys.executable, "-c", script, image], capture_output=True, text=True, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_bytes_that_are_no_fat_are_none_of_ours(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(hashlib.sha256(b"noise").digest() * 100)
    assert open_fat(source_of_file(image)) is None
