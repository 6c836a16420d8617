"""A packed image is as good as what is in it, and what was unpacked goes with the run."""

from __future__ import annotations

import bz2
import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from diskwright.adapters.unpacked import PREFIX
from diskwright.formats.packed.codecs import zstd
from diskwright.model.image import ImageFormat
from support.command import FIXTURE, Command, files_below, one_line_and_a_hint
from support.packed import ENDING, PACK
from support.stopping import descendants, stop

ENDS_S = 5.0  # we promise one second on a quiet machine


@pytest.fixture
def temporary(diskwright: Command) -> Path:
    """Where the command unpacks to."""
    folder = diskwright.home / "tmp"
    folder.mkdir()
    diskwright.environment["TMPDIR"] = str(folder)
    return folder


def packed(folder: Path, image: Path, packing: ImageFormat) -> Path:
    path = folder / (image.name + ENDING[packing])
    path.write_bytes(PACK[packing](image.read_bytes()))
    return path


def same(one: Path, other: Path) -> None:
    argv = ["qemu-img", "compare", "-f", "raw", "-F", "qcow2", one, other]
    assert subprocess.run(argv, capture_output=True).returncode == 0


@pytest.mark.parametrize("packing", PACK, ids=str)
def test_a_packed_qcow2_is_told(diskwright, temporary, folder, packing):
    image = packed(folder, FIXTURE, packing)
    told = diskwright("inspect", "--output", "json", image)
    assert told.code == 0, told.err
    facts = told.document["results"][0]["facts"]
    assert facts["image"]["format"] == "qcow2"
    assert facts["image"]["packed_in"] == packing.value
    assert facts["image"]["unpacked_size"] == FIXTURE.stat().st_size
    assert facts["image"]["problems"] == []
    assert facts["guest"]["os"]["id"] == "debian"
    assert files_below(temporary) == []


@pytest.fixture(scope="module")
def packed_raw(raw_disk: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real disk, raw, in zstd: read only."""
    path = tmp_path_factory.mktemp("packed") / "debian12.raw.zst"
    with raw_disk.open("rb") as source, zstd.open(path, "wb", level=1) as target:
        shutil.copyfileobj(source, target, 1 << 20)
    return path


def test_a_packed_raw_disk_is_prepared(diskwright, temporary, folder, raw_disk, packed_raw):
    target = f"dir:{folder / 'target'}"
    made = diskwright("prepare", packed_raw, "--to", target)
    assert made.code == 0, made.err
    back = diskwright("restore", target, "--image", "debian12", folder / "back.qcow2")
    assert back.code == 0, back.err
    same(raw_disk, folder / "back.qcow2")
    assert files_below(temporary) == []


def test_a_packed_vhd_is_converted(diskwright, temporary, folder, raw_disk):
    vhd = folder / "disk.vhd"
    options = ["-O", "vpc", "-o", "force_size=on"]
    subprocess.run(["qemu-img", "convert", *options, FIXTURE, vhd], check=True)
    image = packed(folder, vhd, ImageFormat.ZSTD)
    ended = diskwright("convert", image, folder / "out.qcow2")
    assert ended.code == 0, ended.err
    same(raw_disk, folder / "out.qcow2")
    assert files_below(temporary) == []


def test_the_limit_is_said_and_can_be_set(diskwright, temporary, packed_raw):
    ended = diskwright("inspect", "--max-unpacked", "512MiB", packed_raw)
    assert ended.code == 10
    line = one_line_and_a_hint(ended)
    assert "more than 512 MiB came out of" in line
    assert line.endswith("[compressed-container]")
    told = diskwright("inspect", "--max-unpacked", "1GiB", packed_raw)
    assert "packed       zstd, unpacked to 1 GiB" in told.out
    assert files_below(temporary) == []


@pytest.mark.parametrize("verb", ["inspect", "validate"])
def test_who_asks_sees_it_move(diskwright, temporary, folder, verb):
    image = packed(folder, FIXTURE, ImageFormat.GZIP)
    ended = diskwright(verb, image, "--progress")
    assert ended.code == 0, ended.err
    assert "unpack:" in ended.err
    assert "unpack:" not in ended.out


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A packed disk that takes some seconds to unpack: many streams of bzip2."""
    path = tmp_path_factory.mktemp("slow") / "disk.raw.bz2"
    path.write_bytes(bz2.compress(random.Random(1).randbytes(900_000)) * 120)
    return path


class Unpacking:
    """When so much of the content is there."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self.size = size

    def __call__(self, process, command, begun) -> bool:
        found = self.folder.glob(f"{PREFIX}*/content")
        return any(path.stat().st_size >= self.size for path in found)


@pytest.mark.parametrize(
    ("verb", "number"),
    [("inspect", signal.SIGINT), ("validate", signal.SIGTERM), ("convert", signal.SIGINT)],
)
def test_a_signal_ends_it_at_once(diskwright, temporary, folder, slow, verb, number):
    outputs = [folder / "out.qcow2"] if verb == "convert" else []
    arguments = [verb, slow, *outputs]
    stopped = stop(diskwright, arguments, Unpacking(temporary, 2 << 20), number)
    assert stopped.in_time
    assert stopped.ended.code == 128 + number, stopped.ended
    assert "nothing was left behind" in stopped.ended.err
    assert stopped.took_s < ENDS_S
    assert files_below(temporary) == []
    assert files_below(folder) == []


def test_what_a_killed_run_left_goes_with_the_next_and_no_live_ones(
    diskwright, temporary, folder, slow
):
    moment = Unpacking(temporary, 2 << 20)
    stopped = stop(diskwright, ["inspect", slow], moment, signal.SIGKILL)
    assert stopped.in_time
    (left,) = held(temporary)
    assert (temporary / left).stat().st_mode & 0o777 == 0o700
    live = diskwright.start("inspect", slow)
    try:
        while held(temporary) <= {left}:
            assert live.poll() is None
        (of_live,) = held(temporary) - {left}
        image = packed(folder, FIXTURE, ImageFormat.GZIP)
        assert diskwright("inspect", image).code == 0
        assert held(temporary) == {of_live}
        assert descendants(live.pid)
    finally:
        live.send_signal(signal.SIGTERM)
        live.communicate(timeout=60)
    assert os.listdir(temporary) == []


def held(temporary: Path) -> set[str]:
    """The folders that something is unpacked into."""
    return {path.name for path in temporary.glob(f"{PREFIX}*")}
