"""A real qemu-img, started as `convert` does it."""

import os
import select
import subprocess
import sys

import pytest

from diskwright.adapters.qemu_img import QemuImgConverter, tool_version
from diskwright.errors import (
    Cancelled,
    DiskFull,
    ImageBroken,
    ImageUnsafe,
    SourceChanged,
    ToolMissing,
)
from diskwright.formats.identity import take_identity
from diskwright.model.image import DiskFile, ImageFormat
from diskwright.model.nulls import NeverCancelled, NullProgress
from support.qemu_images import plain_qcow2, run, sparse_raw
from support.stopping import command_lines

NAMES = [b"json:x", b"fat:x", b"nbd:x", b"a,b", b"-x", b"line\n", b"not-utf8-\xff"]


class Counted(NullProgress):
    def __init__(self):
        self.phases, self.done = [], 0

    def phase(self, name, total):
        self.phases.append((name, total))

    def advance(self, count):
        self.done += count


class CancelledAtOnce:
    def check(self):
        raise Cancelled


def convert(source, target, *, source_format=ImageFormat.QCOW2, target_format=ImageFormat.VMDK,
            subformat="", compress=False, progress=None, cancel=None, identity=None,
            converter=None):  # fmt: skip
    if not os.path.exists(target):
        os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o600))
    (converter or QemuImgConverter()).convert(
        DiskFile(identity or take_identity(source), source_format),
        target,
        target_format,
        subformat=subformat,
        compress=compress,
        progress=progress or NullProgress(),
        cancel=cancel or NeverCancelled(),
    )


def is_identical(one, one_driver, two, two_driver):
    done = subprocess.run(
        ["qemu-img", "compare", "-f", one_driver, "-F", two_driver, one, two],
        capture_output=True,
    )
    return done.returncode == 0


@pytest.mark.parametrize(
    ("target_format", "driver"),
    [(ImageFormat.VMDK, "vmdk"), (ImageFormat.VHDX, "vhdx"), (ImageFormat.VDI, "vdi"),
     (ImageFormat.VHD, "vpc"), (ImageFormat.QCOW2, "qcow2"), (ImageFormat.RAW, "raw")],
)  # fmt: skip
def test_the_disk_is_the_same(tmp_path, target_format, driver):
    image = plain_qcow2(tmp_path)
    target = str(tmp_path / "out")
    convert(image.path, target, target_format=target_format)
    assert is_identical(image.path, "qcow2", target, driver)


def test_a_vhd_keeps_its_whole_size(tmp_path):
    """By geometry readers would lose its tail."""
    image = plain_qcow2(tmp_path)
    target = tmp_path / "out"
    convert(image.path, str(target), target_format=ImageFormat.VHD)
    footer = target.read_bytes()[-512:]
    assert int.from_bytes(footer[48:56], "big") == len(image.content)


def test_it_compresses_on_request(tmp_path):
    image = plain_qcow2(tmp_path)
    target = tmp_path / "out"
    convert(image.path, str(target), target_format=ImageFormat.QCOW2, compress=True)
    assert target.stat().st_size < os.path.getsize(image.path) / 2


@pytest.mark.parametrize(
    ("target_format", "subformat", "driver", "at", "marked"),
    [
        (ImageFormat.VHD, "fixed", "vpc", -512, b"conectix"),
        (ImageFormat.VHD, "dynamic", "vpc", 0, b"conectix"),
        (ImageFormat.VMDK, "streamOptimized", "vmdk", 512, b"# Disk DescriptorFile"),
        (ImageFormat.VDI, "dynamic", "vdi", 76, b"\1\0\0\0"),
        (ImageFormat.VDI, "static", "vdi", 76, b"\2\0\0\0"),
        (ImageFormat.VHDX, "fixed", "vhdx", 0, b"vhdxfile"),
    ],
)
def test_a_subformat_is_what_is_made(tmp_path, target_format, subformat, driver, at, marked):
    image = plain_qcow2(tmp_path)
    target = tmp_path / "out"
    convert(image.path, str(target), target_format=target_format, subformat=subformat)
    assert is_identical(image.path, "qcow2", str(target), driver)
    made = target.read_bytes()
    assert made[at:].startswith(marked)
    assert (b'createType="streamOptimized"' in made) == (subformat == "streamOptimized")


