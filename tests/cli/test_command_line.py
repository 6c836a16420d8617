"""What is said on the command line is taken as it is said, and the streams may fail."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from diskwright.app.adapters import Adapters
from diskwright.config import S3Settings, Settings, colour_wanted, load
from diskwright.config_profiles import load_profile
from diskwright.errors import OutputNotWritable, UsageError
from support.command import COMMAND, FIXTURE, files_below, one_line_and_a_hint
from support.terminal import at_terminal


@pytest.mark.parametrize("option", ["--key", "--to", "--name", "--profile"])
def test_an_empty_option_is_refused_and_nothing_is_sent(diskwright, folder, tiny_disk, option):
    ended = diskwright(
        "prepare", tiny_disk, "--data", "--to", f"dir:{folder / 'target'}", option, ""
    )
    assert ended.code == 2, ended
    assert f"{option} is empty" in one_line_and_a_hint(ended)
    assert files_below(folder) == []


def test_an_empty_image_to_restore_is_refused(diskwright, folder):
    ended = diskwright("restore", f"dir:{folder}", "--image", "", folder / "out.raw")
    assert ended.code == 2, ended
    assert "--image is empty" in one_line_and_a_hint(ended)


@pytest.mark.parametrize("name", ["KEY", "TO", "PROFILE", "S3_REGION", "S3_SSE"])
def test_an_empty_variable_is_refused(name):
    with pytest.raises(UsageError, match=f"DISKWRIGHT_{name}.* is empty"):
        load(environment={"XDG_CONFIG_HOME": "/nonexistent", f"DISKWRIGHT_{name}": ""})


def test_an_empty_key_of_the_api_is_refused():
    with pytest.raises(UsageError, match="--key is empty"):
        Adapters(Settings(), passphrase=None).wrapper("")


def test_a_file_name_that_is_no_utf_8_is_prepared(diskwright, folder, tiny_disk):
    path = os.fsencode(folder) + b"/a\xff.raw"
    with open(path, "wb") as file:
        file.write(tiny_disk.read_bytes())
    # and so is a folder's
    ended = diskwright("prepare", os.fsdecode(path), "--data", "--to", f"dir:{folder}/\udcfe")
    assert ended.code == 0, ended.err


@pytest.mark.parametrize("name", ["a\udcff", "a\x1b[2J", "a\nb", "n" * 129])
def test_a_name_that_is_none_is_refused(diskwright, folder, tiny_disk, name):
    target = f"dir:{folder / 'target'}"
    ended = diskwright("prepare", tiny_disk, "--data", "--to", target, "--name", name)
    assert ended.code == 2, ended
    assert "not a name" in one_line_and_a_hint(ended)
    assert files_below(folder) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["inspect", FIXTURE],
        ["inspect", FIXTURE, "--output", "json"],
        ["inspect", "--nonsense", "--output", "json"],
        ["inspect", "--help"],
        ["completion", "bash"],
    ],
)
def test_a_full_disk_on_stdout_is_said(diskwright, arguments):
    with open("/dev/full", "w") as full:
        run = subprocess.run(
            [COMMAND, *arguments],
            env=diskwright.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert run.returncode == OutputNotWritable.exit_code, run
    assert "standard output: no space left" in run.stderr
    assert "Traceback" not in run.stderr
    assert "bug" not in run.stderr
    assert "Exception ignored" not in run.stderr


def test_only_the_value_of_output_asks_for_json(diskwright, folder):
    assert diskwright("inspect", "json", "--nonsense").out == ""
    for option in (["--output", "json"], ["--output=json"]):
        ended = diskwright("inspect", "--nonsense", *option)
        assert json.loads(ended.out)["error"]["exit_code"] == 2


def test_what_had_nothing_to_accept_is_not_accepted(diskwright):
    waiver = ["--accept", "image.size-unaligned", "--reason", "because"]
    ended = diskwright("validate", FIXTURE, *waiver)
    assert "accepted" not in ended.out
    assert "--accept image.size-unaligned: nothing to accept" in ended.err


def test_reading_without_confinement_is_said_and_noted(diskwright, folder, tiny_disk):
    diskwright.environment["DISKWRIGHT_UNCONFINED"] = "yes"
    ended = diskwright("prepare", tiny_disk, "--data", "--to", f"dir:{folder}")
    assert ended.code == 0, ended.err
    assert "readers are not confined" in ended.err
    (manifest,) = (folder / "manifests").iterdir()
    assert '"confinement":"none"' in manifest.read_text()


def test_the_profile_says_the_encryption_where_nobody_else_does():
    from diskwright._values import replace

    profile = replace(load_profile("huawei-ims"), server_side_encryption="sse-kms")
    for said, wanted in (("", "sse-kms"), ("none", ""), ("sse-obs", "sse-obs")):
        adapters = Adapters(Settings(s3=S3Settings(sse=said)), passphrase=None)
        assert adapters.encryption(profile) == wanted


def test_colour_is_for_a_terminal_that_wants_it(diskwright):
    assert not colour_wanted(terminal=True, environment={"NO_COLOR": "1"})
    assert not colour_wanted(terminal=False, environment={})
    _, said = at_terminal([COMMAND, "validate", FIXTURE], diskwright.environment)
    assert b"\x1b[" in said


def test_a_note_of_a_failure_is_in_its_line(capsys):
    from diskwright.cli.session import Session

    error = UsageError("it failed", "try again")
    error.add_note("cleaning up failed")
    Session().show(error)
    assert "it failed; cleaning up failed\n" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--accept", "--explain"])
def test_the_ids_of_rules_are_completed(diskwright, option):
    diskwright.environment |= {
        "_DISKWRIGHT_COMPLETE": "bash_complete",
        "COMP_WORDS": f"diskwright validate {option} image.s",
        "COMP_CWORD": "3",
    }
    ended = diskwright()
    words = ["image.size", "image.size-multiple", "image.size-unaligned", "image.snapshots"]
    assert ended.out.split() == [f"plain,{word}" for word in words], ended


def test_a_refused_image_is_not_ready(diskwright, folder):
    (folder / "empty").touch()
    ended = diskwright("validate", folder / "empty", FIXTURE, "--output", "json")
    assert [result["ready"] for result in ended.document["results"]] == [False, True]
    inspected = diskwright("inspect", folder / "empty", "--output", "json")
    assert "ready" not in inspected.document["results"][0]
