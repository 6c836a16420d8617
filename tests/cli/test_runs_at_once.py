"""A call of `Command` is forked off a server: what it finds and leaves is a new process's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support import at_once
from support.command import FIXTURE, Command, Ended

TESTS = Path(__file__).parents[1]


@pytest.fixture
def server(diskwright: Command):
    made = at_once.AtOnce.begin(diskwright.environment)
    yield made
    made.end()


def of_its_own(command: Command, *arguments: str | Path, **options) -> Ended:
    process = command.start(*arguments, **options)
    out, err = process.communicate(timeout=60)
    return Ended(process.returncode, out, err)


@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        [],
        ["nonsense"],
        ["inspect", str(FIXTURE)],
        ["inspect", "none", "--output", "json"],
        ["inspect", "empty-\udcff.qcow2"],
        ["validate", "zeros.raw"],
        ["image", "list"],
    ],
    ids=lambda words: " ".join(words[:1]),
)
def test_it_ends_and_says_the_same(diskwright, folder, words):
    (folder / "empty-\udcff.qcow2").touch()
    (folder / "zeros.raw").write_bytes(bytes(1 << 20))
    assert diskwright(*words, cwd=folder) == of_its_own(diskwright, *words, cwd=folder)


def test_its_folder_and_umask_are_the_callers(diskwright, folder):
    before = os.umask(0o027)
    try:
        assert diskwright("convert", FIXTURE, "out.raw", cwd=folder).code == 0
    finally:
        os.umask(before)
    assert (folder / "out.raw").stat().st_mode & 0o777 == 0o640


def test_its_environment_is_the_commands_alone(diskwright, folder, monkeypatch):
    monkeypatch.setenv("DISKWRIGHT_PROFILE", "no-such")
    assert diskwright("validate", FIXTURE).code == 0
    settled = Command(diskwright.home, DISKWRIGHT_PROFILE="no-such")
    assert settled("validate", FIXTURE) == of_its_own(settled, "validate", FIXTURE)
    assert diskwright("validate", FIXTURE).code == 0


def test_several_threads_have_their_runs_at_once(diskwright, folder):
    def run(number: int) -> Ended:
        return diskwright("inspect", f"none-{number}")

    with ThreadPoolExecutor(4) as pool:
        for number, ended in enumerate(pool.map(run, range(24))):
            assert ended.code == 10
            assert f"/none-{number}: " in ended.err


def test_a_limit_ends_the_run_and_the_next_is_none_the_worse(server, diskwright):
    fixed = [["--version"], diskwright.environment, str(diskwright.home)]
    server.run(*fixed, limit_s=60)  # it has imported everything
    os.kill(server.process.pid, signal.SIGSTOP)
    with pytest.raises(subprocess.TimeoutExpired):
        server.run(*fixed, limit_s=0.01)
    os.kill(server.process.pid, signal.SIGCONT)
    assert server.run(*fixed, limit_s=60)[0] == 0


@pytest.mark.parametrize("name", ["PYTHONUTF8", "LC_ALL", "LANG", "LD_PRELOAD", "TZ"])
def test_what_is_looked_at_before_it_is_forked_makes_a_process_of_its_own(diskwright, name):
    assert at_once.suits(diskwright.environment)
    assert not at_once.suits({**diskwright.environment, name: "C"})


STATE = """\
import os, random, signal, sys, tempfile, threading, warnings
mask = os.umask(0)
print(dict(os.environ), os.getcwd(), mask, sorted(os.listdir("/proc/self/fd"))[:-1])
print(sys.argv, sys.path, sys.flags, sys.stdin.isatty(), sys.stdin.read())
print(sys.stdout.encoding, sys.stdout.errors, sys.stdout.line_buffering, sys.stderr.errors)
print([signal.getsignal(number) for number in sorted(signal.valid_signals())])
print(signal.pthread_sigmask(signal.SIG_BLOCK, []), threading.active_count(), tempfile.tempdir)
print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getaffinity(0))
"""
ENDS = {
    "state": STATE,
    "an exception": "1 / 0",
    "a text": "import sys; sys.exit('why')",
    "a large status": "import sys; sys.exit(256 + 7)",
    "no status": "import sys; sys.exit()",
    "nothing said": "pass",
    "a lost stdout": "import os; print('never'); os.close(1)",
    "interrupted": "raise KeyboardInterrupt",
    "a late thread": "import threading; threading.Timer(0.1, print, ['late']).start()",
    "at exit": "import atexit; atexit.register(print, 'over')",
}
NAME = Path(sys.executable).with_name("diskwright")
REAL = f"import sys; sys.argv[0] = {str(NAME)!r}; sys.path[0] = {str(NAME.parent)!r}"
SERVER = """\
import json, os, sys
import diskwright.cli.start
from support import forking
forking.import_all()
for code, environment, *files in json.load(sys.stdin):
    diskwright.cli.start.main = lambda: exec(code, {})
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        streams = [os.open(file, os.O_WRONLY | os.O_CREAT) for file in files]
        forking.run([], environment=environment, folder=environment["HOME"], streams=streams)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def forked(tmp_path_factory) -> dict[str, Ended]:
    """What became of each of `ENDS`."""
    folder = tmp_path_factory.mktemp("home")
    known, asked = Command(folder).environment, []
    files = [(folder / f"out-{number}", folder / f"err-{number}") for number in range(len(ENDS))]
    for code, pair in zip(ENDS.values(), files, strict=True):
        asked.append([code, known, *map(str, pair)])
    done = subprocess.run(
        [sys.executable, "-c", SERVER],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        env={**known, "PYTHONPATH": str(TESTS)},
        cwd=folder,
    )
    return {
        name: Ended(int(status), out.read_text(), err.read_text())
        for name, status, (out, err) in zip(ENDS, done.stdout.split(), files, strict=True)
    }


@pytest.mark.parametrize("name", ENDS)
def test_anything_in_it_is_and_ends_as_in_a_new_process(forked, name):
    home = Path(forked["state"].out.split("'HOME': '")[1].partition("'")[0])
    done = subprocess.run(
        [sys.executable, "-c", f"{REAL}; exec({ENDS[name]!r})"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=Command(home).environment,
        cwd=home,
    )
    assert (forked[name].code, forked[name].out) == (done.returncode, done.stdout)
    # a traceback has one more step
    assert forked[name].err.splitlines()[-1:] == done.stderr.splitlines()[-1:]
