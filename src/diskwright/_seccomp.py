"""The system-call filter of confined processes: a table for each architecture, a BPF program.

A filter of refusals, not of permissions: the tools need hundreds of calls, and what they may do
to files is Landlock's part. Refused is what reaches beyond files: sockets, other processes,
kernel interfaces with a history of holes, and changes of metadata that Landlock does not see.
A refused call gives EPERM; a call by another architecture's numbers ends the process.
Layout: linux/filter.h, linux/seccomp.h, Documentation/userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import struct

# name: (x86_64, aarch64); None where the architecture lacks it. From asm/unistd_64.h and
# asm-generic/unistd.h.
REFUSED: dict[str, tuple[int | None, int | None]] = {
    # the network, and sockets that lead to other processes
    "socket": (41, 198),
    "socketpair": (53, 199),
    "bind": (49, 200),
    "connect": (42, 203),
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "kill": (62, 129),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    # kernel interfaces
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "fanotify_init": (300, 262),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "personality": (135, 92),
    "modify_ldt": (154, None),
    "uselib": (134, None),
    "iopl": (172, None),
    "ioperm": (173, None),
    # mounts and namespaces
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "unshare": (272, 97),
    "setns": (308, 268),
    # the machine
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    # metadata of files, which Landlock leaves alone
    "mknod": (133, None),
    "mknodat": (259, 33),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "lchown": (94, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
}

# A parser that has imported what it needs starts no program and waits for no connection.
REFUSED_TO_PARSERS: dict[str, tuple[int | None, int | None]] = {
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
}

_CLONE = (56, 220)
_CLONE3 = (
    435,
    435,
)  # its flags lie in memory, out of a filter's sight: ENOSYS makes libc use clone
_TGKILL = (234, 131)  # abort() and pthread_kill() use it, on the process itself
_PRLIMIT64 = (302, 261)

# CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}; CLONE_NEWTIME is clone3's alone (linux/sched.h)
_NEW_NAMESPACES = 0x7E020000

_COLUMNS = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # AUDIT_ARCH_*, linux/audit.h
_X32_BIT = 0x40000000

_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K

_AT_NUMBER, _AT_ARCH, _AT_ARG0 = 0, 4, 16  # struct seccomp_data; the low half, little-endian

_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_EPERM = 0x00050000 | 1
_ENOSYS = 0x00050000 | 38


def supported(machine: str) -> bool:
    """Whether there is a table for `os.uname().machine`."""
    return machine in _COLUMNS


def program(machine: str, pid: int, *, parser: bool) -> bytes:
    """The BPF program (array of struct sock_filter) for the process `pid`, which installs it.

    `parser`: also refuse what only a tool needs. Raises KeyError for an unknown `machine`.
    """
    column, arch = _COLUMNS[machine]
    out: list[bytes] = [
        _op(_LOAD, _AT_ARCH),
        _op(_EQUAL, arch, yes=1),
        _op(_RETURN, _KILL_PROCESS),
        _op(_LOAD, _AT_NUMBER),
    ]
    if machine == "x86_64":
        out += [_op(_AT_LEAST, _X32_BIT, no=1), _op(_RETURN, _KILL_PROCESS)]
    table = REFUSED | (REFUSED_TO_PARSERS if parser else {})
    for numbers in table.values():
        number = numbers[column]
        if number is not None:
            out += [_op(_EQUAL, number, no=1), _op(_RETURN, _EPERM)]
    out += [_op(_EQUAL, _CLONE3[column], no=1), _op(_RETURN, _ENOSYS)]
    out += _allow_if(_CLONE[column], _op(_ANY_BIT, _NEW_NAMESPACES, no=1))
    out += _allow_if(_TGKILL[column], _op(_EQUAL, pid, yes=1))
    out += _allow_if(_PRLIMIT64[column], _op(_EQUAL, 0, yes=1))
    out.append(_op(_RETURN, _ALLOW))
    return b"".join(out)


def _allow_if(number: int, test: bytes) -> list[bytes]:
    """For one call: `test` looks at its first argument and jumps one on to allow it."""
    return [
        _op(_EQUAL, number, no=4),
        _op(_LOAD, _AT_ARG0),
        test,
        _op(_RETURN, _EPERM),
        _op(_RETURN, _ALLOW),
    ]


def _op(code: int, operand: int, *, yes: int = 0, no: int = 0) -> bytes:
    """struct sock_filter: code u16, jump-if-true u8, jump-if-false u8, operand u32."""
    return struct.pack("<HBBI", code, yes, no, operand)
