"""CSV and JSON lines: into a pipe byte for byte, to a terminal with nothing that it would obey."""

from __future__ import annotations

import csv
import io
import json
import subprocess

import pytest

from diskwright.adapters.directory import DirectoryStore
from diskwright.model.text import data_on_terminal
from support.command import COMMAND
from support.library_images import put_image
from support.terminal import at_terminal

NAME = "x\x1b[31mred\x9b2J\u202eend\x07\u00e9"
EVIL = ("\x1b", "\x9b", "\u202e", "\x07")


@pytest.fixture
def listing(diskwright, folder):
    """The command's words, and its environment, for a library with an image of that name."""
    library = folder / "library"
    assert diskwright("library", "init", "care", library).code == 0
    put_image(DirectoryStore(str(library)), NAME, size=1 << 12)
    assert diskwright("library", "sync").code == 0
    return lambda *words: [str(COMMAND), "image", "list", *words], diskwright.environment


def piped(listing, *words) -> str:
    line, environment = listing
    ended = subprocess.run(line(*words), env=environment, capture_output=True, check=True)
    return ended.stdout.decode()


def on_terminal(listing, *words) -> str:
    line, environment = listing
    code, said = at_terminal(line(*words), environment)
    assert code == 0
    return said.decode()


def test_into_a_pipe_no_value_is_altered(listing):
    said = piped(listing, "--output", "csv", "--columns", "name")
    assert list(csv.reader(io.StringIO(said, newline=""))) == [["name"], [NAME]]
    assert said.endswith("\r\n")
    assert json.loads(piped(listing, "--output", "jsonl"))["name"] == NAME


def test_a_terminal_obeys_nothing(listing):
    said = on_terminal(listing, "--output", "csv", "--columns", "name")
    assert not any(char in said for char in EVIL)
    assert r"x\u001b[31mred\u009b2J\u202eend\u0007é" in said
    told = on_terminal(listing, "--output", "jsonl")
    assert not any(char in told for char in EVIL)
    assert json.loads(told)["name"] == NAME


def test_ends_of_lines_stay_and_the_rest_is_spelled_out():
    assert data_on_terminal('a,b\r\n"c\nd"\r\n') == 'a,b\r\n"c\nd"\r\n'
    assert data_on_terminal("a\rb\t\U000e0001\ud800") == r"a\rb\t\udb40\udc01\ud800"
    assert data_on_terminal("plain") == "plain"
