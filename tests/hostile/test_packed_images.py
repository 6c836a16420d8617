"""Whatever a packed file does to its unpacker: bounded, named, and nothing is left behind."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import shutil
import signal
import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from diskwright.adapters import unpacked
from diskwright.adapters.unpacked import PREFIX, UnpackedFiles
from diskwright.app.adapters import Adapters
from diskwright.blockio.own_folder import OwnFolder
from diskwright.config import load
from diskwright.errors import (
    Cancelled,
    DiskFull,
    ImageBroken,
    ImageUnsafe,
    ImageUnsupported,
    SourceChanged,
    ToolFailed,
    ToolStalled,
    UsageError,
)
from diskwright.formats.identity import take_identity
from diskwright.model.image import ImageFormat
from diskwright.ops.opening import Source
from support.hostile.corpus import build
from support.packed import ENDING, PACK
from support.stopping import command_lines

GZIP, XZ = ImageFormat.GZIP, ImageFormat.XZ
MIB = 1 << 20
ALL = pytest.mark.parametrize("packing", PACK, ids=str)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where it unpacks to."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def disk(blocks: int = 96, *, seed: int = 3) -> bytes:
    """A raw disk with data and zeros, of `blocks` times 64 KiB."""
    draw = random.Random(seed)
    return b"".join(
        bytes(65536) if draw.random() < 0.4 else draw.randbytes(64) * 1024 for _ in range(blocks)
    )


def packed_file(tmp_path: Path, data: bytes, packing: ImageFormat, name: str = "disk.raw") -> Path:
    path = tmp_path / (name + ENDING[packing])
    path.write_bytes(PACK[packing](data))
    return path


def content_of(path: Path, packing: ImageFormat, files: UnpackedFiles) -> bytes:
    with files.unpacked(take_identity(str(path)), packing) as found:
        assert os.stat(os.path.dirname(found.path)).st_mode & 0o777 == 0o700
        assert found == take_identity(found.path)
        return Path(found.path).read_bytes()


def looked_at(path: Path, **inputs) -> Source:
    adapters = Adapters(load(None, environment={}), passphrase=None)
    opener = adapters.opener(inputs)
    with opener.source(str(path), input_format=inputs.get("input_format")) as source:
        return source


@ALL
@pytest.mark.parametrize("confinement", ["auto", "bubblewrap"])
def test_the_content_is_whole_and_then_gone(
    tmp_path: Path, temporary: Path, packing: ImageFormat, confinement: str
) -> None:
    if confinement == "bubblewrap" and shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed: apt-get install bubblewrap")
    data = disk() + b"an odd end"
    path = packed_file(tmp_path, data, packing)
    assert content_of(path, packing, UnpackedFiles(confinement=confinement)) == data
    assert os.listdir(temporary) == []


class Recorder:
    def __init__(self) -> None:
        self.phases: list[tuple[str, int]] = []
        self.steps: list[int] = []

    def phase(self, name: str, total: int) -> None:
        self.phases.append((name, total))

    def advance(self, count: int) -> None:
        self.steps.append(count)


def test_progress_adds_up_to_the_packed_size_and_moves_meanwhile(tmp_path: Path) -> None:
    data = random.Random(1).randbytes(8 * MIB)
    path = packed_file(tmp_path, data, GZIP)
    seen = Recorder()
    content_of(path, GZIP, UnpackedFiles(progress=seen))
    assert seen.phases == [("unpack", path.stat().st_size)]
    assert sum(seen.steps) == path.stat().st_size
    assert len(seen.steps) > 4


def test_a_limit_is_kept_exactly(tmp_path: Path, temporary: Path) -> None:
    data = disk(33)
    path = packed_file(tmp_path, data, GZIP)
    assert content_of(path, GZIP, UnpackedFiles(limit=len(data))) == data
    with pytest.raises(ImageUnsupported) as caught:
        content_of(path, GZIP, UnpackedFiles(limit=len(data) - 1))
    assert caught.value.code == "compressed-container"
    assert "--max-unpacked" in caught.value.hint
    assert os.listdir(temporary) == []


def test_a_bomb_is_left_at_the_limit(tmp_path: Path, temporary: Path) -> None:
    path = tmp_path / "gz-bomb.img.gz"
    path.write_bytes(build(path.name))
    with pytest.raises(ImageUnsupported) as caught:
        looked_at(path)
    assert caught.value.code == "compressed-container"
    assert "more than 192 MiB came out of 25" in caught.value.message
    assert os.listdir(temporary) == []


def test_who_trusts_a_bomb_says_how_much_may_come_out(tmp_path: Path) -> None:
    path = tmp_path / "gz-bomb.img.gz"
    path.write_bytes(build(path.name))
    facts = looked_at(path, max_unpacked=256 * MIB).facts
    assert (facts.virtual_size, facts.unpacked_size) == (256 * MIB, 256 * MIB)


@ALL
@pytest.mark.parametrize("code", ["truncated", "trailing-data", "compressed-data"])
def test_a_broken_file_has_a_name(
    tmp_path: Path, temporary: Path, packing: ImageFormat, code: str
) -> None:
    data = bytearray(PACK[packing](random.Random(5).randbytes(300_000) + bytes(MIB)))
    if code == "truncated":
        del data[-9:]
    elif code == "trailing-data":
        data += b"more"
    else:
        data[20:60] = bytes(40)
    path = tmp_path / "disk.raw"
    path.write_bytes(data)
    with pytest.raises(ImageBroken) as caught:
        content_of(path, packing, UnpackedFiles())
    assert caught.value.code in ({code, "checksum"} if code == "compressed-data" else {code})
    assert caught.value.path == str(path)
    assert os.listdir(temporary) == []


def test_what_is_packed_twice_is_refused(tmp_path: Path) -> None:
    for inner in PACK:
        path = packed_file(tmp_path, PACK[inner](disk(2)), XZ)
        with pytest.raises(ImageUnsupported, match=inner.value) as caught:
            looked_at(path)
        assert caught.value.code == "compressed-container"
        assert caught.value.path == str(path)


@pytest.mark.parametrize("name", ["disk.raw", "disk.ovf"])
def test_an_archive_inside_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(disk(1))
    with tarfile.open(tmp_path / "archive.tar", "w") as archive:
        archive.add(tmp_path / name, name)
    path = packed_file(tmp_path, (tmp_path / "archive.tar").read_bytes(), GZIP, "disk.tar")
    with pytest.raises(ImageUnsupported) as caught:
        looked_at(path)
    assert caught.value.code == "compressed-container"


@pytest.mark.parametrize("name", ["qcow2-backing-etc-passwd.qcow2", "qcow2-datafile-shadow.qcow2"])
def test_what_is_unsafe_is_unsafe_packed_too(tmp_path: Path, temporary: Path, name: str) -> None:
    path = packed_file(tmp_path, build(name), GZIP, name)
    with pytest.raises(ImageUnsafe) as caught:
        looked_at(path)
    assert caught.value.code == "reference-outside"
    assert caught.value.path == str(path)
    assert os.listdir(temporary) == []


def test_facts_are_of_the_packed_file_and_of_what_is_in_it(tmp_path: Path) -> None:
    data = disk(16)
    path = packed_file(tmp_path, data, GZIP, "disk.img")
    facts = looked_at(path).facts
    assert (facts.format, facts.packed_in, facts.problems) == (ImageFormat.RAW, GZIP, ())
    assert facts.unpacked_size == facts.virtual_size == len(data)
    assert facts.file_size == path.stat().st_size
    assert facts.allocated == path.stat().st_blocks * 512


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("disk.raw.gz", []),
        ("disk.gz", []),
        ("disk.qcow2.gz", ["extension-differs"]),
        ("disk.raw.xz", ["extension-differs"]),
        ("disk.qcow2", ["extension-differs", "extension-differs"]),
    ],
)
def test_a_name_that_promises_another_format_is_told(
    tmp_path: Path, name: str, codes: list[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(PACK[GZIP](disk(2)))
    assert [problem.code for problem in looked_at(path).facts.problems] == codes


def test_an_input_format_is_of_what_is_inside_but_for_raw(tmp_path: Path) -> None:
    path = packed_file(tmp_path, disk(2), GZIP)
    with pytest.raises(UsageError, match="qcow2"):
        looked_at(path, input_format=ImageFormat.QCOW2)
    facts = looked_at(path, input_format=ImageFormat.RAW).facts
    assert (facts.packed_in, facts.exact_size) == (None, path.stat().st_size)


class AtAdvance(Recorder):
    """Does something when the child has begun to read."""

    def __init__(self, act) -> None:
        super().__init__()
        self._act = act

    def advance(self, count: int) -> None:
        act, self._act = self._act, lambda: None
        act()


@pytest.mark.parametrize("cut", [False, True], ids=["longer", "shorter"])
def test_a_source_that_changes_meanwhile_is_not_called_broken(
    tmp_path: Path, temporary: Path, cut: bool
) -> None:
    path = packed_file(tmp_path, random.Random(2).randbytes(8 * MIB), GZIP)
    size = path.stat().st_size
    change = AtAdvance(lambda: os.truncate(path, 2 * MIB if cut else size + 1))
    with pytest.raises(SourceChanged):
        content_of(path, GZIP, UnpackedFiles(progress=change))
    assert os.listdir(temporary) == []


def test_another_file_under_the_name_is_not_unpacked(tmp_path: Path, temporary: Path) -> None:
    path = packed_file(tmp_path, disk(2), GZIP)
    identity = take_identity(str(path))
    other = packed_file(tmp_path, disk(3), GZIP, "other")
    os.replace(other, path)
    with pytest.raises(SourceChanged), UnpackedFiles().unpacked(identity, GZIP):
        pass
    assert os.listdir(temporary) == []


class Stops(Recorder):
    """The child stands still from its start on."""

    def phase(self, name: str, total: int) -> None:
        for pid, line in command_lines(os.getpid()).items():
            if "packed.child" in line:
                os.kill(pid, signal.SIGSTOP)


def test_a_child_that_hangs_is_stopped(tmp_path: Path, temporary: Path) -> None:
    path = packed_file(tmp_path, disk(2), GZIP)
    with pytest.raises(ToolStalled):
        content_of(path, GZIP, UnpackedFiles(progress=Stops(), stall_limit_s=0.5))
    assert os.listdir(temporary) == []
    assert not [line for line in command_lines(os.getpid()).values() if "packed.child" in line]


def test_a_child_that_breaks_down_is_told(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacked, "FUNCTION", "diskwright.formats.packed.child:no_such_function")
    path = packed_file(tmp_path, disk(2), GZIP)
    with pytest.raises(ToolFailed, match="no_such_function"):
        content_of(path, GZIP, UnpackedFiles())
    assert os.listdir(temporary) == []


class AskedToStop:
    def __init__(self) -> None:
        self.looks = 0

    def check(self) -> None:
        self.looks += 1
        if self.looks > 3:
            raise Cancelled(signal.SIGINT)


def test_who_asks_to_stop_is_heard_and_nothing_is_left(tmp_path: Path, temporary: Path) -> None:
    path = packed_file(tmp_path, disk(2), GZIP)
    patient = UnpackedFiles(cancel=AskedToStop(), progress=Stops())
    with pytest.raises(Cancelled):
        content_of(path, GZIP, patient)
    assert os.listdir(temporary) == []


def test_a_full_disk_says_where_else_to_unpack(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    path = packed_file(tmp_path, disk(), GZIP)
    with pytest.raises(DiskFull) as caught:
        content_of(path, GZIP, UnpackedFiles())
    assert "TMPDIR=" in caught.value.hint
    assert os.listdir(temporary) == []


def test_what_a_dead_run_left_goes_and_what_lives_stays(tmp_path: Path, temporary: Path) -> None:
    dead = temporary / f"{PREFIX}{'a' * 12}"
    dead.mkdir(mode=0o700)
    (dead / "content").write_bytes(b"secret")
    (temporary / f"{PREFIX}of-somebody-else").mkdir()
    live = OwnFolder.make(str(temporary), PREFIX, shown="")
    path = packed_file(tmp_path, disk(2), GZIP)
    content_of(path, GZIP, UnpackedFiles())
    left = {os.path.basename(live.path), f"{PREFIX}of-somebody-else"}
    assert set(os.listdir(temporary)) == left
    live.remove()


def test_two_at_once_do_not_disturb_each_other(tmp_path: Path, temporary: Path) -> None:
    one, other = disk(3), disk(4, seed=9)
    path, further = packed_file(tmp_path, one, GZIP), packed_file(tmp_path, other, XZ)
    with UnpackedFiles().unpacked(take_identity(str(path)), GZIP) as found:
        assert content_of(further, XZ, UnpackedFiles()) == other
        assert Path(found.path).read_bytes() == one
    assert os.listdir(temporary) == []


def test_the_folder_is_locked_while_it_is_used(tmp_path: Path) -> None:
    path = packed_file(tmp_path, disk(2), GZIP)
    with UnpackedFiles().unpacked(take_identity(str(path)), GZIP) as found:
        fd = os.open(os.path.dirname(found.path), os.O_RDONLY | os.O_DIRECTORY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(fd)


def test_an_error_in_the_context_removes_it_too(tmp_path: Path, temporary: Path) -> None:
    path = packed_file(tmp_path, disk(2), GZIP)
    identity = take_identity(str(path))
    with suppress(KeyboardInterrupt), UnpackedFiles().unpacked(identity, GZIP):
        raise KeyboardInterrupt
    assert os.listdir(temporary) == []
