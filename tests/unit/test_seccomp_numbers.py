"""The filter's numbers against those of the kernel's headers, for both architectures."""

from pathlib import Path

import pytest

from diskwright import _seccomp

FACTS = Path(__file__).parents[1] / "support" / "syscall_numbers.tsv"
# Those that an argument decides about have names of their own
DECIDED = {
    "clone": _seccomp._CLONE,
    "tgkill": _seccomp._TGKILL,
    "prlimit64": _seccomp._PRLIMIT64,
    "prctl": _seccomp._PRCTL,
    "fcntl": _seccomp._FCNTL,
    "ioctl": _seccomp._IOCTL,
    "open": _seccomp._OPEN,
    "openat": _seccomp._OPENAT,
}
TABLE = _seccomp.REFUSED | _seccomp.REFUSED_TO_PARSERS | _seccomp.NOT_THERE


def facts():
    rows = (row.split("\t") for row in FACTS.read_text().splitlines() if not row.startswith("#"))
    return {
        name: tuple(None if number == "-" else int(number) for number in numbers)
        for name, *numbers in rows
    }


@pytest.mark.parametrize("name", sorted(TABLE))
def test_a_refused_call_has_the_number_of_the_kernel(name):
    assert TABLE[name] == facts()[name]


@pytest.mark.parametrize("name", DECIDED)
def test_a_judged_call_has_the_number_of_the_kernel(name):
    assert DECIDED[name] == facts()[name]
