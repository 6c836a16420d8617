"""The house stays as it is drawn: import directions, file sizes, one place for each package."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "diskwright"
FILES = sorted(SOURCE.rglob("*.py"))

# package: where it may be imported
PLACES = {
    "boto3": ["adapters/s3/"],
    "botocore": ["adapters/s3/"],
    "sh": ["adapters/qemu_img.py"],
    "isal": ["formats/"],
    "lz4": ["formats/packed/codecs.py"],
    "backports": ["formats/packed/codecs.py"],
    "fs_explorer": ["guest/filesystems/"],
    "Registry": ["guest/windows/hive.py"],
    "cryptography": ["envelope/", "adapters/kms_"],
    "urllib3": ["adapters/kms_vault/line.py"],
    "click": ["cli/"],
    "tqdm": ["cli/"],
    "platformdirs": ["config.py"],
    "sqlite3": ["adapters/catalog/", "guest/software/rpm.py"],  # rpm's own databases are SQLite's
    "pycdlib": [],  # an oracle of the tests
}


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def test_imports_point_one_way():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_file_can_be_read_in_one_sitting(path):
    assert len(path.read_text().splitlines()) <= 300


def test_the_contracts_are_short():
    assert len((SOURCE / "ports.py").read_text().splitlines()) < 200
    assert len((ROOT / "HACKING.md").read_text().splitlines()) <= 80


def test_each_package_is_imported_in_its_place_only():
    for path in FILES:
        name = str(path.relative_to(SOURCE))
        for package in imported(path) & set(PLACES):
            assert any(name.startswith(place) for place in PLACES[package]), f"{package} in {name}"


def test_the_library_prints_nothing_and_reads_no_environment():
    for path in FILES:
        name = str(path.relative_to(SOURCE))
        if name.startswith("cli/") or name in {"formats/support.py", "rules/docs.py"}:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"print", "input"}:
                raise AssertionError(f"{name}:{node.lineno} prints or asks")
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}:
                allowed = {"config.py", "_confine.py", "_process.py"}
                assert name in allowed, f"{name}:{node.lineno} reads the environment"
