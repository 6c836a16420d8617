"""`systemctl --root DIR is-enabled` says of a folder what is said of a guest with its files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from diskwright.guest.units import Units
from support.fake_guest import Content, Link, tree_of

LIB, ETC = "/usr/lib/systemd/system", "/etc/systemd/system"
UNIT = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
WANTS = f"{ETC}/multi-user.target.wants"

CASES: dict[str, dict[str, Content]] = {
    "enabled": {f"{LIB}/a.service": UNIT, f"{WANTS}/a.service": Link(f"{LIB}/a.service")},
    "not linked": {f"{LIB}/a.service": UNIT},
    "required": {
        f"{LIB}/a.service": UNIT,
        f"{ETC}/x.target.requires/a.service": Link(f"{LIB}/a.service"),
    },
    "masked": {
        f"{LIB}/a.service": UNIT,
        f"{ETC}/a.service": Link("/dev/null"),
        f"{WANTS}/a.service": Link(f"{LIB}/a.service"),
    },
    "masked from near": {f"{LIB}/a.service": UNIT, f"{ETC}/a.service": Link("../../../dev/null")},
    "masked by the package": {f"{LIB}/a.service": Link("/dev/null")},
    "empty": {f"{LIB}/a.service": UNIT, f"{ETC}/a.service": ""},
    "empty of the package": {f"{LIB}/a.service": "", f"{WANTS}/a.service": Link("x")},
    "of the administrator": {
        f"{ETC}/a.service": UNIT,
        f"{WANTS}/a.service": Link(f"{ETC}/a.service"),
    },
    "only /lib": {
        "/lib/systemd/system/a.service": UNIT,
        f"{WANTS}/a.service": Link("/lib/systemd/system/a.service"),
    },
}


def systemctl(root: Path, unit: str) -> str:
    argv = ["systemctl", "--root", str(root), "is-enabled", unit]
    return subprocess.run(argv, capture_output=True, text=True, timeout=20).stdout.strip()


@pytest.mark.parametrize("case", CASES)
def test_systemd_says_the_same(case: str, tmp_path: Path) -> None:
    files = {"/etc/machine-id": "", **CASES[case]}
    for path, content in files.items():
        place = tmp_path / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            place.symlink_to(content.target)
        else:
            assert isinstance(content, str)
            place.write_text(content)
    assert Units(tree_of(files)).state("a.service") == systemctl(tmp_path, "a.service")
