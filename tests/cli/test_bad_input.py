"""Bad input ends in one line, a hint, the exit code of the table, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support import unprivileged
from support.command import FIXTURE, Command, Ended, files_below, one_line_and_a_hint

QCOW2_MAGIC = b"QFI\xfb\x00\x00\x00\x03"


def bad_files(folder: Path) -> dict[str, Path]:
    """Name of the case: the file."""
    whole = FIXTURE.read_bytes()
    cases = {
        "empty": b"",
        "short": b"x" * 511,
        "truncated": whole[: len(whole) // 2],
        "header-only": QCOW2_MAGIC + bytes(96),
        "gzip": b"\x1f\x8b\x08" + bytes(4093),
    }
    paths = {}
    for name, data in cases.items():
        paths[name] = folder / f"{name}.qcow2"
        paths[name].write_bytes(data)
    paths["missing"] = folder / "missing.qcow2"
    paths["directory"] = folder / "directory"
    paths["directory"].mkdir()
    paths["fifo"] = folder / "fifo"
    os.mkfifo(paths["fifo"])
    backing = folder / "backing.qcow2"
    subprocess.run(
        [
            *["qemu-img", "create", "-q", "-f", "qcow2", "-u", "-F", "raw", "-b", "/etc/passwd"],
            backing,
            "1M",
        ],
        check=True,
    )
    paths["backing"] = backing
    return paths


@pytest.mark.parametrize("verb", ["inspect", "validate", "convert", "prepare"])
def test_an_unusable_file_is_refused_by_every_verb(diskwright, folder, verb):
    for name, path in bad_files(folder).items():
        before = files_below(folder)
        arguments = {
            "inspect": [path],
            "validate": [path],
            "convert": [path, folder / "out.raw"],
            "prepare": [path, "--to", f"dir:{folder / 'target'}"],
        }[verb]
        ended = diskwright(verb, *arguments)
        assert ended.code == 10, (name, ended)
        assert path.name in one_line_and_a_hint(ended), name
        assert ended.out == "", name
        assert files_below(folder) == before, name


@pytest.mark.parametrize("name", ["json:x", "fat:x", "nbd:x", "a,b", "-x", "new\nline", "\udcff"])
def test_a_strange_name_is_just_a_name(diskwright, folder, name):
    shutil.copyfile(FIXTURE, os.path.join(folder, name))
    ended = diskwright("convert", "--", name, "out.raw", cwd=folder)
    assert ended.code == 0, ended.err
    assert "\nmade" not in ended.out.split("made", 1)[1]
    done = diskwright("inspect", "--", name, cwd=folder)
    assert done.code == 0, done.err
    # nothing of the name reaches the terminal but printable characters
    assert done.out.split("\n")[0].isprintable()


def test_the_content_decides_and_not_the_extension(diskwright, folder, raw_disk):
    shutil.copyfile(FIXTURE, folder / "disk.raw")
    os.link(raw_disk, folder / "disk.qcow2")
    said_so = ["--input-format", "raw"]
    for name, found, options in (("disk.raw", "qcow2", []), ("disk.qcow2", "raw", said_so)):
        ended = diskwright("inspect", "--output", "json", folder / name, *options)
        assert ended.document["results"][0]["facts"]["image"]["format"] == found


@pytest.mark.parametrize("verb", ["inspect", "convert"])
def test_the_rest_of_a_file_is_no_raw_disk(diskwright, folder, verb):
    # without its footer a fixed VHD looks like one
    cut = folder / "cut.vhd"
    cut.write_bytes(bytes(1 << 20))
    out = [folder / "out.qcow2"] if verb == "convert" else []
    ended = diskwright(verb, cut, *out)
    assert ended.code == 10
    assert "--input-format raw" in ended.err
    assert files_below(folder) == ["cut.vhd"]
    assert diskwright(verb, cut, *out, "--input-format", "raw").code == 0


@pytest.mark.parametrize("name", ["out.iso", "out.ova", "out.hds", "out.raw.gz"])
def test_a_name_that_promises_what_is_not_written_is_refused(diskwright, folder, name):
    ended = diskwright("convert", FIXTURE, folder / name)
    assert ended.code == 2
    assert "can't be written" in one_line_and_a_hint(ended)
    assert files_below(folder) == []


def test_a_file_that_may_not_be_read_says_so(folder):
    """As a user that has no rights: root reads everything."""
    secret = folder / "secret.qcow2"
    shutil.copyfile(FIXTURE, secret)
    secret.chmod(0)
    unprivileged.let_through(folder)
    ended = unprivileged.run(
        "sys.argv = ['diskwright', 'inspect', sys.argv[1]]\ndiskwright.cli.start.main()\n",
        secret,
    )
    assert ended.code == 10, ended.err
    assert "Permission denied" in one_line_and_a_hint(ended)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["convert", "{disk}", "{there}"], "exists already"),
        (["convert", "{disk}", "{there}", "-O", "vmdk"], "exists already"),
        (["convert", "{disk}", "{there}", "--verify"], "exists already"),
        (["key", "new", "{there}"], "exists already"),
    ],
)
def test_an_existing_target_is_left_as_it_is(diskwright, folder, arguments, word):
    there = folder / "there.qcow2"
    there.write_text("mine")
    filled = [a.format(disk=FIXTURE, there=there) for a in arguments]
    ended = diskwright(*filled)
    assert ended.code == 14, ended.err
    assert word in one_line_and_a_hint(ended)
    assert there.read_text() == "mine"
    assert files_below(folder) == ["there.qcow2"]


def test_force_overwrites_and_only_when_whole(diskwright, folder):
    there = folder / "there.raw"
    there.write_text("mine")
    broken = folder / "broken.qcow2"
    broken.write_bytes(FIXTURE.read_bytes()[:200_000])
    assert diskwright("convert", broken, there, "--force").code == 10
    assert there.read_text() == "mine"
    assert diskwright("convert", FIXTURE, there, "--force", "-O", "raw").code == 0
    assert there.stat().st_size == 1 << 30


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["prepare", "{disk}"], "target"),
        (["prepare", "{disk}", "--to", "ftp://x"], "not a target"),
        (["prepare", "{disk}", "--to", "dir:{folder}", "--key", "kms:x"], "not a key"),
        (["prepare", "{disk}", "--to", "dir:{folder}", "-O", "raw", "--compress"], "compressed"),
        (["prepare", "{disk}", "--to", "dir:{folder}", "--profile", "nowhere"], "nowhere"),
        (["validate", "{disk}", "--accept", "no.such", "--reason", "x"], "no rule"),
        (["validate", "{disk}", "--accept", "boot.mode"], "--reason"),
        (
            ["validate", "{disk}", "--accept", "boot.mode", "--reason", "x", "--until", "9"],
            "--until",
        ),
        (["validate", "{disk}", "--until", "2027-01-01"], "--until without --accept"),
        (["validate", "{disk}", "--accept", "boot.mode", "--reason", "x", "--until", ""], "no day"),
        (["validate", "{disk}", "--force"], "--report"),
        (["validate", "--explain", "boot.mode", "--report", "html=x.html"], "--explain"),
        (["inspect", "{disk}", "--force"], "--sbom"),
        (
            ["prepare", "{disk}", "--to", "dir:{folder}", "-O", "qcow2", "--profile", "azure"],
            "azure takes no qcow2",
        ),
        (["validate", "{disk}", "--min-memory", "lots"], "not a size"),
        (["validate", "{disk}", "--min-memory", "2"], "say the unit"),
        (["convert", "-", "out.raw"], "./-"),
        (["inspect", "-"], "./-"),
        (["completion"], "bash, zsh, fish"),
        (["inspect"], "Missing argument"),
        (["nonsense"], "No such command"),
        (["restore", "dir:{folder}"], "either OUT or --to"),
    ],
)
def test_a_wrong_command_line_ends_with_2(diskwright, folder, arguments, word):
    ended = diskwright(*[a.format(disk=FIXTURE, folder=folder) for a in arguments])
    assert ended.code == 2, ended.err
    assert word in one_line_and_a_hint(ended)
    assert files_below(folder) == []


def test_without_arguments_the_help_is_shown_as_it_is(diskwright):
    for arguments in ([], ["key"]):
        ended = diskwright(*arguments)
        assert ended.code == 2
        assert ended.err.startswith("Usage: diskwright")
        assert "\n  -h, --help" in ended.err


def test_a_passphrase_is_not_asked_for_where_nobody_can_answer(diskwright, folder):
    ended = diskwright("key", "new", folder / "kek.json", "--passphrase")
    assert ended.code == 12
    assert "no terminal" in one_line_and_a_hint(ended)
    assert files_below(folder) == []


def test_a_folder_that_is_not_there_or_not_writable_ends_with_15(diskwright, folder):
    ended = diskwright("convert", FIXTURE, folder / "no" / "such" / "out.raw")
    assert ended.code == 15
    one_line_and_a_hint(ended)


def in_small_tmpfs(command: Command, folder: Path, *arguments: str) -> Ended:
    """Run with a file system of 2 MiB mounted at `folder`, in a mount namespace of its own."""
    tool = shutil.which("diskwright", path=command.environment["PATH"])
    script = 'mount -t tmpfs -o size=2m none "$1" && shift && "$@"; s=$?; find "$0" -type f >&2'
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "-r", "--mount"]
    done = subprocess.run(
        [*unshare, "sh", "-c", f"{script}; exit $s", folder, folder, tool, *arguments],
        capture_output=True,
        text=True,
        env=command.environment,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("native", [True, False], ids=["our writer", "qemu-img"])
def test_a_full_disk_ends_with_15_and_leaves_nothing(diskwright, folder, native):
    out = folder / ("out.qcow2" if native else "out.vmdk")
    ended = in_small_tmpfs(diskwright, folder, "convert", str(FIXTURE), str(out))
    assert ended.code == 15, ended.err
    assert "no space left" in one_line_and_a_hint(ended)


def test_a_full_folder_target_ends_with_15_and_leaves_nothing(diskwright, folder):
    ended = in_small_tmpfs(diskwright, folder, "prepare", str(FIXTURE), "--to", f"dir:{folder}")
    assert ended.code == 15, ended.err
    assert "no space left" in one_line_and_a_hint(ended)


def test_a_failure_has_a_json_document_too(diskwright, folder):
    ended = diskwright("inspect", "--output", "json", folder / "missing")
    assert ended.code == 10
    result = ended.document["results"][0]
    assert result["error"]["code"] == "input-missing"
    assert result["error"]["exit_code"] == 10
    assert result["facts"] is None
    wrong = diskwright("prepare", "--output", "json", FIXTURE, "--to", "x")
    assert wrong.document["error"]["kind"] == "usage"


def test_of_several_images_the_good_ones_are_reported(diskwright, folder):
    ended = diskwright("inspect", "--output", "json", FIXTURE, folder / "missing")
    assert ended.code == 10
    good, bad = ended.document["results"]
    assert good["error"] is None
    assert bad["error"]["code"] == "input-missing"


@pytest.mark.parametrize("options", [["-O", "raw"], ["-O", "raw", "--verify"], ["-O", "vmdk"]])
@pytest.mark.parametrize("kind", ["fifo", "link"])
def test_force_replaces_nothing_but_a_file(diskwright, folder, options, kind):
    target = folder / "out"
    os.mkfifo(target) if kind == "fifo" else target.symlink_to("elsewhere")
    before = os.lstat(target)
    ended = diskwright("convert", FIXTURE, target, "--force", *options)
    assert ended.code == 15, ended
    assert "not a regular file" in one_line_and_a_hint(ended)
    assert os.path.samestat(os.lstat(target), before)
    assert os.listdir(folder) == ["out"]


@pytest.mark.parametrize("options", [[], ["--verify"], ["-O", "vmdk"]])
@pytest.mark.parametrize("link", [None, os.link, os.symlink])
def test_the_source_is_never_the_target(diskwright, folder, options, link):
    source = target = folder / "disk.qcow2"
    shutil.copyfile(FIXTURE, source)
    if link:
        target = folder / "other.qcow2"
        link(source, target)
    ended = diskwright("convert", source, target, "--force", *options)
    assert ended.code == 2, ended
    assert "is the image to convert" in one_line_and_a_hint(ended)
    assert source.read_bytes() == FIXTURE.read_bytes()


def test_what_does_not_compress_is_said_before_anything_is_made(diskwright, folder):
    for name in ("out.vdi", "out.vmdk", "out.raw"):
        ended = diskwright("convert", FIXTURE, folder / name, "-c")
        assert ended.code == 2, ended
        assert "takes no --compress" in one_line_and_a_hint(ended)
    assert files_below(folder) == []
