"""Whatever an ISO holds, its extraction writes below its folder and nowhere else."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from support.command import Command, files_below
from support.iso_maker import entry, link, many_files, rock_ridge, write
from support.iso_mutants import mutant, originals, run
from support.iso_reading import snapshot
from support.traced import trace

SEEDS = 250


def test_the_same_seed_is_the_same_mutant() -> None:
    assert [mutant(seed) for seed in range(9)] == [mutant(seed) for seed in range(9)]
    assert not {mutant(seed) for seed in range(9)} & set(originals())


def test_mutants_touch_nothing_outside_their_folder(tmp_path: Path) -> None:
    ends = run(iter(range(SEEDS)), tmp_path, until=time.monotonic() + 60)
    assert sum(ends.values()) == SEEDS
    assert ends["done"] > SEEDS // 5
    assert len(ends) > 4  # many ways to be refused


def test_a_mutant_that_writes_outside_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from support import iso_mutants

    def writes_beside(data: bytes, image: Path, target: Path, tree: object = None) -> str:
        (target.parent / "evil").touch()
        return "done"

    monkeypatch.setattr(iso_mutants, "extracted", writes_beside)
    with pytest.raises(AssertionError, match="something outside changed"):
        run(iter(range(1)), tmp_path, until=time.monotonic() + 60)


HOSTILE = rock_ridge(
    link(b"out", "/"),
    link(b"up", "../.."),
    entry(b"out", 0o100644),
    entry(b"plain", 0o106755),
    entry(b"device", 0o020666),
    entry(b"pipe", 0o010666),
)


def test_the_command_takes_only_what_is_safe(tmp_path: Path, diskwright_command: Command) -> None:
    image, target = tmp_path / "hostile.iso", tmp_path / "around" / "target"
    image.write_bytes(HOSTILE)
    target.parent.mkdir()
    before = snapshot(target.parent, but=target)
    ended = diskwright_command("iso", "extract", image, target)
    assert ended.code == 0, ended
    assert files_below(target) == ["plain"]
    assert (target / "plain").stat().st_mode & 0o7777 == 0o755
    for name, why in (
        ("out", "leads outside"),
        ("up", "leads outside"),
        ("out", "another entry has its name"),
        ("device", "character device"),
        ("pipe", "FIFO"),
    ):
        assert any(name in line and why in line for line in ended.out.splitlines()), (name, why)
    assert snapshot(target.parent, but=target) == before


@pytest.fixture
def diskwright_command(tmp_path: Path) -> Command:
    home = tmp_path / "home"
    home.mkdir()
    return Command(home)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is missing: scripts/setup")
@pytest.mark.parametrize("kind", ["hostile", "good"])
def test_under_strace_nothing_else_is_opened(
    kind: str, tmp_path: Path, diskwright_command: Command
) -> None:
    image = tmp_path / "image" / "disc.iso"
    image.parent.mkdir()
    if kind == "hostile":
        image.write_bytes(HOSTILE)
    else:
        write(image, rock_ridge="1.09", joliet=3)
    target = tmp_path / "out" / "target"
    target.parent.mkdir()
    traced = trace(diskwright_command, tmp_path, "iso extract", image, target, options=())
    assert traced.ended.code == 0, traced.ended
    traced.assert_nothing_else()
    written = [call.path for call in traced.calls if call.writes and not call.failed]
    assert written
    for path in written:
        assert path.startswith((str(target), "/dev/null", "/proc/self")), path
    assert os.listdir(tmp_path / "tmp") == []


def test_a_killed_run_leaves_whole_files_only(tmp_path: Path, diskwright_command: Command) -> None:
    size = 1 << 20
    image = many_files(tmp_path / "many.iso", 3000, size=size, sectors=1_600_000)
    target = tmp_path / "target"
    process = diskwright_command.start("iso", "extract", image, target)
    while len(files_below(target)) < 20:
        assert process.poll() is None
    process.kill()
    process.communicate()
    left = [target / name for name in files_below(target)]
    assert 20 <= len(left) < 3000
    assert {path.stat().st_size for path in left} == {size}
    assert {path.suffix for path in left} == {".rpm"}  # no temporary name
