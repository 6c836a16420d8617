"""Whatever a disk and its base look like, qemu reads the delta over its base as that disk."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diskwright.blockio.memory import MemoryReader
from diskwright.errors import DataTampered, ImageUnsafe
from diskwright.formats.qemu import image_options
from diskwright.model.image import ImageFormat
from diskwright.writers import writer_for
from support.disks import contents
from support.layered import chained, delta, dw1, whole, written

KIB, MIB = 1 << 10, 1 << 20

# Runs are long enough to cross clusters (64 KiB) and windows (2 MiB), and end beside their borders
_RUN = st.tuples(st.sampled_from("ABZ?.0-"), st.sampled_from([1, 2, 7, 16, 17, 127, 511, 513]))
_PICTURE = st.lists(_RUN, min_size=1, max_size=6).map(
    lambda runs: "".join(mark * count for mark, count in runs)
)
_UNIT = st.sampled_from([512, 4 * KIB, 8 * KIB])
_CHANGES = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from([1, 3, 16, 100]), st.sampled_from("AC?.0-")),
    max_size=4,
)
_LENGTH = st.sampled_from([0.3, 0.9, 1, 1, 1, 1.1, 2.5])


def changed(picture: str, changes: list[tuple[float, int, str]], length: float) -> str:
    marks = list(picture)
    for where, count, mark in changes:
        at = int(where * (len(marks) - 1))
        marks[at : at + count] = [mark] * min(count, len(marks) - at)
    wanted = max(1, int(len(marks) * length))
    return "".join(marks[:wanted]).ljust(wanted, "-")


def assert_sound(image: Path) -> None:
    check = subprocess.run(
        ["qemu-img", "check", "-f", "qcow2", "--output=json", image], capture_output=True, text=True
    )
    assert check.returncode == 0, check.stdout + check.stderr
    report = json.loads(check.stdout)
    assert not {"corruptions", "leaks"} & set(report)
    assert report["image-end-offset"] == image.stat().st_size, "nothing lies behind the image"
    info = subprocess.run(
        ["qemu-img", "info", "-f", "qcow2", "--output=json", image], capture_output=True, text=True
    )
    assert not [name for name in json.loads(info.stdout) if name.startswith("backing")]


def assert_same(options: str, raw: Path) -> None:
    compare = subprocess.run(
        ["qemu-img", "compare", "--image-opts", options, f"driver=raw,file.filename={raw}"],
        capture_output=True,
        text=True,
    )
    assert (compare.returncode, compare.stdout) == (0, "Images are identical.\n"), compare.stderr


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    picture=_PICTURE,
    unit=_UNIT,
    steps=st.lists(st.tuples(_CHANGES, _LENGTH), min_size=1, max_size=3),
    whole_format=st.sampled_from([ImageFormat.RAW, ImageFormat.QCOW2]),
    compressed=st.booleans(),
)
def test_any_versions(tmp_path, picture, unit, steps, whole_format, compressed) -> None:
    version = MemoryReader.of_picture(picture, unit=unit)
    bottom = tmp_path / f"0.{whole_format}"
    writer = writer_for(whole_format, virtual_size=version.size, compressed=False, threads=2)
    written(writer, version, bottom)
    paths = [bottom]
    for number, (changes, length) in enumerate(steps, start=1):
        base, picture = version, changed(picture, changes, length)
        version = MemoryReader.of_picture(picture, unit=unit)
        top = tmp_path / f"{number}.qcow2"
        layout = delta(version, base, top, compressed=compressed)
        assert top.stat().st_size <= layout.size_limit
        assert_sound(top)
        paths.insert(0, top)
    raw = tmp_path / "reference.raw"
    raw.write_bytes(contents(version))
    disk = chained(*paths)
    assert_same(image_options(disk.disk), raw)
    flat = tmp_path / "flat.qcow2"
    whole(disk, dw1(version), flat)
    assert_same(f"driver=qcow2,file.filename={flat}", raw)


def test_another_disk_than_the_manifests_leaves_no_file(tmp_path: Path) -> None:
    base, version = MemoryReader.of_picture("AAAA-BB"), MemoryReader.of_picture("AACA-BB")
    bottom, top, flat = tmp_path / "0.raw", tmp_path / "1.qcow2", tmp_path / "flat.qcow2"
    bottom.write_bytes(contents(base))
    delta(version, base, top)
    with bottom.open("r+b") as file:
        file.write(b"x")
    with pytest.raises(DataTampered):
        whole(chained(top, bottom), dw1(version), flat)
    assert not flat.exists()


def test_a_layer_that_names_a_file_itself_is_refused(tmp_path: Path) -> None:
    bottom, top = tmp_path / "0.raw", tmp_path / "1.qcow2"
    bottom.write_bytes(bytes(MIB))
    words = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", bottom, top]
    subprocess.run(words, check=True)
    with pytest.raises(ImageUnsafe):
        chained(top, bottom)


def test_an_unchanged_disk_takes_no_more_than_tables(tmp_path: Path) -> None:
    disk = MemoryReader.of_picture("?" * 1000)
    top = tmp_path / "same.qcow2"
    delta(disk, disk, top)
    assert_sound(top)
    assert top.stat().st_size <= 4 * 64 * KIB
