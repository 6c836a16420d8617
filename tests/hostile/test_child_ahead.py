"""A child that starts before there is a question: it is confined all the same, none is left."""

from __future__ import annotations

import errno
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import diskwright
from diskwright import _child, _confine
from diskwright._child import Ahead, NoAnswer, Question
from diskwright._process import call_command, spawn
from diskwright.errors import ConfinementUnavailable, InputMissing, ToolFailed
from diskwright.guest.calls import EXAMINING, FUNCTION, guest_reader
from support import attempts

LIMITS = {"AS": 512 << 20, "CPU": 10, "FSIZE": 0, "NOFILE": 64}
# What lies outside of a namespace is not there, and what lies inside can't be written to
HIDDEN = {"landlock": set(), "bubblewrap": {errno.ENOENT, errno.EROFS}}
WAYS = [
    "landlock",
    pytest.param(
        "bubblewrap",
        marks=pytest.mark.skipif(shutil.which("bwrap") is None, reason="no bubblewrap"),
    ),
]

READER = guest_reader(unconfined=False, confinement="auto")
QUESTION = Question(["file", 1 << 20], "/images/disk", 20.0, 1 << 20)


def started(function, way, *, script=None):
    """A child that waits, and our end of where it waits."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    number = theirs.fileno()
    with theirs:
        command = call_command(
            function, [], limits=LIMITS, keep=[number], question=number, confinement=way
        )
        if script is not None:
            command = [sys.executable, "-I", script, command[-1]]
        return spawn(command, tool="the child", pass_fds=[number], stdout=True), ours


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("way", WAYS)
def test_it_is_confined_when_it_is_asked(tmp_path, way):
    (tmp_path / "there").write_bytes(b"x")
    process, ours = started("attempts:asked", way, script=attempts.__file__)
    with ours, open(os.devnull, "rb") as file:
        socket.send_fds(ours, [json.dumps(["everything", str(tmp_path)]).encode()], [file.fileno()])
        said, status = process.stdout.read(), process.wait(30)
    process.stop()
    assert status == 0, process.stderr_text()
    answers = json.loads(said)
    for attempt in attempts.FILES:
        assert answers[attempt] in {errno.EPERM, errno.EACCES} | HIDDEN[way], attempt
    for attempt in attempts.CALLS:
        assert answers[attempt] in (errno.EPERM, errno.EACCES), attempt
    for attempt in attempts.ALLOWED:
        assert answers[attempt] is None, attempt


@pytest.mark.parametrize("way", WAYS)
def test_it_ends_where_nothing_is_asked(way):
    process, ours = started(FUNCTION, way)
    ours.close()
    assert process.wait(30) == _confine.ENDED_ALONE
    with pytest.raises(ToolFailed, match="nothing was asked"):
        process.raise_if_refused("/image")
    process.stop()


PARENT = """
import sys, time
from diskwright._child import Ahead
from diskwright.guest.calls import guest_reader
reader = guest_reader(unconfined=False, confinement=sys.argv[1])
ahead = Ahead()
with ahead.started(reader):
    print(ahead.take(reader).pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("way", WAYS)
def test_it_ends_with_its_parent(way):
    parent = subprocess.Popen([sys.executable, "-c", PARENT, way], stdout=subprocess.PIPE)
    child = os.pidfd_open(int(parent.stdout.readline()))
    try:
        parent.kill()
        assert parent.wait(30) == -signal.SIGKILL
        assert select.select([child], [], [], 30)[0]
    finally:
        os.close(child)
        parent.stdout.close()


def test_the_one_that_waits_is_taken_once():
    ahead = Ahead()
    with ahead.started(READER):
        first = ahead.take(READER)
        second = ahead.take(READER)
        assert first.pid != second.pid
        second.stop()
        assert not is_gone(first.pid)
    assert is_gone(first.pid)


def test_of_another_kind_it_is_not_taken():
    ahead = Ahead()
    other = guest_reader(EXAMINING, unconfined=False, confinement="auto")
    with ahead.started(READER):
        taken = ahead.take(other)
        waiting = ahead.take(READER)
        assert (taken.reader, waiting.reader) == (other, READER)
        taken.stop()
    assert is_gone(waiting.pid)


def test_one_that_nobody_takes_is_ended():
    ahead = Ahead()
    with ahead.started(READER):
        (before,) = ahead._waiting
    assert is_gone(before.pid)
    again = ahead.take(READER)
    assert again.pid != before.pid
    again.stop()


def test_one_that_ended_while_it_waited_gives_no_answer():
    ahead = Ahead()
    with ahead.started(READER), open(os.devnull, "rb") as file:
        child = ahead.take(READER)
        os.kill(child.pid, signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(NoAnswer, match="by signal 9"):
            child.ask(QUESTION, file.fileno(), check=lambda: None)


def test_where_none_can_be_confined_that_is_said_when_one_is_asked(monkeypatch, tmp_path):
    """And not before: what is wrong with the image comes first."""
    monkeypatch.setenv("PATH", str(tmp_path))
    reader = guest_reader(unconfined=False, confinement="bubblewrap")
    ahead = Ahead()
    with ahead.started(reader), pytest.raises(ConfinementUnavailable):
        ahead.take(reader)


def test_what_waits_for_a_moment_is_done_once_while_a_child_is_waited_for(tmp_path):
    """It answers after it has imported what it needs, which takes longer than a moment."""
    ahead, done = Ahead(), []
    for number in (1, 2):
        ahead.later(lambda number=number: done.append(number))
    (tmp_path / "disk").write_bytes(bytes(1 << 20))
    for _ in range(2):
        with open(tmp_path / "disk", "rb") as file:
            child = ahead.take(READER)
            child.ask(QUESTION, file.fileno(), check=lambda: None, meanwhile=ahead.meanwhile)
        assert done == [1, 2]


@pytest.fixture
def spawned(monkeypatch):
    """The children's tools, as they are started."""
    tools = []

    def counting(command, *, tool, **options):
        tools.append(tool)
        return spawn(command, tool=tool, **options)

    monkeypatch.setattr(_child, "spawn", counting)
    return tools


def noise(folder: Path) -> str:
    path = folder / "noise.raw"
    path.write_bytes(os.urandom(1 << 20))
    return str(path)


def test_inspect_and_validate_take_it(tmp_path, spawned):
    app = diskwright.open()
    image = noise(tmp_path)
    alone = app.inspect(image)
    assert len(spawned) == 1
    with app.ahead():
        assert len(spawned) == 2
        assert app.inspect(image).guest == alone.guest
        assert len(spawned) == 2
        assert app.inspect(image).guest == alone.guest
        assert len(spawned) == 3
    with app.ahead():
        assert app.validate(image, profile="kvm").guest == alone.guest
    assert len(spawned) == 4


def test_a_refused_image_leaves_none(tmp_path, spawned):
    app = diskwright.open()
    with app.ahead(), pytest.raises(InputMissing):
        app.inspect(str(tmp_path / "none"))
    assert len(spawned) == 1
    assert not app.adapters._ahead._waiting
