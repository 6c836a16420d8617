"""An empty overlay by the letter of the qcow2 specification, and as qemu reads it."""

from __future__ import annotations

import json
import os
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diskwright.errors import ImageUnsafe
from diskwright.formats.identity import open_image
from diskwright.formats.qcow2 import read_facts
from diskwright.formats.source import ImageSource
from diskwright.model.image import ImageFormat
from diskwright.model.units import GIB, MIB, TIB
from diskwright.writers.qcow2_overlay import can_name, overlay_chunks
from support.disks import assemble

CLUSTER = 1 << 16
SIZES = st.integers(1, 64 * TIB // 512).map(lambda sectors: sectors * 512)


def overlay(size: int, base: str, base_format: ImageFormat = ImageFormat.RAW) -> bytes:
    return assemble(overlay_chunks(virtual_size=size, base=base, base_format=base_format))


@settings(max_examples=40, deadline=None)
@given(SIZES, st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200))
def test_every_field_is_where_the_specification_has_it(size: int, name: str) -> None:
    file = overlay(size, f"/srv/{name}", ImageFormat.QCOW2)
    (magic, version, name_at, name_length, bits, virtual, crypt, l1_entries, l1, table, clusters,
     snapshots, snapshots_at, incompatible, compatible, autoclear, order, length,
     ) = struct.unpack_from(">4sIQIIQIIQQIIQQQQII", file)  # fmt: skip
    assert (magic, version, bits, virtual, crypt) == (b"QFI\xfb", 3, 16, size, 0)
    assert (snapshots, snapshots_at) == (0, 0)
    assert (incompatible, compatible, autoclear, order, length) == (0, 0, 0, 4, 112)
    assert file[name_at : name_at + name_length] == f"/srv/{name}".encode()
    kind, told = struct.unpack_from(">II", file, length)
    assert (kind, file[length + 8 : length + 8 + told]) == (0xE2792ACA, b"qcow2")
    end = length + 8 + 8
    assert struct.unpack_from(">II", file, end) == (0, 0)
    assert name_at == end + 8
    assert name_at + name_length <= CLUSTER
    assert l1_entries == -(-size // (512 * MIB))
    assert (l1, l1 % CLUSTER) == (CLUSTER, 0)
    assert not any(file[l1 : l1 + 8 * l1_entries])
    (block,) = struct.unpack_from(">Q", file, table)
    counts = struct.unpack_from(f">{CLUSTER // 2}H", file, block)
    used = len(file) // CLUSTER
    assert len(file) % CLUSTER == 0
    assert counts == (1,) * used + (0,) * (len(counts) - used)
    assert clusters == 1


@pytest.mark.parametrize(
    "size", [512, 1536, MIB + 512, 512 * MIB, 512 * MIB + 512, 3 * TIB, 64 * TIB]
)
def test_qemu_finds_nothing_wrong_with_it(tmp_path: Path, size: int) -> None:
    base, path = tmp_path / "a,b:c", tmp_path / "overlay.qcow2"
    base.touch()
    sparse = size if size < 4 * TIB else 4 * TIB  # a file system has a largest file
    os.truncate(base, sparse)
    path.write_bytes(overlay(size, str(base)))
    subprocess.run(["qemu-img", "check", "-q", path], check=True)
    info = json.loads(
        subprocess.run(
            ["qemu-img", "info", "--output", "json", path], check=True, capture_output=True
        ).stdout
    )
    assert (info["format"], info["virtual-size"]) == ("qcow2", size)
    assert (info["full-backing-filename"], info["backing-filename-format"]) == (str(base), "raw")


def test_it_reads_as_its_base_and_takes_writes_of_its_own(tmp_path: Path) -> None:
    base, path = tmp_path / "base.raw", tmp_path / "overlay.qcow2"
    data = os.urandom(MIB) + bytes(MIB) + os.urandom(1536)
    base.write_bytes(data)
    path.write_bytes(overlay(len(data), str(base)))
    compare = ["qemu-img", "compare", "-f", "raw", "-F", "qcow2", base, path]
    subprocess.run(compare, check=True, capture_output=True)
    write = ["qemu-io", "-f", "qcow2", "-c", "write -P 7 1000k 64k", path]
    subprocess.run(write, check=True, capture_output=True)
    subprocess.run(["qemu-img", "check", "-q", path], check=True)
    assert base.read_bytes() == data
    assert subprocess.run(compare, capture_output=True).returncode == 1


def test_our_own_reader_refuses_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "overlay.qcow2"
    path.write_bytes(overlay(GIB, "/srv/base.raw"))
    fd, identity = open_image(str(path))
    with pytest.raises(ImageUnsafe), open(fd, "rb"):
        read_facts(ImageSource(fd, str(path), identity.size))


@pytest.mark.parametrize(
    ("size", "base"),
    [(0, "/b"), (511, "/b"), (64 * TIB + 512, "/b"), (512, "b"), (512, "/" + "b" * 1023)],
)
def test_what_no_caller_should_ask_for(size: int, base: str) -> None:
    with pytest.raises(ValueError):
        overlay_chunks(virtual_size=size, base=base, base_format=ImageFormat.RAW)


def test_a_name_is_counted_in_bytes() -> None:
    assert can_name("/" + "b" * 1022)
    assert not can_name("/" + "ä" * 512)
