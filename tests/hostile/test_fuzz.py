"""A minute of `scripts/fuzz`, and what it finds when there is something to find."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from diskwright.errors import ImageRefused
from support.command import Command
from support.fuzzing.__main__ import main
from support.fuzzing.made import made_by_qemu
from support.fuzzing.mutants import mutant
from support.fuzzing.oracle import difference
from support.fuzzing.planted import DEEDS
from support.fuzzing.run import Fuzzer, Name, Worker
from support.fuzzing.seeds import FORMATS, seeds
from support.images import look_at
from support.iso_mutants import originals
from support.traced import trace

SECONDS = 40.0
SEED = 4


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
    made_by_qemu.cache_clear()
    originals.cache_clear()
    again = [mutant(kind, SEED, number) for number in range(12)]
    assert again == here
    assert len(set(here)) > 8


def test_a_mutant_is_made_again_from_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    only = [f"{kind}:7" for kind in ("qcow2", "vhd", "vmdk-stream", "iso", "xz")]
    words = [word for name in only for word in ("--only", name)]
    assert main([*words, "--seed", str(SEED), "--save", str(tmp_path)]) == 0
    assert "seed 4" in capsys.readouterr().out
    for name in only:
        kind, _, number = name.partition(":")
        made = (tmp_path / name.replace(":", "-")).read_bytes()
        assert made == mutant(kind, SEED, int(number))


WORDS = {
    "hang": "hang: no answer",
    "open": "opened: /etc/hostname",
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
    assert "FORMAT:NUMBER" in done.stdout
    assert all(kind in done.stdout for kind in FORMATS)


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
