"""One at a time has an image, however the one before ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from diskwright.adapters.image_locks import FileImageLocks
from diskwright.errors import Locked, OutputNotWritable
from support.entries import image_id

ONE, OTHER = image_id(1), image_id(2)


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "state" / "locks")


def test_who_comes_second_is_told_at_once_and_has_it_afterwards(folder):
    first, second = FileImageLocks(folder), FileImageLocks(folder)
    with first.held(ONE):
        with pytest.raises(Locked) as caught, second.held(ONE):
            pytest.fail("two hold it")
        assert ONE in caught.value.message
        with second.held(OTHER):
            pass
        with pytest.raises(Locked), second.held(ONE):
            pytest.fail("two hold it, as the refused one took its file away")
    with second.held(ONE):
        pass


def test_nothing_is_left_and_it_is_the_owners_alone(folder):
    before = os.umask(0)
    try:
        with FileImageLocks(folder).held(ONE):
            (name,) = os.listdir(folder)
            assert os.stat(os.path.join(folder, name)).st_mode & 0o777 == 0o600
            assert os.stat(folder).st_mode & 0o777 == 0o700
    finally:
        os.umask(before)
    assert os.listdir(folder) == []


def test_a_failure_inside_gives_it_back_and_is_told(folder):
    locks = FileImageLocks(folder)
    with pytest.raises(ZeroDivisionError), locks.held(ONE):
        raise ZeroDivisionError
    with pytest.raises(OSError, match="inside"), locks.held(ONE):
        raise OSError("inside")  # not of the lock
    with locks.held(ONE):
        pass


@pytest.mark.parametrize("wrong", ["", "../x", ONE.upper(), ONE + "\n"])
def test_what_is_no_image_id_names_no_file(folder, wrong):
    with pytest.raises(ValueError, match="image id"), FileImageLocks(folder).held(wrong):
        pass
    assert not os.path.exists(folder)


def test_a_place_that_cant_be_written_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputNotWritable), FileImageLocks(str(tmp_path / "file")).held(ONE):
        pass


def test_a_killed_process_has_it_no_more(folder):
    program = (
        "import sys; from diskwright.adapters.image_locks import FileImageLocks\n"
        "with FileImageLocks(sys.argv[1]).held(sys.argv[2]):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", program, folder, ONE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with running:
        assert running.stdout.readline() == "held\n"
        with pytest.raises(Locked), FileImageLocks(folder).held(ONE):
            pass
        running.send_signal(signal.SIGKILL)
        running.wait()
    with FileImageLocks(folder).held(ONE):
        pass
    assert os.listdir(folder) == []


def test_of_many_that_come_and_go_never_two_are_inside(folder):
    inside, most, times = [], [], []

    def work():
        locks = FileImageLocks(folder)
        for _ in range(400):
            try:
                with locks.held(ONE):
                    inside.append(1)
                    most.append(len(inside))
                    times.append(1)
                    os.stat(folder)  # lets another thread run
                    most.append(len(inside))
                    inside.pop()
            except Locked:
                continue

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert len(times) > 100
    assert os.listdir(folder) == []
