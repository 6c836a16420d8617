"""The README is true: its commands and library lines run, its table is current."""

from __future__ import annotations

import lzma
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from diskwright.cli.lazy import COMMANDS
from diskwright.formats.support import support_table
from support.command import FIXTURE, Command
from support.images import qemu_img
from support.iso_maker import write
from support.ovas import Disk, raw, write_ova

README = Path(__file__).parents[2] / "README.md"
TEXT = README.read_text()
GROUPS = {  # and one of their commands
    "key": ["new"],
    "uploads": ["abort"],
    "iso": ["inspect"],
    "image": ["create"],
    "library": ["init"],
    "account": ["add"],
    "server": ["create"],
    "volume": ["create"],
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def command(tmp_path: Path, seaweed) -> Command:
    """An environment as the README's reader has it: a bucket `images` and credentials."""
    if "images" not in seaweed.buckets:
        seaweed.bucket("images")
    return Command(
        tmp_path,
        AWS_ACCESS_KEY_ID="test-admin",
        AWS_SECRET_ACCESS_KEY="test-admin-secret",
        DISKWRIGHT_S3_ENDPOINT_URL=seaweed.endpoint,
        DISKWRIGHT_S3_REGION="us-east-1",
        DISKWRIGHT_S3_ADDRESSING_STYLE="path",
    )


def pattern_of(shown: str) -> re.Pattern[str]:
    """`…` stands for anything; all the rest is literal."""
    return re.compile(".*?".join(re.escape(piece) for piece in shown.split("…")), re.DOTALL)


@pytest.mark.s3
def test_the_commands_run_and_say_what_is_shown(command, tmp_path):
    shutil.copyfile(FIXTURE, tmp_path / "disk.qcow2")
    seen = 0
    for block in blocks("console"):
        for part in block.split("$ ")[1:]:
            line, _, shown = part.partition("\n")
            words = shlex.split(line)
            assert words[0] == "diskwright"
            ended = command(*words[1:], cwd=tmp_path)
            assert ended.code == 0, (line, ended.err)
            assert pattern_of(shown.strip()).fullmatch(ended.out.strip()), (line, ended.out)
            seen += 1
    assert seen >= 5


@pytest.fixture
def old_disks(tmp_path: Path) -> None:
    """What the README's reader has lying about."""
    for name in ("disk.qcow2", "before.qcow2", "after.qcow2"):
        shutil.copyfile(FIXTURE, tmp_path / name)
    for name, kind in (("old.vmdk", "vmdk"), ("laptop.vdi", "vdi"), ("azure.vhd", "vpc")):
        qemu_img("convert", "-O", kind, tmp_path / "disk.qcow2", tmp_path / name)
    disk = raw("disk.raw", seed=1, size=40 << 20)
    (tmp_path / "disk.raw.xz").write_bytes(lzma.compress(disk.data, preset=0))
    overlay = ["-F", "qcow2", "-b", "disk.qcow2", tmp_path / "overlay.qcow2"]
    qemu_img("create", "-q", "-f", "qcow2", *overlay)
    gibibyte = [Disk(name, FIXTURE.read_bytes(), 1 << 30) for name in ("a.qcow2", "b.qcow2")]
    write_ova(tmp_path / "app.ova", *gibibyte)
    write(tmp_path / "debian.iso", rock_ridge="1.09")


def test_the_lines_for_whatever_one_has_run(command, tmp_path, old_disks):
    (tmp_path / "images").mkdir()
    shutil.copyfile(FIXTURE, tmp_path / "images" / "web.qcow2")
    found = [block for block in blocks("sh") if "diskwright " in block]
    lines = [shlex.split(line, comments=True) for line in "".join(found).strip().splitlines()]
    assert len(lines) == 11
    for words in lines:
        assert words[0] == "diskwright"
        ended = command(*words[1:], cwd=tmp_path)
        assert ended.code == 0, (words, ended.err)


def run_script(script, command, folder):
    assert len([line for line in script.splitlines() if line.strip()]) <= 9
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=folder,
        env=command.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_lines_of_python_run(command, tmp_path):
    shutil.copyfile(FIXTURE, tmp_path / "disk.qcow2")
    _, script = blocks("python")
    told = run_script(script, command, tmp_path)
    assert told == "Debian GNU/Linux 12 (bookworm) 1073741824\n[]\nTrue\n"


def library_commands() -> list[list[str]]:
    """Those of the table, in its order; what stands in brackets after one is another way."""
    (section,) = re.findall(r"## The private image library\n(.*?)\n## ", TEXT, re.DOTALL)
    rows = [line.split("|") for line in section.splitlines() if line.startswith("|")]
    found = [re.match(r" `(diskwright [^`]+)`", row[2]) for row in rows if len(row) == 4]
    return [shlex.split(match[1]) for match in found if match]


def test_the_table_of_the_library_and_its_lines_of_python_run(command, tmp_path):
    shutil.copyfile(FIXTURE, tmp_path / "disk.qcow2")
    (tmp_path / "data.raw").write_bytes(raw("data.raw", seed=1, size=40 << 20).data)
    receiver = ["lab.json", "--receiver", "--name", "lab"]
    assert command("key", "new", *receiver, cwd=tmp_path).code == 0
    commands = library_commands()
    assert len(commands) >= 25
    (script, _) = blocks("python")
    for words in commands:
        ended = command(*words[1:], cwd=tmp_path)
        assert ended.code == 0, (words, ended.err)
        if words[1:3] == ["image", "show"]:
            told = run_script(script, command, tmp_path)
            assert told == "web 1073741824 2048\ndescription: nginx 1.22\n[True]\n", told


def test_the_configuration_is_read(tmp_path):
    from diskwright.config import load

    (example,) = blocks("toml")
    path = tmp_path / "config.toml"
    path.write_text(example)
    settings = load(str(path), environment={})
    assert settings.key == "local:/home/me/kek.json"
    assert settings.s3.addressing_style == "virtual"


def test_the_support_table_is_the_registrys():
    assert support_table() in TEXT


def test_every_command_has_help_with_examples(command):
    for name in COMMANDS:
        arguments = [name, *GROUPS.get(name, ()), "--help"]
        ended = command(*arguments)
        assert ended.code == 0
        assert "Examples:" in ended.out or "Examples" in ended.out, name


def test_links_lead_somewhere():
    pictures = re.findall(r'src(?:set)?="([^"]+)"', TEXT)
    assert pictures
    for link in [*re.findall(r"\]\(([^)#]+)\)", TEXT), *pictures]:
        assert (README.parent / link).exists(), link
