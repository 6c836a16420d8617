"""The command under each confinement, and what doctor tells of it."""

import shutil
import subprocess

import pytest

from support.command import FIXTURE, one_line_and_a_hint

pytestmark = pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="bubblewrap is not installed: apt-get install bubblewrap"
)


@pytest.fixture
def under_bubblewrap(diskwright):
    diskwright.environment["DISKWRIGHT_CONFINEMENT"] = "bubblewrap"
    return diskwright


def test_doctor_tells_what_is_in_force(diskwright):
    ended = diskwright("doctor", "--output", "json")
    assert '"confinement":"Landlock (ABI ' in ended.out.replace('": "', '":"'), ended


def test_doctor_tells_that_it_is_bubblewrap(under_bubblewrap):
    ended = under_bubblewrap("doctor")
    assert ended.code == 0, ended
    (line,) = [line for line in ended.out.splitlines() if line.startswith("confinement")]
    assert line.split()[1] == "bubblewrap"
    assert line.endswith("and a seccomp filter")


def test_the_same_is_read(diskwright):
    plain = diskwright("inspect", FIXTURE, "--output", "json")
    diskwright.environment["DISKWRIGHT_CONFINEMENT"] = "bubblewrap"
    ended = diskwright("inspect", FIXTURE, "--output", "json")
    assert (ended.code, ended.err) == (0, "")
    assert ended.document == plain.document


@pytest.mark.parametrize("arguments", [["out.qcow2", "--compress", "--verify"], ["out.vdi"]])
def test_it_converts(under_bubblewrap, folder, arguments):
    """By ourselves, and by qemu-img."""
    ended = under_bubblewrap("convert", FIXTURE, folder / arguments[0], *arguments[1:])
    assert ended.code == 0, ended
    subprocess.run(["qemu-img", "compare", FIXTURE, folder / arguments[0]], check=True)


def test_it_prepares_and_notes_what_confined_its_readers(under_bubblewrap, folder):
    ended = under_bubblewrap("prepare", FIXTURE, "--to", f"dir:{folder / 'target'}")
    assert ended.code == 0, ended
    (manifest,) = (folder / "target" / "manifests").iterdir()
    assert '"confinement":"bubblewrap ' in manifest.read_text()


def test_another_word_is_refused(diskwright):
    diskwright.environment["DISKWRIGHT_CONFINEMENT"] = "chroot"
    ended = diskwright("inspect", FIXTURE)
    assert ended.code == 2
    assert "'chroot' is not one of 'auto', 'landlock', 'bubblewrap'" in one_line_and_a_hint(ended)
