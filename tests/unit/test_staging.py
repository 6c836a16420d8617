"""A staged file is nobody else's to read, and what a killed run left goes with the next."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from diskwright.adapters.file_sink import FileSink
from diskwright.adapters.staging import BesideTarget
from diskwright.model.stored import Chunk

STAGE_AND_WAIT = """
import sys
from diskwright.adapters.file_sink import FileSink
from diskwright.adapters.staging import BesideTarget
with BesideTarget(sys.argv[1], force=False) as staged:
    with FileSink(staged.path, force=True) as sink:
        sink.finish()
    print("staged", flush=True)
    sys.stdin.read()
"""


def test_the_next_run_removes_what_a_killed_one_left_and_nothing_that_lives(tmp_path: Path) -> None:
    target = tmp_path / "out"
    command = [sys.executable, "-c", STAGE_AND_WAIT, target]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"staged\n"
        with BesideTarget(str(target), force=False):
            assert len(os.listdir(tmp_path)) == 2
        assert len(os.listdir(tmp_path)) == 1
        child.kill()
    assert len(os.listdir(tmp_path)) == 1
    with BesideTarget(str(target), force=False) as staged:
        assert os.listdir(tmp_path) == [os.path.basename(os.path.dirname(staged.path))]
    assert os.listdir(tmp_path) == []


def test_nobody_else_reads_it_until_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with BesideTarget(str(target), force=False) as staged:
        with FileSink(staged.path, force=True) as sink:
            sink.write(Chunk(0, b"secret"))
            sink.finish()
        assert os.stat(os.path.dirname(staged.path)).st_mode & 0o777 == 0o700
        staged.commit()
    assert target.read_bytes() == b"secret"
    assert os.listdir(tmp_path) == ["out"]
