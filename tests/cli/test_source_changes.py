"""A source that changes while it is read ends the run with code 14, and nothing is left."""

from __future__ import annotations

import shutil
import time
from urllib.parse import urlsplit

import pytest

from diskwright.app import Diskwright
from diskwright.config import load
from diskwright.errors import SourceChanged
from diskwright.model.image import ImageFormat
from support.command import files_below
from support.servers.faults import Fault, FaultProxy
from support.stopping import Event, journal_files


@pytest.mark.s3
@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
def test_prepare_over_a_slow_network(s3, s3_place, folder, data_disk, sealed):
    source = folder / "disk.raw"
    shutil.copyfile(data_disk, source)
    key = s3.home / "kek.json"
    assert s3("key", "new", key).code == 0
    options = ["--key", f"local:{key}"] if sealed else []
    parts = urlsplit(s3.environment["DISKWRIGHT_S3_ENDPOINT_URL"])
    with FaultProxy(parts.hostname, parts.port, Fault(bytes_per_s=40 << 20)) as proxy:
        s3.environment["DISKWRIGHT_S3_ENDPOINT_URL"] = f"http://127.0.0.1:{proxy.port}"
        process = s3.start("prepare", source, "--data", "--to", s3_place.url, *options)
        part_sent = Event("part")
        while not part_sent(process, s3, 0):
            assert process.poll() is None
            time.sleep(0.005)
        with source.open("ab") as file:
            file.write(bytes(512))
        out, err = process.communicate(timeout=120)
    assert process.returncode == 14, err
    assert "changed" in err.splitlines()[0]
    assert out == ""
    assert s3_place.everything() == []
    assert journal_files(s3) == []


class Touches:
    """A Progress that appends to the source in the middle of a phase."""

    def __init__(self, path) -> None:
        self.path = path

    def phase(self, name: str, total: int) -> None:
        self.name = name

    def advance(self, count: int) -> None:
        if self.path is not None:
            with self.path.open("ab") as file:
                file.write(bytes(512))
            self.path = None


@pytest.mark.parametrize("verify", [False, True])
@pytest.mark.parametrize("made", [ImageFormat.RAW, ImageFormat.QCOW2, ImageFormat.VMDK])
def test_convert(folder, tmp_path, data_disk, monkeypatch, made, verify):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    source = folder / "disk.raw"
    shutil.copyfile(data_disk, source)
    with pytest.raises(SourceChanged):
        Diskwright(load(None)).convert(
            str(source),
            str(folder / "out"),
            output_format=made,
            verify=verify,
            progress=Touches(source),
        )
    assert files_below(folder) == ["disk.raw"]
