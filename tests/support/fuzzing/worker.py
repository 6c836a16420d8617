"""A process that judges mutant after mutant: `FORMAT SEED NUMBER READ` a line, two answers each.

The first says how the mutant ended, the second what qemu-img finds, which nobody waits for so
strictly. Whatever it opens, starts or connects to besides what it may is a finding.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import sys
import time
import traceback
from pathlib import Path

from support.fuzzing import judge as judging
from support.fuzzing import oracle
from support.fuzzing.guests import judge as guests
from support.fuzzing.mutants import above, mutant
from support.fuzzing.scene import Alone, Scene
from support.fuzzing.seeds import FOLLOWED
from support.traced import PLACES, RUN, Allowed

# A mutant that wants more than this many bytes meets MemoryError, which is a finding.
_ADDRESSES = 2 << 30
_OWN_SOCKET = re.compile(r"/proc/self/fd/\d+/nbd")
_TESTS = Path(__file__).resolve().parents[2]
_ALWAYS = (Allowed(str(_TESTS), "the tests' own code"),)


class Watch:
    """What the process opens, connects to and runs, by Python's audit events."""

    def __init__(self) -> None:
        self.on = False
        self.found: list[str] = []
        self._own: list[str] = []
        self._run = {os.path.realpath(path) for path in RUN}

    def begin(self, *own: Path) -> None:
        """Only what really lies in one of these folders of ours may be opened from now on."""
        self._own = [os.path.realpath(folder) for folder in own]
        self.on, self.found = True, []

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.on:
            return
        if event == "open":
            self._opened(arguments[0], arguments[2])
        elif event == "socket.connect" and not _OWN_SOCKET.fullmatch(str(arguments[1])):
            self.found.append(f"connected: {arguments[1]}")
        elif event in ("socket.bind", "socket.getaddrinfo", "socket.sendto"):
            known = _OWN_SOCKET.fullmatch(str(arguments[-1])) is not None
            self.found += [] if known else [f"{event}: {arguments}"]
        elif event in ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen"):
            known = os.path.realpath(str(arguments[0])) in self._run
            self.found += [] if known else [f"ran: {arguments[0]}"]

    def _opened(self, path: object, flags: object) -> None:
        """A name that counts from an open folder is not judged here, but by `Opens`."""
        if isinstance(path, int) or path is None:
            return
        name = os.fsdecode(path)  # type: ignore[arg-type]
        inside = not os.path.isabs(name) and ".." not in name.split("/")
        if inside or any(place.covers(name) for place in (*PLACES, *_ALWAYS)):
            return
        led = _led(name, flags)
        if not any(led == own or led.startswith(own + "/") for own in self._own):
            self.found.append(f"opened: {name}")


def _led(name: str, flags: object) -> str:
    """Where links lead who opens it."""
    if isinstance(flags, int) and flags & os.O_NOFOLLOW:
        folder, last = os.path.split(name)
        return os.path.join(os.path.realpath(folder), last)
    return os.path.realpath(name)


def peak() -> int:
    """Of this process since `forget_peak`, and of the largest child that it had, in bytes."""
    with open("/proc/self/status", encoding="ascii") as status:
        (own,) = (int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return (own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) << 10


def forget_peak() -> None:
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def answer(**said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def main(folder: Path) -> None:
    temporary, work = folder / "tmp", folder / "work"
    for each in (temporary, work):
        each.mkdir(parents=True, exist_ok=True)
    os.environ["TMPDIR"] = str(temporary)
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    watch = Watch()
    alone = Alone(folder / "image")
    scene: Scene | None = None
    sys.addaudithook(watch)
    guests.preload()
    answer(ready=True)
    for line in sys.stdin:
        name, seed, number, read = line.split()
        place: Alone | Scene = alone
        if name in FOLLOWED:
            place = scene = scene or Scene(folder / "scene")
        data, over = mutant(name, int(seed), int(number)), above(name, int(seed), int(number))
        path = place.lay(f"{name}-{number}", data, over)
        del data, over
        place.opened()
        forget_peak()
        watch.begin(temporary, work, place.folder)
        began = time.monotonic()
        ending = judging.Ending()
        try:
            ending = judging.judge(path, name, read=read == "1", work=work, beneath=place.allowed)
        except BaseException:  # noqa: BLE001 - whatever it is, it is a finding
            ending.end = "crashed"
            ending.findings.append(f"crash: {traceback.format_exc()}")
        watch.on = False
        findings = [*ending.findings, *watch.found, *place.opened()]
        findings += [f"left: {left}" for left in os.listdir(temporary)]
        seconds = time.monotonic() - began
        answer(end=ending.end, findings=findings, seconds=seconds, peak=peak(), read=ending.read)
        differ = [d for d in (oracle.difference(*pair) for pair in ending.copies) if d]
        answer(findings=[*differ, *place.opened(), *place.clear()])
        shutil.rmtree(temporary)
        shutil.rmtree(work)
        temporary.mkdir()
        work.mkdir()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
