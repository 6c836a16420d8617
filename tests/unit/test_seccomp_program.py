"""The filter's program, run by a small interpreter, for every architecture that has a table."""

import struct

import pytest

from diskwright import _seccomp

ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
PID = 4321
MACHINES = {
    "x86_64": {"arch": 0xC000003E, "column": 0, "read": 0, "clone": 56, "tgkill": 234},
    "aarch64": {"arch": 0xC00000B7, "column": 1, "read": 63, "clone": 220, "tgkill": 131},
}
PRLIMIT64 = {"x86_64": 302, "aarch64": 261}
# name: ((x86_64, aarch64), which argument)
DECIDED = {
    "open": ((2, None), 1),
    "openat": ((257, 56), 2),
    "fcntl": ((72, 25), 1),
    "ioctl": ((16, 29), 1),
    "prctl": ((157, 167), 0),
}


def run(program, *, number, arch, argument=0, at=0):
    """What the kernel would answer: struct seccomp_data is nr, arch, ip, six arguments."""
    arguments = [argument if place == at else 0 for place in range(6)]
    data = struct.pack("<IIQ6Q", number, arch, 0, *arguments)
    operations = list(struct.iter_unpack("<HBBI", program))
    at, accumulator = 0, 0
    while True:
        code, yes, no, operand = operations[at]
        at += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, operand)
            case 0x15:
                at += yes if accumulator == operand else no
            case 0x35:
                at += yes if accumulator >= operand else no
            case 0x45:
                at += yes if accumulator & operand else no
            case 0x54:
                accumulator &= operand
            case 0x06:
                return operand
            case _:
                raise AssertionError(hex(code))


@pytest.fixture(params=MACHINES)
def machine(request):
    return request.param


@pytest.fixture
def verdict(machine):
    def decide(number, *, parser=False, **options):
        program = _seccomp.program(machine, PID, parser=parser)
        assert len(program) // 8 <= 4096  # BPF_MAXINSNS
        return run(program, number=number, **{"arch": MACHINES[machine]["arch"], **options})

    return decide


def numbers(table, machine):
    found = (row[MACHINES[machine]["column"]] for row in table.values())
    return [number for number in found if number is not None]


def test_every_call_of_the_table_is_refused(verdict, machine):
    assert {verdict(n) for n in numbers(_seccomp.REFUSED, machine)} == {EPERM}


def test_parsers_are_refused_more(verdict, machine):
    more = numbers(_seccomp.REFUSED_TO_PARSERS, machine)
    assert {verdict(n, parser=True) for n in more} == {EPERM}
    assert {verdict(n) for n in more} == {ALLOW}  # an open for reading too


def test_parsers_open_nothing(decided):
    """In a namespace they still see the modules of their interpreter."""
    for name in ("open", "openat"):
        assert decided(name, 0, O_RDWR | O_CREAT, O_CLOEXEC, parser=True) in ({EPERM}, None)


def test_no_number_stands_twice(machine):
    both = numbers(_seccomp.REFUSED | _seccomp.REFUSED_TO_PARSERS, machine)
    assert len(both) == len(set(both))


def test_other_calls_are_allowed(verdict, machine):
    assert verdict(MACHINES[machine]["read"], parser=True) == ALLOW


def test_another_architecture_ends_the_process(verdict):
    assert verdict(0, arch=0x40000003) == KILL  # AUDIT_ARCH_I386


def test_x32_numbers_end_the_process():
    program = _seccomp.program("x86_64", PID, parser=False)
    assert run(program, number=0x40000000, arch=0xC000003E) == KILL


@pytest.fixture
def decided(machine, verdict):
    """The verdicts on a call (None: this architecture lacks it) for values of its argument."""

    def decide(name, *values, parser=False):
        numbers, at = DECIDED[name]
        number = numbers[MACHINES[machine]["column"]]
        if number is None:
            return None
        return {verdict(number, argument=value, at=at, parser=parser) for value in values}

    return decide


# The same on both architectures (asm-generic/fcntl.h)
O_WRONLY, O_RDWR, O_ACCMODE, O_TRUNC, O_CREAT, O_CLOEXEC = 1, 2, 3, 0o1000, 0o100, 0o2000000


@pytest.mark.parametrize("name", ["open", "openat"])
def test_no_file_is_cut_short_by_opening_it(decided, name):
    for mode in (0, O_WRONLY, O_RDWR):
        assert decided(name, mode | O_TRUNC, mode | O_TRUNC | O_CREAT) in ({EPERM}, None)
        assert decided(name, mode, mode | O_CREAT, mode | O_CLOEXEC) in ({ALLOW}, None)
    high = 1 << 32  # the kernel takes an int
    assert decided(name, high | O_TRUNC) in ({EPERM}, None)


@pytest.mark.parametrize("name", ["open", "openat"])
def test_no_file_is_opened_for_ioctl_alone(decided, name):
    assert decided(name, O_ACCMODE, O_ACCMODE | O_CLOEXEC) in ({EPERM}, None)


def test_the_refused_calls_stand_for_themselves():
    assert {"truncate", "creat", "fork", "vfork", "kill"} <= _seccomp.REFUSED.keys()


def test_openat2_is_not_there(verdict):
    assert verdict(437) == ENOSYS


def test_no_input_sends_a_signal_to_another_process(decided):
    assert decided("fcntl", 8, 10, 15) == {EPERM}  # F_SETOWN, F_SETSIG, F_SETOWN_EX
    assert decided("fcntl", 1, 2, 3, 4, 37, 1030) == {ALLOW}
    assert decided("ioctl", 0x8901, 0x8902) == {EPERM}  # FIOSETOWN, SIOCSPGRP
    assert decided("ioctl", 0x5401, 0x5421) == {ALLOW}


def test_the_parent_death_signal_stays(decided):
    assert decided("prctl", 1) == {EPERM}
    assert decided("prctl", 15, 29, 38) == {ALLOW}


@pytest.mark.parametrize("parser", [False, True])
def test_a_process_stays_one(verdict, machine, parser):
    """fork() and posix_spawn(), as libc makes them of clone."""
    clone = MACHINES[machine]["clone"]
    for flags in (0, 17, 0x1200011, 0x4111):
        assert verdict(clone, argument=flags, parser=parser) == EPERM


def test_threads_are_allowed_and_namespaces_are_not(verdict, machine):
    clone = MACHINES[machine]["clone"]
    assert verdict(clone, argument=0x3D0F00) == ALLOW  # what pthread_create asks for
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert verdict(clone, argument=0x3D0F00 | flag) == EPERM


def test_clone3_is_not_there(verdict):
    assert verdict(435) == ENOSYS


def test_signals_reach_the_process_itself_only(verdict, machine):
    tgkill = MACHINES[machine]["tgkill"]
    assert verdict(tgkill, argument=PID) == ALLOW
    assert verdict(tgkill, argument=PID + 1) == EPERM


def test_limits_are_its_own_only(verdict, machine):
    assert verdict(PRLIMIT64[machine], argument=0) == ALLOW
    assert verdict(PRLIMIT64[machine], argument=PID) == EPERM


def test_an_unknown_machine_has_no_table():
    assert not _seccomp.supported("riscv64")
