"""What a confined reader imports late comes from memory, and needs nothing that is not there."""

from __future__ import annotations

import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(script: str, *arguments: str | Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


EVERY_READER = """
import re, sys
from importlib import import_module
from pathlib import Path
import diskwright._confine
import diskwright.guest.child as child

child.preload()
there = set(sys.modules)
guest = Path(child.__file__).parent
paths = [path.relative_to(guest).with_suffix("") for path in guest.rglob("*.py")]
named = {".".join(("diskwright.guest", *path.parts)).removesuffix(".__init__") for path in paths}
# But for what the parent imports, and a child that reads more, which imports it at once
others = (".calls", ".examining", ".files")
named = {n for n in named if ".software" not in n and not n.endswith(others)}
text = "".join(path.read_text() for path in guest.rglob("*.py"))
named |= {m for m in re.findall(r"^ +import (fs_explorer[.\\w]+)", text, re.M)}
late = r"^ +from (fs_explorer[.\\w]*|Registry) import ([\\w, ]+)"
for package, names in re.findall(late, text, re.M):
    named.add(package)
    for name in re.split(", ", re.sub(r" as \\w+", "", names)):
        named.add(f"{package}.{name}")

def closed(event, arguments):
    if event == "open":
        raise SystemExit(f"opens {arguments[0]}")

sys.addaudithook(closed)
for name in sorted(named):
    try:
        import_module(name)
    except ModuleNotFoundError as error:
        assert error.name == name and name.startswith(("fs_explorer", "Registry")), error  # a class

from fs_explorer.codecs import lzo, registry
assert lzo.get("pure", "lzo")
for codec in ("lznt1", "lzx", "xpress_huffman"):
    registry.resolve(codec, "pure")
held = ("diskwright", "fs_explorer", "Registry")
print(*(n for n in sys.modules if n not in there and n.partition(".")[0] not in held))
assert {"fs_explorer.filesystems.fat", "diskwright.guest.windows.read"} <= sys.modules.keys()
assert "fs_explorer.api" not in sys.modules
"""


def test_every_reader_imports_without_a_file_and_nothing_but_what_is_held() -> None:
    assert run(EVERY_READER).split() == []


GONE = """
import shutil, sys
from pathlib import Path
from diskwright._held import hold
sys.path.insert(0, sys.argv[1])
hold("parcel.*")
compiled = list(Path(sys.argv[1]).rglob("*.pyc"))
shutil.rmtree(sys.argv[1])
from parcel.inner.leaf import VALUE, beside
import parcel.inner
print(VALUE, beside(), parcel.NAME, parcel.inner.__path__ == [f"{sys.argv[1]}/parcel/inner"])
print(len(compiled))
try:
    import parcel.other
except ModuleNotFoundError as error:
    print(error.name)
"""


@pytest.fixture
def parcel(tmp_path: Path) -> Path:
    inner = tmp_path / "away" / "parcel" / "inner"
    inner.mkdir(parents=True)
    (inner.parent / "__init__.py").write_text("NAME = 'parcel'\n")
    (inner / "__init__.py").write_text("")
    (inner / "near.py").write_text("WORD = 'near'\n")
    (inner / "leaf.py").write_text(
        "VALUE = 1\ndef beside():\n    from parcel.inner import near\n    return near.WORD\n"
    )
    return inner.parent


def test_a_held_module_needs_its_files_no_more(parcel: Path) -> None:
    for path in parcel.rglob("*.py"):
        py_compile.compile(str(path), doraise=True)
    assert run(GONE, parcel.parent).split() == ["1", "near", "parcel", "True", "4", "parcel.other"]


def test_also_where_it_was_never_compiled_which_is_done_for_the_next_time(parcel: Path) -> None:
    assert run(GONE, parcel.parent).split() == ["1", "near", "parcel", "True", "4", "parcel.other"]


@pytest.mark.parametrize("changed", ["VALUE = 2\ndef beside(): return 'x'\n", None])
def test_what_was_compiled_of_another_source_does_not_count(parcel: Path, changed) -> None:
    leaf = parcel / "inner" / "leaf.py"
    py_compile.compile(str(leaf), doraise=True)
    seconds = leaf.stat().st_mtime
    leaf.write_text(changed or leaf.read_text().replace("1", "3"))  # of the same length
    os.utime(leaf, (seconds, seconds if changed else seconds + 10))
    value = "2" if changed else "3"
    assert run(GONE, parcel.parent).split()[0] == value
