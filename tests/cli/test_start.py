"""The console script: what it begins before the command is imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.command import FIXTURE, Command, Ended

# Who is started, and whether the command was imported by then
TOLD = """
import sys
from diskwright import _child, _process

def told(command, *, tool, **options):
    process = spawn(command, tool=tool, **options)
    print("started", process.pid, "click" in sys.modules, tool, file=sys.stderr)
    return process

spawn, _child.spawn = _child.spawn, told
from diskwright.cli.start import main
main()
"""


def run(home: Path, *arguments: str | Path, **environment: str) -> tuple[Ended, list[list[str]]]:
    """How it ended, and of each that was started: its pid, and whether that came late."""
    command = Command(home, **environment)
    done = subprocess.run(
        [sys.executable, "-c", TOLD, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=command.environment,
    )
    lines = [line.split(" ", 3) for line in done.stderr.splitlines() if line.startswith("started")]
    assert all(tool == "the guest reader" for *_, tool in lines)
    return Ended(done.returncode, done.stdout, done.stderr), [line[1:3] for line in lines]


def is_gone(pid: str) -> bool:
    return not os.path.exists(f"/proc/{pid}")


@pytest.mark.parametrize("verb", ["inspect", "validate"])
def test_the_reader_is_started_before_the_command_is_imported_and_taken(tmp_path, verb):
    ended, started = run(tmp_path, verb, FIXTURE)
    assert ended.code == 0, ended.err
    assert "Debian" in ended.out or verb == "validate"
    ((pid, late),) = started
    assert late == "False"
    assert is_gone(pid)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["inspect", "--help"], ["validate", "x", "-h"], ["key", "--help"], []]
)
def test_none_is_started_for_help(tmp_path, arguments):
    ended, started = run(tmp_path, *arguments)
    assert ended.code == (0 if arguments else 2)
    assert started == []


@pytest.mark.parametrize("arguments", [["inspect"], ["inspect", "--no-such", "x"]])
def test_one_that_is_not_needed_is_ended(tmp_path, arguments):
    ended, started = run(tmp_path, *arguments)
    assert ended.code == 2
    assert all(is_gone(pid) for pid, _ in started)
    assert len(started) == 1


def test_one_of_another_kind_than_is_wanted_is_ended_and_not_taken(tmp_path):
    """It was confined in the usual way; the settings say that none is to be."""
    ended, started = run(tmp_path, "inspect", FIXTURE, DISKWRIGHT_UNCONFINED="true")
    assert ended.code == 0, ended.err
    assert "not confined" in ended.err
    assert [late for _, late in started] == ["False", "True"]
    assert all(is_gone(pid) for pid, _ in started)


@pytest.mark.parametrize("options", [["--sbom", "-"], ["--diff"]])
def test_none_is_started_where_another_one_is_asked(tmp_path, options):
    ended, started = run(tmp_path, "inspect", FIXTURE, *options)
    assert ended.code == (0 if "-" in options else 2), ended.err
    assert "False" not in [late for _, late in started]


def test_behind_options_of_the_command_it_is_started_later(tmp_path):
    ended, started = run(tmp_path, "--debug", "inspect", FIXTURE)
    assert ended.code == 0, ended.err
    assert [late for _, late in started] == ["True"]


# Signals that come when the command begins to be imported, which is when click is
SIGNALLED = """
import os, sys

class Sending:
    def find_spec(self, name, path=None, target=None):
        if name == "click" and numbers:
            for number in numbers:
                os.kill(os.getpid(), number)
            numbers.clear()

numbers = [int(word) for word in sys.argv.pop(1).split()]
sys.meta_path.insert(0, Sending())
from diskwright.cli.start import main
main()
"""


@pytest.mark.parametrize("output", ["table", "json"])
@pytest.mark.parametrize(
    "numbers", [(15,), (2,), (1,), (2, 2), (15, 1), (2, 2, 2), (2, 2, 2, 2, 15)]
)
def test_a_signal_while_it_is_imported_ends_it_cleanly(tmp_path, numbers, output):
    command = Command(tmp_path)
    words = " ".join(map(str, numbers))
    done = subprocess.run(
        [sys.executable, "-c", SIGNALLED, words, "inspect", FIXTURE, "--output", output],
        capture_output=True,
        text=True,
        env=command.environment,
    )
    assert done.returncode == 128 + numbers[0], done.stderr
    line, hint = done.stderr.splitlines()
    assert line == "diskwright: cancelled; nothing was left behind"
    assert hint.startswith("  hint: ")
    if output == "json" and len(numbers) < 3:
        assert json.loads(done.stdout)["error"]["code"] == "cancelled"


NO_THREAD = """
import threading

def start(self):
    raise RuntimeError("can't start new thread")

threading.Thread.start = start
from diskwright.cli.start import main
main()
"""


def test_where_no_thread_can_be_started_that_is_said_in_one_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", NO_THREAD, "inspect", FIXTURE],
        capture_output=True,
        text=True,
        env=Command(tmp_path).environment,
    )
    assert done.returncode == 1
    line, hint = done.stderr.splitlines()
    assert "can't start new thread" in line
    assert hint.startswith("  hint: ")
