"""Every packed disk of the corpus unpacks to what Python's own library makes of it."""

from __future__ import annotations

import hashlib
import lzma
import shutil
import tempfile
from pathlib import Path

import pytest

from diskwright.adapters.unpacked import UnpackedFiles
from diskwright.formats.identity import take_identity
from diskwright.model.image import ImageFormat
from support.command import Command, files_below, one_line_and_a_hint
from support.image_corpus import folder

PUBLIC = folder() / "public"
NAMES = sorted(path.name for path in PUBLIC.glob("*.xz"))


def test_the_corpus_is_whole() -> None:
    assert len(NAMES) > 60


@pytest.mark.parametrize("name", NAMES)
def test_a_packed_disk_is_read_whole(
    name: str, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(work))
    expected = hashlib.sha256()
    with lzma.open(PUBLIC / name) as file:
        while block := file.read(1 << 20):
            expected.update(block)
    identity = take_identity(str(PUBLIC / name))
    with (
        UnpackedFiles().unpacked(identity, ImageFormat.XZ) as content,
        Path(content.path).open("rb") as file,
    ):
        assert hashlib.file_digest(file, "sha256").hexdigest() == expected.hexdigest()
    assert files_below(work) == []


def test_a_gzip_file_that_is_cut_short_is_broken(diskwright: Command, work: Path) -> None:
    shutil.copyfile(PUBLIC / "dfvfs-corrupt1.gz", work / "corrupt1.gz")
    ended = diskwright("inspect", work / "corrupt1.gz")
    assert ended.code == 10
    assert one_line_and_a_hint(ended).endswith("[truncated]")
    assert files_below(diskwright.home / "tmp") == []
