"""The command, a disk to work on, and a bucket to send it to."""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path

import pytest

from support.command import FIXTURE, Command
from support.servers.seaweed import Seaweed


@pytest.fixture
def diskwright(tmp_path: Path) -> Command:
    home = tmp_path / "home"
    home.mkdir()
    return Command(home)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder to work in."""
    work = tmp_path / "work"
    work.mkdir()
    return work


@pytest.fixture(scope="session")
def raw_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real Debian disk, raw: read only."""
    path = tmp_path_factory.mktemp("disks") / "debian12.raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", FIXTURE, path], check=True)
    return path


@pytest.fixture
def s3(seaweed: Seaweed, tmp_path: Path) -> Command:
    """The command with credentials for the local S3 server; `s3.target` is an empty place there."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    command = Command(
        home,
        AWS_ACCESS_KEY_ID="test-admin",
        AWS_SECRET_ACCESS_KEY="test-admin-secret",
        DISKWRIGHT_S3_ENDPOINT_URL=seaweed.endpoint,
        DISKWRIGHT_S3_REGION="us-east-1",
        DISKWRIGHT_S3_ADDRESSING_STYLE="path",
    )
    command.target = f"s3://{seaweed.bucket('command')}/{uuid.uuid4()}"
    return command
