"""Progress sums up to what was announced, exactly, in every phase of every verb, holes or not."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from diskwright.app import Diskwright
from diskwright.config import load
from diskwright.model.image import ImageFormat

MIB = 1 << 20


class Recorded:
    """A Progress that remembers."""

    def __init__(self) -> None:
        self.phases: list[tuple[str, int]] = []
        self.done: list[int] = []

    def phase(self, name: str, total: int) -> None:
        self.phases.append((name, total))
        self.done.append(0)

    def advance(self, count: int) -> None:
        self.done[-1] += count
        assert 0 <= self.done[-1] <= self.phases[-1][1], self.phases[-1]

    def check(self, *names: str) -> None:
        assert tuple(name for name, _ in self.phases) == names
        assert self.done == [total for _, total in self.phases]


@pytest.fixture
def app(tmp_path, monkeypatch) -> Diskwright:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return Diskwright(load(None))


@pytest.fixture(params=["empty", "full", "holes", "odd"])
def disk(request, tmp_path) -> Path:
    """Raw: nothing but a hole, no hole, data here and there, and a size of no whole blocks."""
    path = tmp_path / "disk.raw"
    draw = random.Random(request.param)
    with path.open("wb") as file:
        file.truncate({"odd": 9 * MIB + 1234}.get(request.param, 13 * MIB))
        if request.param == "full":
            file.write(draw.randbytes(13 * MIB))
        if request.param in ("holes", "odd"):
            for at in (0, MIB + 4096, 5 * MIB - 7, 9 * MIB):
                file.seek(at)
                file.write(draw.randbytes(1000))
    return path


@pytest.mark.parametrize("made", [ImageFormat.RAW, ImageFormat.QCOW2])
@pytest.mark.parametrize("given", ["raw", "qcow2"])
def test_of_convert(app, disk, tmp_path, given, made):
    source = disk
    if given == "qcow2":
        source = tmp_path / "disk.qcow2"
        subprocess.run(
            ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", disk, source], check=True
        )
    progress = Recorded()
    app.convert(
        str(source), str(tmp_path / "out"), output_format=made, verify=True, progress=progress
    )
    progress.check("convert", "verify")


def test_of_convert_by_qemu_img(app, disk, tmp_path):
    progress = Recorded()
    app.convert(str(disk), str(tmp_path / "out"), output_format=ImageFormat.VMDK, progress=progress)
    progress.check("convert")


@pytest.mark.parametrize("made", [ImageFormat.RAW, ImageFormat.QCOW2])
@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
def test_of_prepare_and_restore(app, disk, tmp_path, made, sealed):
    place, key = f"dir:{tmp_path / 'target'}", None
    if sealed:
        app.new_key(str(tmp_path / "kek.json"))
        key = f"local:{tmp_path / 'kek.json'}"
    progress = Recorded()
    app.prepare(
        str(disk),
        to=place,
        key=key,
        data=True,
        output_format=made,
        progress=progress,
        accepted=(),
    )
    progress.check("prepare")
    progress = Recorded()
    app.restore(place, str(tmp_path / "out"), key=key, progress=progress)
    progress.check("restore")
    progress = Recorded()
    other = ImageFormat.QCOW2 if made is ImageFormat.RAW else ImageFormat.RAW
    app.restore(
        place,
        str(tmp_path / "other"),
        key=key,
        output_format=other,
        verify=True,
        progress=progress,
    )
    progress.check("restore", "verify", "convert", "verify")
    if sealed:
        progress = Recorded()
        app.reopen(place, f"dir:{tmp_path / 'opened'}", key=key, progress=progress)
        progress.check("open")
