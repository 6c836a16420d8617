"""A minute of `scripts/fuzz`, and what it finds when there is something to find."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from diskwright.errors import ImageRefused
from support.command import Command
from support.fuzzing import beside
from support.fuzzing.__main__ import main
from support.fuzzing.guests.seeds import seeds as guest_seeds
from support.fuzzing.judge import Ending, judge
from support.fuzzing.made import made_by_qemu, made_over
from support.fuzzing.mutants import above, mutant
from support.fuzzing.oracle import difference
from support.fuzzing.planted import DEEDS
from support.fuzzing.run import Fuzzer, Name, Worker
from support.fuzzing.scene import Scene
from support.fuzzing.seeds import FOLLOWED, FORMATS, seeds
from support.images import look_at
from support.iso_mutants import originals
from support.traced import trace

SECONDS = 60.0
SEED = 4


@pytest.mark.long
def test_no_mutant_crashes_hangs_grows_reaches_out_or_is_read_wrongly() -> None:
    names = (Name(kind, SEED, number) for number in range(2000) for kind in FORMATS)
    fuzzer = Fuzzer(share=0.15, jobs=2, until=time.monotonic() + SECONDS)
    report = fuzzer.run(names)
    print({kind: report.count(kind) for kind in FORMATS})
    assert report.findings == []
    for kind in FORMATS:
        assert report.count(kind) > 1
    assert sum(report.read.values()) > 1


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_number_is_the_same_mutant_in_every_run(kind: str) -> None:
    here = [mutant(kind, SEED, number) for number in range(12)]
    seeds.cache_clear()
    guest_seeds.cache_clear()
    made_by_qemu.cache_clear()
    made_over.cache_clear()
    originals.cache_clear()
    again = [mutant(kind, SEED, number) for number in range(12)]
    assert again == here
    assert len(set(here)) > 8


def test_a_mutant_is_made_again_from_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    only = [f"{kind}:7" for kind in ("qcow2", "vhd", "vmdk-stream", "iso", "xz", "guest-lvm")]
    words = [word for name in only for word in ("--only", name)]
    assert main([*words, "--seed", str(SEED), "--save", str(tmp_path)]) == 0
    assert "seed 4" in capsys.readouterr().out
    for name in only:
        kind, _, number = name.partition(":")
        made = (tmp_path / name.replace(":", "-")).read_bytes()
        assert made == mutant(kind, SEED, int(number))


def test_a_mutant_that_names_others_is_made_again_with_all_that_lies_around(tmp_path: Path) -> None:
    only = {f"chain:{number}" for number in range(12)} | {"extents:0"}
    words = [word for name in only for word in ("--only", name)]
    assert main([*words, "--seed", str(SEED), "--save", str(tmp_path)]) == 0
    tops = 0
    for name in only:
        kind, _, number = name.partition(":")
        made, over = mutant(kind, SEED, int(number)), above(kind, SEED, int(number))
        folder = tmp_path / name.replace(":", "-") / beside.ALLOWED
        laid = beside.TOP if over is None else beside.MUTANT
        assert (folder / laid).read_bytes() == made
        assert over is None or (folder / beside.TOP).read_bytes() == over
        assert {path.name for path in folder.iterdir()} >= {"base.qcow2", "outdir", beside.FIFO}
        tops += over is None
    assert 0 < tops < len(only)


def judged(scene: Scene, data: bytes, over: bytes | None, work: Path) -> Ending:
    """As a worker does it, but for its limits."""
    work.mkdir(exist_ok=True)
    path = scene.lay("", data, over)
    ending = judge(path, "chain", read=True, work=work, beneath=scene.allowed)
    assert [difference(*pair) for pair in ending.copies] == [""] * len(ending.copies)
    assert [*ending.findings, *scene.opened(), *scene.clear()] == []
    return ending


def test_files_that_name_others_are_good_before_they_are_changed(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "scene")
    ends = Counter(
        judged(scene, seed.data, seed.above, tmp_path / "work").end
        for kind in FOLLOWED
        for seed in seeds(kind)
    )
    assert ends.pop("accepted") > 30
    assert ends == {"differencing": 2}  # VHD and VHDX


def test_a_name_that_leads_out_ends_as_such(tmp_path: Path) -> None:
    scene, chance = Scene(tmp_path / "scene"), random.Random(SEED)
    parsed = [seed for kind in FOLLOWED for seed in seeds(kind) if seed.rename and not seed.above]
    followed = [seed for seed in parsed if seed.repair is None]
    for number, name in enumerate(beside.OUTWARD):
        for seed in (followed[number % len(followed)], followed[(number * 5 + 2) % len(followed)]):
            assert seed.rename is not None
            data = seed.rename(seed.data, name.encode(), chance)
            end = judged(scene, data, None, tmp_path / "work").end
            assert end in ("reference-outside", "reference-missing"), (name, end)


@pytest.mark.parametrize(("bug", "led"), [("links", "outside/secret"), ("anywhere", "secret")])
def test_a_reader_that_follows_what_it_must_not_is_found(
    bug: str, led: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED_BUG", bug)
    start = partial(Worker, module="support.fuzzing.planted")
    fuzzer = Fuzzer(share=0.0, jobs=1, start=start)
    report = fuzzer.run(Name("chain", SEED, number) for number in range(400))
    opened = [text for _, text in report.findings if text.startswith("opened: ")]
    assert [text for text in opened if led in text]
    assert [text for _, text in report.findings if text.startswith("follows: ")]


WORDS = {
    "hang": "hang: no answer",
    "open": "opened: /etc/hostname",
    "beside": "/beside",
    "connect": "connected: ('127.0.0.1', 9)",
    "run": "ran: /bin/true",
    "leave": "left: left",
    "memory": "memory: ",
    "crash": "KeyError: 'crash'",
    "die": "crash: the process ended with -11",
}


def test_what_must_not_be_done_is_found() -> None:
    start = partial(Worker, module="support.fuzzing.planted")
    fuzzer = Fuzzer(share=0.0, jobs=1, start=start, hang_s=2.0)
    report = fuzzer.run(Name("luks", SEED, number) for number in range(len(DEEDS)))
    found = {DEEDS[name.number]: text for name, text in report.findings}
    assert set(found) == set(WORDS)
    assert [deed for deed, text in found.items() if WORDS[deed] not in text] == []
    assert len(report.findings) == len(DEEDS)


@pytest.mark.parametrize("kind", ["qcow2", "vmdk", "vhdx", "vdi", "ova"])
def test_under_strace_an_accepted_mutant_makes_nothing_else_be_opened(
    kind: str, tmp_path: Path
) -> None:
    image, home = tmp_path / "image" / f"mutant.{kind}", tmp_path / "home"
    image.parent.mkdir()
    home.mkdir()
    for number in range(50):
        image.write_bytes(mutant(kind, SEED, number))
        try:
            look_at(image)
        except ImageRefused as refused:
            if refused.code != "format-unsupported":  # a package is looked at by others
                continue
        break
    output = tmp_path / "run" / "out" / "disk.raw"
    output.parent.mkdir(parents=True)
    traced = trace(Command(home), tmp_path / "run", "convert", image, output)
    assert traced.ended.code in (0, 10)
    traced.assert_nothing_else()
    assert os.listdir(tmp_path / "run" / "tmp") == []


def test_the_script_says_what_it_does() -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-m", "support.fuzzing", "--help"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    said = "".join(done.stdout.split())  # which breaks lines at hyphens
    assert "FORMAT:NUMBER" in said
    assert all(kind in said for kind in FORMATS)


def test_what_is_read_otherwise_than_qemu_reads_it_is_found(tmp_path: Path) -> None:
    image, copy = tmp_path / "image", tmp_path / "copy"
    image.write_bytes(seeds("qcow2")[2].data)
    subprocess.run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", image, copy], check=True)
    options = f"driver=qcow2,file.driver=file,file.filename={image}"
    content = bytearray(copy.read_bytes())
    assert difference(str(copy), options) == ""
    content[200_000] ^= 1
    copy.write_bytes(content)
    assert difference(str(copy), options).startswith("differs: 1: Content mismatch")
    content[200_000] ^= 1
    copy.write_bytes(content + bytes(512))
    assert "size mismatch" in difference(str(copy), options)