@pytest.mark.parametrize("name", NAMES)
def test_names_are_only_names(tmp_path, name):
    image = sparse_raw(tmp_path)
    folder = os.fsencode(tmp_path)
    source = os.fsdecode(os.path.join(folder, name))
    target = os.fsdecode(os.path.join(folder, b"out-" + name))
    os.rename(image.path, source)
    convert(source, target, source_format=ImageFormat.RAW)
    os.rename(target, tmp_path / "plain")
    os.rename(source, tmp_path / "source")
    assert is_identical(str(tmp_path / "source"), "raw", str(tmp_path / "plain"), "vmdk")


def test_progress_sums_up_to_what_it_announced(tmp_path):
    image = plain_qcow2(tmp_path)
    progress = Counted()
    convert(image.path, str(tmp_path / "out"), progress=progress)
    assert progress.phases == [("convert", os.path.getsize(image.path))]
    assert progress.done == os.path.getsize(image.path)


def test_cancelling_ends_it(tmp_path):
    image = plain_qcow2(tmp_path)
    with pytest.raises(Cancelled):
        convert(image.path, str(tmp_path / "out"), cancel=CancelledAtOnce())
    assert not [line for line in command_lines(os.getpid()).values() if " convert " in line]


def test_nothing_outlives_us_when_we_are_killed():
    script = (
        "import sys\n"
        "from diskwright.adapters.qemu_img import _Run\n"
        "from diskwright._process import tool_command, tool_rules\n"
        "rules = tool_rules('/bin/sleep')\n"
        "command = tool_command(['/bin/sleep', '60'], rules=rules, limits={})\n"
        "run = _Run(command)\n"
        "print(run._process.pid, flush=True)\n"
        "run._process.wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    handle = os.pidfd_open(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    ended, _, _ = select.select([handle], [], [], 5.0)
    os.close(handle)
    assert ended


def test_a_backing_file_is_not_opened(tmp_path):
    path = tmp_path / "evil.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", str(path))
    with pytest.raises(ImageUnsafe):
        convert(str(path), str(tmp_path / "out"))


def test_a_broken_image_is_named_so(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"QFI\xfb" + bytes(100))
    with pytest.raises(ImageBroken):
        convert(str(path), str(tmp_path / "out"))


def test_a_source_that_changed_is_noticed(tmp_path):
    image = plain_qcow2(tmp_path)
    identity = take_identity(image.path)
    os.utime(image.path, ns=(1, 1))
    with pytest.raises(SourceChanged):
        convert(image.path, str(tmp_path / "out"), identity=identity)


def test_a_target_under_another_name_stays_unwritten(tmp_path):
    """Only the file that was made for it is writable."""
    image = plain_qcow2(tmp_path)
    beside = tmp_path / "beside"
    beside.write_bytes(b"mine")
    convert(image.path, str(tmp_path / "out"))
    assert beside.read_bytes() == b"mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["beside", "disk.qcow2", "out", "parts"]


def test_a_full_disk_is_a_full_disk(tmp_path):
    """`/dev/full` would be refused as no regular file, so qemu-img is told to fail alike."""
    image = plain_qcow2(tmp_path)
    tool = tmp_path / "qemu-img"
    tool.write_text(
        "#!/bin/sh\necho 'qemu-img: error while writing: No space left on device' >&2; exit 1\n"
    )
    tool.chmod(0o755)
    converter = QemuImgConverter(qemu_img=str(tool), unconfined=True)
    with pytest.raises(DiskFull):
        convert(image.path, str(tmp_path / "out"), converter=converter)


def test_versions():
    for tool in ("qemu-img", "qemu-nbd"):
        assert tool_version(tool)[0].isdigit()
    assert tool_version("no-such-tool") == ""


def test_a_missing_tool_is_named(tmp_path):
    image = plain_qcow2(tmp_path)
    with pytest.raises(ToolMissing):
        convert(image.path, str(tmp_path / "out"), converter=QemuImgConverter(qemu_img="no-such"))
