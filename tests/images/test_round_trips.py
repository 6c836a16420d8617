"""Every good ext4 disk, prepared and restored, is the disk that it was: by us and by qemu-img.

From qcow2 and raw to every kind of place, sealed and plain; from all other formats to a folder.
"""

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


# driver, options
OTHERS = {
    "sparse.vmdk": ("vmdk", "subformat=monolithicSparse"),
    "stream.vmdk": ("vmdk", "subformat=streamOptimized"),
    "flat.vmdk": ("vmdk", "subformat=monolithicFlat"),
    "dynamic.vhd": ("vpc", "subformat=dynamic,force_size=on"),
    "fixed.vhd": ("vpc", "subformat=fixed,force_size=on"),
    "disk.vhdx": ("vhdx", ""),
    "disk.vdi": ("vdi", ""),
    "disk.qed": ("qed", ""),
}


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
    assert_identical(source.suffix[1:], source, "qcow2", back)
    assert [path for path in files_below(s3.home) if (s3.home / path).is_file()] == []


@pytest.fixture(scope="module")
def flat(disk: Disk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return flatten(disk.file, tmp_path_factory.mktemp("flat"), "qcow2")


@pytest.mark.parametrize("name", OTHERS)
def test_what_came_in_another_format_is_restored(
    flat: Path, name: str, diskwright: Command, work: Path
) -> None:
    driver, options = OTHERS[name]
    source = work / "in" / name
    source.parent.mkdir()
    more = ["-o", options] if options else []
    subprocess.run(
        ["qemu-img", "convert", "-f", "qcow2", "-O", driver, *more, flat, source], check=True
    )
    allowed = ["--allow-backing-under", source.parent] if name == "flat.vmdk" else []
    to = f"dir:{work / 'library'}"
    made = document(diskwright, "prepare", source, "--profile", "huawei-ims", "--to", to, *allowed)
    restored = document(diskwright, "restore", to, work / "back", "--verify")
    assert made["digest"] == restored["digest"]
    assert_identical("qcow2", flat, "qcow2", work / "back")


def test_a_fixed_vhd_is_prepared_in_one_pass_and_restored(
    flat: Path, diskwright: Command, work: Path
) -> None:
    to = f"dir:{work / 'library'}"
    arguments = ["prepare", flat, "--profile", "huawei-ims", "-O", "vhd", "--to", to]
    made = document(diskwright, *arguments)
    restored = document(diskwright, "restore", to, work / "back", "--verify")
    assert (made["format"], restored["format"]) == ("vhd", "vhd")
    assert made["digest"] == restored["digest"]
    assert_identical("qcow2", flat, "vpc", work / "back")


def assert_identical(driver: str, one: Path, other_driver: str, other: Path) -> None:
    compared = subprocess.run(
        ["qemu-img", "compare", "-f", driver, "-F", other_driver, one, other],
        capture_output=True,
        text=True,
    )
    assert (compared.returncode, compared.stdout) == (0, "Images are identical.\n")


def document(command: Command, *arguments: str | Path) -> dict:
    ended = command(*arguments, "--output", "json")
    assert ended.code == 0, ended
    return ended.document["results"][0]["made"]
