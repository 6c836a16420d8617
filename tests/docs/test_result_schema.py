"""docs/schema/result-1.json is what the code writes, and every command's real document fits it."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from diskwright.report import schema
from support.command import FIXTURE, Command
from support.iso_maker import write
from support.ovas import raw, system, write_ova

PAGE = Path(__file__).parents[2] / "docs" / "schema" / "result-1.json"
PUBLISHED = json.loads(PAGE.read_text())


def closed(value: Any) -> Any:
    """The schema, without room for what it does not name: so that nothing is left untold."""
    if isinstance(value, list):
        return [closed(item) for item in value]
    if not isinstance(value, dict):
        return value
    inner = {key: closed(item) for key, item in value.items()}
    if value.get("type") == "object" and "properties" in value:
        inner["additionalProperties"] = False
    return inner


CHECKER = jsonschema.Draft202012Validator(closed(PUBLISHED))
COMMANDS = [
    case["if"]["properties"]["command"]["const"] for case in PUBLISHED["allOf"] if "if" in case
]


def test_it_is_current():
    """If not: scripts/pages"""
    assert PAGE.read_text() == schema.text()
    jsonschema.Draft202012Validator.check_schema(PUBLISHED)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    work.mkdir()
    shutil.copyfile(FIXTURE, work / "disk.qcow2")
    (work / "zeros.raw").write_bytes(bytes(1 << 20))
    (work / "empty.qcow2").touch()
    write(work / "medium.iso", rock_ridge="1.09")
    write_ova(work / "app.ova", system(), raw("data.img", seed=1))
    return work


RUNS = {
    "inspect": [
        ["inspect", "disk.qcow2", "zeros.raw", "empty.qcow2", "app.ova", "medium.iso"],
        ["inspect", "--deep", "disk.qcow2", "empty.qcow2", "app.ova"],
        ["inspect", "disk.qcow2", "--sbom", "packages.json"],
        ["inspect", "zeros.raw", "--sbom", "none.json"],
        ["inspect", "--diff", "--files", "disk.qcow2", "zeros.raw"],
        ["inspect", "--diff", "zeros.raw", "disk.qcow2"],
        ["inspect", "--diff", "disk.qcow2", "none"],
    ],
    "validate": [
        ["validate", "disk.qcow2", "zeros.raw", "empty.qcow2", "none", "app.ova"],
        ["validate", "zeros.raw", "--accept", "image.size", "--reason", "small"],
        [
            "validate",
            "zeros.raw",
            "--accept",
            "image.size",
            "--reason",
            "x",
            "--until",
            "2999-01-01",
        ],
        ["validate", "--explain", "boot.mode"],
        ["validate", "--explain", "no.such"],
        ["validate"],
    ],
    "convert": [["convert", "disk.qcow2", "out.raw"], ["convert", "none.raw", "out2.raw"]],
    "key new": [
        ["key", "new", "kek.json"],
        ["key", "new", "receiver.json", "--receiver", "--name", "Ada"],
    ],
    "key public": [["key", "public", "receiver.json"]],
    "prepare": [
        ["prepare", "disk.qcow2", "--to", "dir:one"],
        ["prepare", "disk.qcow2", "--to", "dir:sealed", "--key", "local:kek.json"],
        ["prepare", "zeros.raw", "--to", "dir:two"],
        ["prepare", "app.ova", "--set", "--data", "--to", "dir:set"],
    ],
    "restore": [
        ["restore", "dir:one", "again.qcow2"],
        ["restore", "dir:sealed", "--key", "local:kek.json", "--to", "dir:open"],
    ],
    "doctor": [["doctor"], ["doctor", "--to", "dir:one"]],
    "uploads list": [["uploads", "list", "--to", "dir:one"]],
    "uploads abort": [["uploads", "abort", "--to", "dir:one", "--dry-run"]],
    "iso inspect": [["iso", "inspect", "medium.iso", "zeros.raw"]],
    "iso list": [["iso", "list", "medium.iso"]],
    "iso extract": [["iso", "extract", "medium.iso", "media"]],
}


def test_every_command_with_a_document_is_run_here():
    assert set(RUNS) == set(COMMANDS)


def test_real_documents_fit_it(tmp_path, folder):
    command = Command(tmp_path)
    for name, runs in RUNS.items():
        seen = 0
        for words in runs:
            ended = command(*words, "--output", "json", cwd=folder)
            document = ended.document
            errors = [
                (list(error.absolute_path), error.message[:300])
                for error in CHECKER.iter_errors(document)
            ]
            assert errors == [], words
            assert document["command"] == name, words
            seen += len(document["results"])
        assert seen, name


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> dict:
    command = Command(tmp_path_factory.mktemp("home"))
    return command("validate", FIXTURE, "--output", "json").document


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("results", 0, "ready"), "yes"),
        (("results", 0, "findings", 0, "result"), "maybe"),
        (("results", 0, "facts", "guest", "os", "id"), None),
        (("results", 0, "facts", "image", "virtual_size"), 1.5),
        (("results", 0, "facts", "image", "more"), 1),
        (("schema",), 2),
        (("error",), "bad"),
    ],
)
def test_a_document_that_is_wrong_does_not_fit(good, place, value):
    CHECKER.validate(good)
    changed = copy.deepcopy(good)
    inner = changed
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        CHECKER.validate(changed)
