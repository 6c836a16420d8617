"""Disks that are too large for the checkout: `scripts/test-images DIR`, else nothing here runs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command import Command
from support.image_corpus import VARIABLE, folder
from support.images import NO_CPU_TIME, TRIES
from support.servers.seaweed import Seaweed

collect_ignore_glob = [] if os.environ.get(VARIABLE) else ["test_*.py"]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """They are built here: 270 MB in half a minute."""
    for _ in range(TRIES):
        work = tmp_path_factory.mktemp("formats")
        argv = [folder() / "build" / "formats.sh", work]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=300)
        if NO_CPU_TIME not in done.stderr:
            break
    assert done.returncode == 0, done.stderr
    yield work
    for path in work.iterdir():
        path.unlink()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """An empty folder to work in, on a disk with room for some gigabytes with holes."""
    work = tmp_path / "work"
    work.mkdir()
    return work


@pytest.fixture
def diskwright(tmp_path: Path) -> Command:
    """The command with a home and a temporary folder of its own: `command.home` has both."""
    home = tmp_path / "home"
    temporary = home / "tmp"
    temporary.mkdir(parents=True)
    return Command(home, TMPDIR=str(temporary))


@pytest.fixture
def s3(diskwright: Command, seaweed: Seaweed) -> Command:
    """The same with credentials of the local S3 server; `bucket` is there."""
    diskwright.environment |= {
        "AWS_ACCESS_KEY_ID": "test-admin",
        "AWS_SECRET_ACCESS_KEY": "test-admin-secret",
        "DISKWRIGHT_S3_ENDPOINT_URL": seaweed.endpoint,
        "DISKWRIGHT_S3_REGION": "us-east-1",
        "DISKWRIGHT_S3_ADDRESSING_STYLE": "path",
    }
    diskwright.bucket = seaweed.bucket()
    return diskwright
