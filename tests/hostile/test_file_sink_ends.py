"""The ends that a process does not see coming, on real file systems."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from diskwright.adapters.file_sink import FileSink
from diskwright.errors import DiskFull
from diskwright.model.stored import Chunk

WRITE_AND_WAIT = """
import sys
from diskwright.adapters.file_sink import FileSink
from diskwright.model.stored import Chunk
with FileSink(sys.argv[1], force=True) as sink:
    sink.write(Chunk(0, bytes(5_000_000)))
    print("written", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("existing", [False, True])
def test_killed_while_writing_it_leaves_what_was_there(tmp_path: Path, existing: bool) -> None:
    target = tmp_path / "out"
    if existing:
        target.write_bytes(b"old")
    command = [sys.executable, "-c", WRITE_AND_WAIT, target]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"written\n"
        child.kill()
    assert [path.name for path in tmp_path.iterdir()] == (["out"] if existing else [])
    if existing:
        assert target.read_bytes() == b"old"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_really_full_disk_leaves_nothing(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with FileSink(str(tmp_path / "out"), force=False) as sink, pytest.raises(DiskFull):
            sink.write(Chunk(0, b"x" * (4 << 20)))
        assert list(tmp_path.iterdir()) == []
        assert os.statvfs(tmp_path).f_bfree == os.statvfs(tmp_path).f_blocks
    finally:
        subprocess.run(["umount", tmp_path], check=True)
