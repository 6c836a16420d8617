"""Progress goes to stderr, where somebody watches or asks for it, and results stay clean."""

from __future__ import annotations

import pytest

from support.command import FIXTURE


@pytest.fixture
def prepared(diskwright, folder):
    ended = diskwright("prepare", FIXTURE, "--to", f"dir:{folder / 'target'}")
    assert ended.code == 0, ended.err
    return f"dir:{folder / 'target'}"


def test_nobody_watches_nothing_is_said(diskwright, folder):
    assert diskwright("convert", FIXTURE, folder / "out.qcow2").err == ""


def test_who_asks_sees_each_phase_on_stderr(diskwright, folder, prepared):
    for arguments, phases in (
        (["convert", FIXTURE, folder / "a.qcow2", "--verify"], ["convert", "verify"]),
        (["prepare", FIXTURE, "--to", f"dir:{folder / 'other'}"], ["prepare"]),
        (["restore", prepared, folder / "b.qcow2", "--verify"], ["restore", "verify"]),
    ):
        ended = diskwright(*arguments, "--progress")
        assert ended.code == 0, ended.err
        for phase in phases:
            assert f"{phase}:" in ended.err, ended.err
        assert "\r" not in ended.out


def test_a_failure_after_progress_is_a_line_of_its_own(diskwright, folder, prepared):
    stored = next((folder / "target" / "images").glob("*/*"))
    data = bytearray(stored.read_bytes())
    data[-1] ^= 1
    stored.write_bytes(data)
    ended = diskwright("restore", prepared, folder / "x", "--progress")
    assert ended.code == 12
    assert ended.err.rstrip().splitlines()[-2].lstrip("\r ").startswith("diskwright: ")
