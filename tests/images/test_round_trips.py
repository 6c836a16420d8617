"""Every good ext4 disk, prepared and restored, is the disk that it was: by us and by qemu-img."""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path

import pytest

from support.command import Command, files_below
from support.image_corpus import Disk, flatten, good_ext4


@pytest.fixture(scope="module", params=good_ext4(), ids=str)
def disk(request: pytest.FixtureRequest) -> Disk:
    return request.param


@pytest.fixture(scope="module", params=["qcow2", "raw"])
def source(disk: Disk, request: pytest.FixtureRequest, tmp_path_factory) -> Path:
    return flatten(disk.file, tmp_path_factory.mktemp("sources"), request.param)


def target(command: Command, kind: str, work: Path) -> str:
    if kind == "dir":
        return f"dir:{work / 'library'}"
    return f"s3://{command.bucket}/{uuid.uuid4()}"


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
@pytest.mark.parametrize("kind", ["dir", "s3"])
def test_what_is_restored_is_what_was_prepared(
    source: Path, kind: str, sealed: bool, s3: Command, work: Path
) -> None:
    key: list[str] = []
    if sealed:
        assert s3("key", "new", work / "kek.json").code == 0
        key = ["--key", f"local:{work / 'kek.json'}"]
    before = source.stat()
    to = target(s3, kind, work)
    made = document(s3, "prepare", source, "--profile", "huawei-ims", "--to", to, *key)
    assert source.stat().st_mtime_ns == before.st_mtime_ns
    back = work / "back"
    restored = document(s3, "restore", to, back, "--verify", *key)
    assert (made["sealed"], restored["sealed"], restored["staged_bytes"]) == (sealed, sealed, 0)
    assert made["digest"] == restored["digest"]
    assert restored["verified"]  # it was read back and its digest is that of the manifest
    compared = subprocess.run(
        ["qemu-img", "compare", "-f", source.suffix[1:], "-F", "qcow2", source, back],
        capture_output=True,
        text=True,
    )
    assert (compared.returncode, compared.stdout) == (0, "Images are identical.\n")
    assert [path for path in files_below(s3.home) if (s3.home / path).is_file()] == []


def document(command: Command, *arguments: str | Path) -> dict:
    ended = command(*arguments, "--output", "json")
    assert ended.code == 0, ended
    return ended.document["results"][0]["made"]
