"""Encrypted partitions and swap as cryptsetup and mkswap make them, named as blkid names them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from diskwright.guest.probe import probe
from diskwright.model.guest import FileSystem
from support.guest_disks import run, source_of_file


def made(path: Path, *command: str, given: str = "") -> FileSystem:
    path.touch()
    os.truncate(path, 32 << 20)
    run(*command, path, input=given)
    found = probe(source_of_file(path), 1)
    assert found is not None
    assert found.reader is None
    return found.facts


def blkid(path: Path) -> dict[str, str]:
    lines = run("blkid", "-p", "-o", "export", path).splitlines()
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize("version", ["1", "2"])
def test_luks(version: str, tmp_path: Path) -> None:
    path = tmp_path / "luks"
    quick = ("--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--key-file", "-")
    label = ("--label", "closed") if version == "2" else ()
    luks = ("cryptsetup", "luksFormat", "-q", "--type", f"luks{version}")
    found = made(path, *luks, *quick, *label, given="secret")
    said = blkid(path)
    assert (found.type, found.uuid, found.label) == (said["TYPE"], said["UUID"], said.get("LABEL"))
    assert (found.read, found.note) == (False, f"encrypted by LUKS{version}")


@pytest.mark.parametrize("page", ["4096", "8192", "65536"])
def test_swap(page: str, tmp_path: Path) -> None:
    path = tmp_path / "swap"
    found = made(path, "mkswap", "-q", "--pagesize", page, "-L", "pages")
    said = blkid(path)
    assert (found.type, found.uuid, found.label) == (said["TYPE"], said["UUID"], said["LABEL"])
    assert (found.size, found.note) == (32 << 20, "")
