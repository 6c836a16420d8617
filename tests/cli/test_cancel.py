"""Ctrl-C, SIGTERM or a closed terminal, at any moment: a clean and quick stop, nothing left."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import time
from urllib.parse import urlsplit

import pytest

from diskwright.adapters.kms_local import new_key
from support.command import COMMAND, FIXTURE, files_below, one_line_and_a_hint
from support.servers.faults import Fault, FaultProxy
from support.stopping import Event, descendants, journal_files, outlived, stop

ENDS_S = 5.0  # we promise one second on a quiet machine
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


class Writes:
    """When a run is well under way: its stderr is not looked at, its open files are."""

    def __init__(self, word: str) -> None:
        self.word = word

    def __call__(self, process, command, begun) -> bool:
        listed = subprocess.run(
            ["ls", "-l", f"/proc/{process.pid}/fd"], capture_output=True, text=True
        )
        return self.word in listed.stdout


class Family:
    """When it has started a child whose command line holds a word."""

    def __init__(self, word: str) -> None:
        self.word = word.encode()

    def __call__(self, process, command, begun) -> bool:
        for pid, _ in descendants(process.pid):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if self.word in file.read():
                        return True
            except (FileNotFoundError, ProcessLookupError):
                continue
        return False


def stopped_cleanly(stopped, number) -> None:
    assert stopped.in_time, "it ended before it was asked to"
    assert stopped.ended.code == 128 + number, stopped.ended
    assert "cancelled" in one_line_and_a_hint(stopped.ended)
    assert "nothing was left behind" in stopped.ended.err
    assert stopped.ended.out == ""
    assert stopped.took_s < ENDS_S


@pytest.mark.parametrize("number", SIGNALS)
def test_convert_stops(diskwright, folder, data_disk, number):
    # a file without a name yet is open: the pass has begun
    moment = Writes(str(folder))
    stopped = stop(diskwright, ["convert", data_disk, folder / "out.raw"], moment, number)
    stopped_cleanly(stopped, number)
    assert files_below(folder) == []


def test_convert_by_qemu_img_stops(diskwright, folder, data_disk):
    arguments = ["convert", data_disk, folder / "out.vmdk"]
    stopped = stop(diskwright, arguments, Family("convert"), signal.SIGINT)
    stopped_cleanly(stopped, signal.SIGINT)
    assert files_below(folder) == []


@pytest.mark.parametrize("verb", ["inspect", "validate", "prepare"])
def test_reading_the_guest_stops(diskwright, folder, verb):
    arguments = [verb, FIXTURE, *(["--to", f"dir:{folder / 't'}"] if verb == "prepare" else [])]
    stopped = stop(diskwright, arguments, Family("diskwright.guest"), signal.SIGINT)
    stopped_cleanly(stopped, signal.SIGINT)
    assert files_below(folder) == []


@pytest.mark.parametrize("event", ["create", "part", "complete"])
@pytest.mark.parametrize("kind", ["dir", pytest.param("s3", marks=pytest.mark.s3)])
def test_prepare_stops_at_any_step(request, data_disk, kind, event):
    command = request.getfixturevalue("s3" if kind == "s3" else "diskwright")
    place = request.getfixturevalue(f"{kind}_place")
    number = SIGNALS[len(event) % 2]
    arguments = ["prepare", data_disk, "--data", "--to", place.url]
    stopped = stop(command, arguments, Event(event), number)
    if stopped.ended.code == 0:  # the wish came after the manifest: the image is there
        assert event == "complete"
        assert len(place.committed()) == 1
        assert place.leftovers() == []
    else:
        stopped_cleanly(stopped, number)
        assert place.everything() == []
    assert journal_files(command) == []


@pytest.mark.parametrize("count", [2, 5, 9])
def test_an_impatient_user_is_obeyed_too(s3, s3_place, data_disk, tiny_disk, count):
    arguments = ["prepare", data_disk, "--data", "--to", s3_place.url]
    stopped = stop(s3, arguments, Event("part"), *[signal.SIGINT] * count)
    assert stopped.ended.code == 130
    one_line_and_a_hint(stopped.ended)
    assert stopped.took_s < ENDS_S
    assert s3("prepare", tiny_disk, "--data", "--to", s3_place.url).code == 0
    assert s3_place.leftovers() == []
    assert journal_files(s3) == []


@pytest.mark.parametrize("number", SIGNALS[:2])
def test_restore_stops(diskwright, dir_place, folder, data_disk, number):
    ended = diskwright("prepare", data_disk, "--data", "--to", dir_place.url)
    assert ended.code == 0, ended.err
    out = folder / "out"
    out.mkdir()
    # before the first byte a file without a name is open in OUT's folder
    stopped = stop(diskwright, ["restore", dir_place.url, out / "x"], Writes(str(out)), number)
    stopped_cleanly(stopped, number)
    assert files_below(out) == []


def test_a_prompt_is_left_at_once(diskwright, folder, tiny_disk):
    key = folder / "kek.json"
    new_key(str(key), passphrase="correct horse")
    before = files_below(folder)
    place = f"dir:{folder / 'target'}"
    arguments = ["prepare", tiny_disk, "--data", "--to", place, "--key", f"local:{key}"]
    keyboard, terminal = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, *arguments],
        env=diskwright.environment,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    os.close(terminal)
    said = b""
    while not said.endswith(b"Passphrase: "):
        piece = os.read(process.stderr.fileno(), 4096)
        assert piece, said
        said += piece
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert b"diskwright: cancelled; nothing was left behind\n" in process.stderr.read()
    for pipe in (process.stdout, process.stderr):
        pipe.close()
    os.close(keyboard)
    assert files_below(folder) == before


# --- a network that does not answer any more ---------------------------------------------------


@pytest.fixture
def proxy(s3):
    """Between the command and the server."""
    parts = urlsplit(s3.environment["DISKWRIGHT_S3_ENDPOINT_URL"])
    with FaultProxy(parts.hostname, parts.port) as running:
        s3.environment["DISKWRIGHT_S3_ENDPOINT_URL"] = f"http://127.0.0.1:{running.port}"
        yield running


@pytest.mark.s3
def test_prepare_stops_though_the_network_stands_still(s3, s3_place, proxy, data_disk, tiny_disk):
    """What could not be cleaned is said, and cleaned by the next run."""
    proxy.fault = Fault(stall_after_bytes=1 << 20, stall_s=60)
    begun = [s3.start("prepare", data_disk, "--data", "--to", s3_place.url)]
    process = begun[0]
    try:
        while not (proxy.hits and Event("part")(process, s3, 0)):
            assert process.poll() is None
            time.sleep(0.01)
        proxy.fault = Fault(stall_after_bytes=0, stall_s=60)
        family = descendants(process.pid)
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        took = time.monotonic() - asked
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, err
    assert took < ENDS_S
    assert "cancelled; cleaning up failed, the next run will do it" in err
    outlived(family)
    proxy.fault = Fault()
    ended = s3("prepare", tiny_disk, "--data", "--to", s3_place.url)
    assert ended.code == 0, ended.err
    assert s3_place.leftovers() == []
    assert len(s3_place.committed()) == 1
    assert journal_files(s3) == []


@pytest.mark.s3
def test_restore_stops_though_the_network_stands_still(s3, s3_place, proxy, folder, data_disk):
    assert s3("prepare", data_disk, "--data", "--to", s3_place.url).code == 0
    proxy.fault = Fault(stall_after_bytes=1 << 20, stall_s=60, direction="down")
    proxy.hits = 0
    out = folder / "x"
    stopped = stop(
        s3, ["restore", s3_place.url, out], Writes(str(folder)), signal.SIGTERM, wait_s=0.5
    )
    stopped_cleanly(stopped, signal.SIGTERM)
    assert files_below(folder) == []


def test_a_qemu_nbd_that_hangs_does_not_keep_us(diskwright, folder):
    """It stands still (SIGSTOP), as on a network file system that is gone."""
    process = diskwright.start("convert", FIXTURE, folder / "out.raw")
    frozen = False
    try:
        while process.poll() is None and not frozen:
            for pid, _ in descendants(process.pid):
                try:
                    with open(f"/proc/{pid}/comm") as file:
                        frozen = file.read().strip() == "qemu-nbd"
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if frozen:
                    os.kill(pid, signal.SIGSTOP)
                    break
        assert frozen, "it was not seen"
        family = descendants(process.pid)
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        took = time.monotonic() - asked
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, err
    assert took < ENDS_S
    assert files_below(folder) == []
    outlived(family)
