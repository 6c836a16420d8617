"""Confinement without Landlock: what a process sees, and what becomes of it."""

import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from diskwright import _sandbox, _ways
from diskwright._in_force import in_force
from diskwright._process import Rule, spawn, tool_command, tool_rules
from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.errors import ConfinementUnavailable
from diskwright.formats.identity import take_identity
from diskwright.model.image import DiskFile, ImageFormat
from support.qemu_images import plain_qcow2

needs_bubblewrap = pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="bubblewrap is not installed: apt-get install bubblewrap"
)


def seen(code, *rules):
    """What a python that has these files prints as JSON."""
    python = os.path.realpath(sys.executable)
    rules = [*tool_rules(python), Rule(sys.base_prefix, "rxd"), *rules]
    code = f"import json, os, sys\nsys.stdout.reconfigure(errors='surrogateescape')\n{code}"
    command = tool_command(
        [python, "-I", "-S", "-c", code], rules=rules, limits={}, confinement="bubblewrap"
    )
    process = spawn(command, tool="python", stdout=True)
    try:
        said = process.stdout.read()
        assert process.wait(30) == 0, process.stderr_text()
        return json.loads(said)
    finally:
        process.stop()


def read_code(*paths):
    return f"print(json.dumps([open(path).read() for path in {paths!r}]))"


@needs_bubblewrap
def test_files_of_one_folder_are_there_without_their_neighbours(tmp_path):
    for name in ("one", "two", "three"):
        (tmp_path / name).write_text(name)
    rules = [Rule(str(tmp_path / name), "r") for name in ("two", "one")]
    code = f"print(json.dumps(sorted(os.listdir({str(tmp_path)!r}))))"
    assert seen(code, *rules) == ["one", "two"]
    assert seen(read_code(*(rule.path for rule in rules)), *rules) == ["two", "one"]


@needs_bubblewrap
def test_files_of_several_folders_are_there_and_one_may_be_written(tmp_path):
    """As of a chain of images and a converter's target."""
    base, target = tmp_path / "a" / "b" / "base", tmp_path / "c" / "target"
    for path in (base, target):
        path.parent.mkdir(parents=True)
        path.write_text("old")
    code = f"open({str(target)!r}, 'r+').write('new')\n" + read_code(str(base), str(target))
    rules = [Rule(str(target), "rw"), Rule(str(base), "r")]
    assert seen(code, *rules) == ["old", "new"]
    assert target.read_text() == "new"


@needs_bubblewrap
def test_a_file_beneath_a_folder_that_is_there_is_the_one_that_was_looked_at(tmp_path):
    path = tmp_path / "image"
    path.write_text("whole")
    status = path.stat()
    rules = [Rule(str(tmp_path), "rd"), Rule(str(path), "r", (status.st_dev, status.st_ino))]
    assert seen(read_code(str(path)), *rules) == ["whole"]


@needs_bubblewrap
@pytest.mark.parametrize(
    "name", ["a,b", "line\n", "--bind", "with space", os.fsdecode(b"not-utf8-\xff"), "ä", "l" * 250]
)
def test_a_name_is_only_a_name(tmp_path, name):
    folder = tmp_path / name / name / name
    folder.mkdir(parents=True)
    path = folder / name
    path.write_text("whole")
    assert seen(read_code(str(path)), Rule(str(path), "r")) == ["whole"]


@needs_bubblewrap
def test_there_is_nothing_else_of_the_system():
    found = seen("print(json.dumps([os.listdir('/'), os.listdir('/dev'), os.getpid()]))")
    assert not {"proc", "sys", "home", "tmp", "run", "var", "boot"} & set(found[0])
    assert found[1:] == [["null"], 1]


@needs_bubblewrap
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may read files of others")
def test_root_still_reads_the_files_of_others(tmp_path):
    path = tmp_path / "theirs"
    path.write_text("whole")
    path.chmod(0o600)
    os.chown(path, 54321, 54321)
    assert seen(read_code(str(path)), Rule(str(path), "r")) == ["whole"]


SCRIPT = """
import signal, sys
from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.formats.identity import take_identity
from diskwright.model.image import DiskFile, ImageFormat
disk = DiskFile(take_identity(sys.argv[1]), ImageFormat.QCOW2)
print("begun", flush=True)
with QemuNbdExporter(confinement="bubblewrap").open(disk, connections=1):
    print("open", flush=True)
    signal.pause()
"""


def processes_with(word):
    """Those that have it in their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if word.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue  # it has ended
    return found


def killed(image, wait):
    """Start it, let `wait` decide when to kill it; how many processes are there a second later."""
    command = [sys.executable, "-c", SCRIPT, image]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        wait(parent)
        parent.kill()
    for pid in processes_with(image):
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            select.select([handle], [], [], 1.0)
            os.close(handle)
    left = processes_with(image)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return len(left)


@needs_bubblewrap
def test_nothing_outlives_us_when_we_are_killed(tmp_path):
    image = plain_qcow2(tmp_path).path

    def until_open(parent):
        assert parent.stdout.readline() == "begun\n"
        assert parent.stdout.readline() == "open\n"
        assert len(processes_with(image)) == 3  # we, bubblewrap and qemu-nbd

    assert killed(image, until_open) == 0


@needs_bubblewrap
def test_nothing_outlives_us_when_we_are_killed_while_it_starts(tmp_path):
    image = plain_qcow2(tmp_path).path

    def a_moment(parent):
        parent.stdout.readline()
        time.sleep(random.uniform(0, 0.1))  # any moment will do: none is waited for

    assert [killed(image, a_moment) for _ in range(5)] == [0] * 5


@pytest.fixture
def no_landlock(monkeypatch):
    monkeypatch.setattr(_sandbox, "landlock_abi", lambda: 0)


@needs_bubblewrap
@pytest.mark.usefixtures("no_landlock")
def test_it_is_taken_where_the_kernel_has_no_landlock(tmp_path):
    found = in_force("auto", unconfined=False)
    assert found.confined
    assert found.words.startswith("bubblewrap ")
    image = plain_qcow2(tmp_path)
    disk = DiskFile(take_identity(image.path), ImageFormat.QCOW2)
    with QemuNbdExporter().open(disk, connections=1) as reader:
        buffer = bytearray(70_000)
        reader.read_into(0, memoryview(buffer))
    assert buffer == image.content[:70_000]


@pytest.mark.usefixtures("no_landlock")
def test_with_neither_it_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfinementUnavailable) as caught:
        tool_command(["/bin/true"], rules=[], limits={})
    assert "apt-get install bubblewrap" in caught.value.hint
    found = in_force("auto", unconfined=False)
    assert not found.confined
    assert found.words.endswith("bubblewrap is not installed: apt-get install bubblewrap")


def test_landlock_comes_first(monkeypatch):
    monkeypatch.setattr(_sandbox, "landlock_abi", lambda: 1)
    assert _ways.way_of("auto", unconfined=False) == "landlock"
    assert _ways.way_of("auto", unconfined=True) == "none"


def test_where_it_can_not_make_namespaces_that_is_said(monkeypatch, tmp_path):
    """As on systems that refuse them to users."""
    said = "bwrap: No permissions to create new namespace"
    program = tmp_path / "bwrap"
    program.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    process = spawn(
        tool_command(["/bin/true"], rules=[], limits={}, confinement="bubblewrap"), tool="true"
    )
    process.wait(30)
    with pytest.raises(ConfinementUnavailable, match="No permissions"):
        process.raise_if_refused("/image")
    process.stop()
    found = in_force("bubblewrap", unconfined=False)
    assert (found.confined, found.words) == (False, f"not available: {said}")
