"""Whatever a disk looks like, qemu finds the files sound and the same disk as the raw one."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diskwright.adapters.file_sink import FileSink
from diskwright.blockio.memory import MemoryReader
from diskwright.model.image import ImageFormat
from diskwright.writers import writer_for
from support.disks import contents

KIB, MIB = 1 << 10, 1 << 20

# Runs are long enough to cross clusters (64 KiB) and windows (2 MiB), and end beside their borders
_RUN = st.tuples(st.sampled_from("ABZ?.0-"), st.sampled_from([1, 2, 7, 16, 17, 127, 511, 513]))
_PICTURE = st.lists(_RUN, min_size=1, max_size=9).map(
    lambda runs: "".join(mark * count for mark, count in runs)
)
_UNIT = st.sampled_from([512, 4 * KIB, 8 * KIB])


def write(reader: MemoryReader, image_format: ImageFormat, compressed: bool, path: Path) -> int:
    """Writes the image and returns what its plan promised it would not exceed."""
    writer = writer_for(image_format, virtual_size=reader.size, compressed=compressed, threads=2)
    with FileSink(str(path), force=True) as sink:
        for chunk in writer.chunks(reader):
            sink.write(chunk)
        sink.finish()
    return writer.plan(reader.extents(0, reader.size)).size_limit


def assert_sound_and_the_same(image: Path, raw: Path) -> None:
    check = subprocess.run(
        ["qemu-img", "check", "-f", "qcow2", "--output=json", image], capture_output=True, text=True
    )
    assert check.returncode == 0, check.stdout + check.stderr
    report = json.loads(check.stdout)
    assert report["check-errors"] == 0
    assert not {"corruptions", "leaks"} & set(report)
    assert report["image-end-offset"] == image.stat().st_size, "nothing lies behind the image"
    compare = subprocess.run(
        ["qemu-img", "compare", "-f", "qcow2", "-F", "raw", image, raw],
        capture_output=True,
        text=True,
    )
    assert compare.returncode == 0, compare.stdout + compare.stderr


def assert_compared(image: Path, driver: str, raw: Path) -> None:
    """Also their sizes, which it warns of: as qemu reads the file by itself, no tail is lost."""
    compare = subprocess.run(
        ["qemu-img", "compare", "-f", driver, "-F", "raw", image, raw],
        capture_output=True,
        text=True,
    )
    assert (compare.returncode, compare.stdout) == (0, "Images are identical.\n"), compare.stderr


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(picture=_PICTURE, unit=_UNIT, cut=st.integers(0, 15))
def test_any_picture(tmp_path: Path, picture: str, unit: int, cut: int) -> None:
    size = len(picture) * unit - cut * 512 % unit
    reader = MemoryReader.of_picture(picture, unit=unit, size=size)
    raw = tmp_path / "reference.raw"
    raw.write_bytes(contents(reader))
    ours = tmp_path / "ours.raw"
    assert write(reader, ImageFormat.RAW, False, ours) >= ours.stat().st_size
    assert ours.read_bytes() == raw.read_bytes()
    vhd = tmp_path / "image.vhd"
    assert write(reader, ImageFormat.VHD, False, vhd) == vhd.stat().st_size
    assert_compared(vhd, "vpc", raw)
    for compressed in (False, True):
        image = tmp_path / "image.qcow2"
        limit = write(reader, ImageFormat.QCOW2, compressed, image)
        assert image.stat().st_size <= limit
        assert_sound_and_the_same(image, raw)


def test_nothing_refers_back_farther_than_qemu_inflates(tmp_path: Path) -> None:
    """Noise that comes again after 8 KiB would tempt any deflate with a larger window."""
    reader = MemoryReader.of_bytes(random.Random(1).randbytes(8 * KIB) * 32)
    raw, image = tmp_path / "reference.raw", tmp_path / "image.qcow2"
    raw.write_bytes(contents(reader))
    write(reader, ImageFormat.QCOW2, True, image)
    assert_sound_and_the_same(image, raw)


def test_noise_and_text_beside_each_other_are_sound(tmp_path: Path) -> None:
    """Compressed clusters of all lengths, so that they end at and cross all kinds of borders."""
    noise = random.Random(2)
    clusters = (noise.randbytes(n * 431) + bytes(64 * KIB - n * 431) for n in range(153))
    reader = MemoryReader.of_bytes(b"".join(clusters))
    raw, image = tmp_path / "reference.raw", tmp_path / "image.qcow2"
    raw.write_bytes(contents(reader))
    limit = write(reader, ImageFormat.QCOW2, True, image)
    assert image.stat().st_size <= limit
    assert_sound_and_the_same(image, raw)
