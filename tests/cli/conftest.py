"""The command, a disk to work on, and a bucket to send it to."""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path

import pytest

from diskwright.adapters.directory import DirectoryStore
from support import ovas
from support.command import FIXTURE, Command
from support.kills import Target, make_disk
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


@pytest.fixture(scope="session")
def data_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A raw disk with so much data that a run takes a second: read only."""
    return make_disk(tmp_path_factory.mktemp("data") / "data.raw", 64)


@pytest.fixture(scope="session")
def tiny_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A raw disk of 1 MiB: read only."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.raw"
    path.write_bytes(b"tiny" * (256 << 10))
    return path


@pytest.fixture
def s3_place(s3: Command, seaweed: Seaweed) -> Target:
    """`s3.target`, and a way to look into it."""
    bucket, _, prefix = s3.target.removeprefix("s3://").partition("/")
    return Target(s3.target, seaweed.store(bucket, prefix))


@pytest.fixture
def dir_place(folder: Path) -> Target:
    """A folder to prepare to, and a way to look into it."""
    place = folder / "target"
    return Target(f"dir:{place}", DirectoryStore(str(place)), place)


@pytest.fixture(scope="session")
def appliance(tmp_path_factory) -> Path:
    """An OVA: a system disk (qcow2), a data disk (VMDK) and a manifest; read only."""
    folder = tmp_path_factory.mktemp("appliance")
    data, _ = ovas.vmdk(folder, "data.vmdk", seed=1)
    return ovas.write_ova(folder / "app.ova", ovas.system(), data)


@pytest.fixture(scope="session")
def pair(tmp_path_factory) -> Path:
    """An OVA: two raw disks of one size, which lie beside it; read only."""
    folder = tmp_path_factory.mktemp("pair")
    disks = [ovas.raw("one.img", seed=1), ovas.raw("two.img", seed=2)]
    for disk in disks:
        (folder / disk.name).write_bytes(disk.data)
    return ovas.write_ova(folder / "pair.ova", *disks)
