"""A stream written to a sparse file reads back the same, and its zeros take no room."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from diskwright.blockio.sparse import SparseFile
from support.images import patterned


def written(path: Path, data: bytes, piece: int) -> None:
    source, sink = os.pipe()

    def say() -> None:
        for at in range(0, len(data), piece):
            os.write(sink, data[at : at + piece])
        os.close(sink)

    speaker = threading.Thread(target=say)
    speaker.start()
    with path.open("wb") as file:
        out = SparseFile(file.fileno())
        taken = 0
        while count := out.take_from(source):
            taken += count
            assert out.size == taken
        out.finish()
    speaker.join()
    os.close(source)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        bytes(1),
        patterned("0"),
        patterned("A0-B00C"),
        patterned("0" * 16 + "A" + "0" * 20),
        patterned("AAAA" * 4 + "B"),
        patterned("A0") + b"tail",
        patterned("A") + bytes(100),
        bytes(65535) + b"x" + bytes(65536),
        patterned("0" * 40 + "A" + "0" * 40)[1:],
    ],
    ids=range(11),
)
@pytest.mark.parametrize("piece", [4096, 60_001, 65536])
def test_what_is_taken_is_what_the_file_holds(tmp_path: Path, data: bytes, piece: int) -> None:
    written(tmp_path / "file", data, piece)
    assert (tmp_path / "file").read_bytes() == data


def test_zeros_take_no_room(tmp_path: Path) -> None:
    written(tmp_path / "file", patterned("A" + "0" * 160 + "B" + "0" * 7), 65536)
    status = (tmp_path / "file").stat()
    assert status.st_size == 169 * 65536
    assert status.st_blocks * 512 < 4 * 65536
