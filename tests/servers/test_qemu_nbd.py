"""A real qemu-nbd, opened and closed as the verbs do it."""

import errno
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading

import pytest

from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.blockio.nbd import NbdReader
from diskwright.errors import (
    ImageBroken,
    ImageUnsupported,
    Locked,
    SourceChanged,
    ToolFailed,
    ToolMissing,
    ToolStalled,
)
from diskwright.formats.identity import take_identity
from diskwright.model.image import DiskFile, ImageFormat
from support.qemu_images import SIZE, compressed_qcow2, plain_qcow2, run, sparse_raw
from support.stopping import command_lines


def opened(path, image_format=ImageFormat.QCOW2, **options):
    disk = DiskFile(take_identity(path), image_format)
    return QemuNbdExporter(**options).open(disk, connections=2)


def first_bytes(reader, count=70_000):
    buffer = bytearray(count)
    reader.read_into(0, memoryview(buffer))
    return bytes(buffer)


def children():
    """Processes of ours that run qemu-nbd or are about to."""
    lines = command_lines(os.getpid())
    return [pid for pid, line in lines.items() if "qemu" in line or "_confine" in line]


def read_from_a_signalled_server(reader, number):
    os.kill(children()[0], number)
    first_bytes(reader, SIZE)


NAMES = [
    b"json:x",
    b'json:{"driver":"file"}',
    b"fat:x",
    b"nbd:x",
    b"nbd:unix:x",
    b"a,b",
    b"a,,b,file.locking=off",
    b"-x",
    b"--help",
    b"x=y",
    b"with space",
    b"line\n",
    b"not-utf8-\xff\xfe",
    b"\xc3\xa4",
]


@pytest.mark.parametrize("image_format", [ImageFormat.QCOW2, ImageFormat.RAW])
@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_only_a_name(tmp_path, name, image_format):
    make = plain_qcow2 if image_format is ImageFormat.QCOW2 else sparse_raw
    image = make(tmp_path)
    path = os.fsdecode(os.path.join(os.fsencode(tmp_path), name))
    os.rename(image.path, path)
    with opened(path, image_format) as reader:
        assert first_bytes(reader) == image.content[:70_000]


