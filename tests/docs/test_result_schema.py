"""docs/schema/result-1.json is what the code writes, and every command's real document fits it."""

from __future__ import annotations

import copy
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest

from diskwright.cli.main import cli
from diskwright.report import schema
from support.care import small_disk
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


# In this order, by the library's owner or by Ada, who is shared with; after `=` the exit code.
LIBRARY = [
    line.split()
    for line in """
owner=2 image list
owner library list
owner library init golden dir:golden
owner library init far dir:far
owner library forget far
owner library add far dir:far
owner library default golden
owner library list
owner image list
owner account list
owner account add ada ada.json.pub
owner account list
owner image create --from-file disk.qcow2 --name web --tag a=1 --key local:kek.json
owner=3 image create --from-file zeros.raw
owner image create --data --from-file data-1.raw --channel stable
owner image create --data --from-file data-2.raw --channel stable --description second
owner image create --data --from-file data-1.raw --name other --dry-run
owner image create --full --disk disk.qcow2 --disk data-1.raw --name shop
owner image list
owner image show data-2
owner=14 image show none
owner image set data-2 --description x
owner=2 image set data-2
owner image tag data-2 a=1
owner image untag data-2 a --dry-run
owner image history data-2
owner image replicate shop --name quick --quick
owner image replicate data-2 --name dry --quick --dry-run
owner image replicate data-2 --name quick-data --quick
owner image replicate web --name web-far --decrypt --key local:kek.json --to-library far
owner image download data-2 data-2.out --verify
owner image download shop shop.out
owner image export web --to dir:transfer/web.dws --sealed
owner image prove data-2
owner library prune --keep 1 --channel stable --yes
owner image undelete data-1
owner=14 image delete data-1 none --yes
owner server create --image quick --dry-run
owner server create --image quick --name web
owner server list
owner server show web
owner=14 server show none
owner server flatten web
owner server delete web --yes
owner volume create --image quick-data --name data
owner volume list
owner volume show data
owner volume flatten data
owner volume delete data --yes
owner=14 image share data-2 quick none --with ada
ada library init mine dir:mine
ada library follow dir:golden --key receiver:ada.json --name team
ada image list
ada image accept data-2
ada image reject quick
ada image shares
owner image shares
owner=14 image unshare data-2 none --from ada
owner account remove ada
owner library sync
owner library rebuild
owner library check
owner library gc --grace 0m --yes
owner library report --html library.html
damaged=12 library check
""".strip().splitlines()
]


def test_every_command_with_a_document_is_run_here():
    assert sorted({*RUNS, *(" ".join(words[:2]) for _, *words in LIBRARY)}) == sorted(COMMANDS)
    assert sorted(with_a_document(cli, click.Context(cli))) == sorted(COMMANDS)


def with_a_document(command: click.Command, ctx: click.Context) -> Iterator[str]:
    """The names of those below it that take `--output json`."""
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            inner = command.get_command(ctx, name)
            below = with_a_document(inner, click.Context(inner, parent=ctx))
            yield from (f"{name} {rest}".strip() for rest in below)
    elif any("--output" in one.opts and "json" in one.type.choices for one in command.params):
        yield ""


def unfitting(document: dict) -> list:
    return [
        (list(error.absolute_path), error.message[:300]) for error in CHECKER.iter_errors(document)
    ]


def test_a_librarys_real_documents_fit_it(tmp_path, folder):
    for number in (1, 2):
        small_disk(folder / f"data-{number}.raw", seed=number)
    people = {}
    for name in ("owner", "ada"):
        (tmp_path / name).mkdir()
        people[name] = Command(tmp_path / name)
    people["damaged"] = people["owner"]
    for options in (["kek.json"], ["ada.json", "--receiver", "--name", "Ada"]):
        assert people["owner"]("key", "new", *options, cwd=folder).code == 0
    (folder / "transfer").mkdir()
    told: Counter[str] = Counter()
    for said, *words in LIBRARY:
        who, _, code = said.partition("=")
        if who == "damaged":
            next((folder / "golden" / "images").glob("*/*")).write_bytes(b"")
        ended = people[who](*words, "--output", "json", cwd=folder)
        assert ended.code == int(code or 0), (words, ended.err)
        document = ended.document
        assert unfitting(document) == [], words
        name = " ".join(words[:2])
        assert document["command"] == name, words
        told[name] += sum(one["error"] is None for one in document["results"])
    assert min(told.values()), told


def test_real_documents_fit_it(tmp_path, folder):
    command = Command(tmp_path)
    for name, runs in RUNS.items():
        seen = 0
        for words in runs:
            ended = command(*words, "--output", "json", cwd=folder)
            document = ended.document
            assert unfitting(document) == [], words
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