def test_nothing_is_left_after_it(tmp_path, monkeypatch):
    image = plain_qcow2(tmp_path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    descriptors = os.listdir("/proc/self/fd")
    with opened(image.path):
        assert list(scratch.iterdir()) == []  # no socket that another user could name
        assert len(children()) == 1
    assert children() == []
    assert len(os.listdir("/proc/self/fd")) == len(descriptors)


def test_nothing_is_left_after_a_failure_in_its_context(tmp_path):
    image = plain_qcow2(tmp_path)
    with pytest.raises(KeyError), opened(image.path):
        raise KeyError
    assert children() == []


def test_a_long_name_of_the_temporary_folder_is_no_obstacle(tmp_path, monkeypatch):
    image = plain_qcow2(tmp_path)
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with opened(image.path) as reader:
        assert reader.size == SIZE


def test_it_may_be_opened_on_a_thread_that_ends(tmp_path):
    """The kernel sends the parent-death signal when the thread that forked ends."""
    image = plain_qcow2(tmp_path)
    contexts, readers = [], []

    def work():
        contexts.append(opened(image.path))
        readers.append(contexts[0].__enter__())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert first_bytes(readers[0]) == image.content[:70_000]
    contexts[0].__exit__(None, None, None)


SCRIPT = """
import os, sys, signal
from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.formats.identity import take_identity
from diskwright.model.image import DiskFile, ImageFormat
def opened():
    identity = take_identity(sys.argv[1])
    return QemuNbdExporter().open(DiskFile(identity, ImageFormat.QCOW2), connections=1)
"""


def test_nothing_outlives_us_when_we_are_killed(tmp_path):
    image = plain_qcow2(tmp_path)
    script = SCRIPT + "with opened() as reader:\n print('open', flush=True); signal.pause()\n"
    parent = subprocess.Popen(
        [sys.executable, "-c", script, image.path], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "open\n"
    handles = [os.pidfd_open(pid) for pid in command_lines(parent.pid)]
    assert len(handles) == 1
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for handle in handles:
        ended, _, _ = select.select([handle], [], [], 1.0)
        os.close(handle)
        assert ended


def test_it_works_after_a_fork(tmp_path):
    image = plain_qcow2(tmp_path)
    script = SCRIPT + (
        "with opened():\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        with opened() as reader:\n"
        "            os._exit(0 if reader.size else 1)\n"
        "    sys.exit(os.waitpid(child, 0)[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", script, image.path], timeout=60)
    assert done.returncode == 0


def test_a_changed_file_is_noticed(tmp_path):
    image = plain_qcow2(tmp_path)
    identity = take_identity(image.path)
    os.utime(image.path, ns=(1, 1))
    with pytest.raises(SourceChanged):
        QemuNbdExporter().open(DiskFile(identity, ImageFormat.QCOW2), connections=1).__enter__()


def test_a_raw_file_that_changed_is_noticed(tmp_path):
    image = sparse_raw(tmp_path)
    identity = take_identity(image.path)
    os.truncate(image.path, SIZE - 512)
    with pytest.raises(SourceChanged):
        QemuNbdExporter().open(DiskFile(identity, ImageFormat.RAW), connections=1).__enter__()


def test_a_raw_file_that_shrinks_while_it_is_read_is_noticed(tmp_path):
    image = sparse_raw(tmp_path)
    with opened(image.path, ImageFormat.RAW) as reader:
        os.truncate(image.path, 4096)
        with pytest.raises(SourceChanged):
            first_bytes(reader)


def test_a_compressed_cluster_that_is_no_deflate_stream_is_a_broken_image(tmp_path):
    image = compressed_qcow2(tmp_path)
    with open(image.path, "r+b") as file:
        file.seek(6 * 65536)  # five clusters of metadata, an incompressible one, then these
        file.write(b"\xff" * 10_000)
    with opened(image.path) as reader, pytest.raises(ImageBroken) as caught:
        first_bytes(reader, SIZE)
    assert caught.value.code_name == "unreadable"
    assert caught.value.offset is not None


def test_a_file_that_is_no_qcow2_is_broken(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"QFI\xfb" + bytes(100))
    with pytest.raises(ImageBroken):
        opened(str(path)).__enter__()


def test_a_format_without_a_driver_is_unsupported(tmp_path):
    image = sparse_raw(tmp_path)
    with pytest.raises(ImageUnsupported):
        opened(image.path, ImageFormat.GZIP).__enter__()


def test_an_image_that_a_machine_writes_to_is_locked(tmp_path):
    image = plain_qcow2(tmp_path)
    writer = subprocess.Popen(
        ["qemu-io", "-f", "qcow2", image.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert writer.stdin is not None
    assert writer.stdout is not None
    writer.stdin.write(b"length\n")
    writer.stdin.flush()
    os.read(writer.stdout.fileno(), 1)
    with pytest.raises(Locked):
        opened(image.path).__enter__()
    writer.communicate(b"quit\n")


def test_a_server_that_dies_is_a_failed_tool(tmp_path):
    image = plain_qcow2(tmp_path)
    with pytest.raises(ToolFailed, match="status -9"), opened(image.path) as reader:
        read_from_a_signalled_server(reader, signal.SIGKILL)


def test_a_server_that_stops_answering_is_a_stall_and_is_ended(tmp_path):
    image = plain_qcow2(tmp_path)
    with (
        pytest.raises(ToolStalled),
        opened(image.path, stall_limit_s=0.2) as reader,
    ):
        read_from_a_signalled_server(reader, signal.SIGSTOP)
    assert children() == []


def test_a_missing_tool_is_named(tmp_path):
    image = plain_qcow2(tmp_path)
    with pytest.raises(ToolMissing):
        opened(image.path, qemu_nbd="no-such-qemu-nbd").__enter__()


def test_a_raw_descriptor_is_read_only(tmp_path):
    image = sparse_raw(tmp_path)
    with QemuNbdExporter().descriptor(DiskFile(take_identity(image.path), ImageFormat.RAW)) as fd:
        assert os.pread(fd, 100, 0) == image.content[:100]
        with pytest.raises(OSError) as caught:
            os.pwrite(fd, b"x", 0)
        assert caught.value.errno == errno.EBADF


def test_a_connected_descriptor_serves_one_reader(tmp_path):
    image = plain_qcow2(tmp_path)
    with (
        QemuNbdExporter().descriptor(DiskFile(take_identity(image.path), ImageFormat.QCOW2)) as fd,
        NbdReader.from_descriptor(os.dup(fd), name="/i") as reader,
    ):
        assert first_bytes(reader) == image.content[:70_000]


def test_qemu_drops_the_tail_of_an_odd_size_and_the_size_shows_it(tmp_path):
    """So that the caller, who knows what the header says, can refuse it."""
    path = tmp_path / "odd.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", str(path), "1M")
    with path.open("r+b") as file:
        file.seek(24)
        file.write((1048577).to_bytes(8, "big"))
    with opened(str(path)) as reader:
        assert reader.size == 1048576
