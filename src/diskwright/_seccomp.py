"""The system-call filter of confined processes: a table for each architecture, a BPF program.

A filter of refusals, not of permissions: the tools need hundreds of calls, and what they may do
to files is Landlock's part. Refused is what reaches beyond files: sockets, other processes,
kernel interfaces with a history of holes, and changes of metadata that Landlock does not see;
also what only newer versions of Landlock see (truncation from 3, devices from 5, signals from
6), so that the oldest kernel that has it is enough. A process stays one: the parent-death signal
is not inherited, so that a child of it could outlive us.
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
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # memory and queues shared by a key or a name that is no file's
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "semctl": (66, 191),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    # a child, which would have no parent-death signal; a change of user takes the signal away
    "fork": (57, None),
    "vfork": (58, None),
    "setuid": (105, 146),
    "setgid": (106, 144),
    "setreuid": (113, 145),
    "setregid": (114, 143),
    "setresuid": (117, 147),
    "setresgid": (119, 149),
    "setfsuid": (122, 151),
    "setfsgid": (123, 152),
    "setgroups": (116, 159),
    # files cut short by name; by a descriptor open for writing it is allowed
    "truncate": (76, 45),
    "creat": (85, None),
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
    "open_tree_attr": (467, 467),
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
    "setxattrat": (463, 463),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
}

# A parser that has imported what it needs opens no file (in a namespace of its own it sees those of
# its interpreter), starts no program and waits for no connection.
REFUSED_TO_PARSERS: dict[str, tuple[int | None, int | None]] = {
    "open": (2, None),
    "openat": (257, 56),
    "execve": (59, 221),
    "execveat": (322, 281),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
}

# Their flags lie in memory, out of a filter's sight: ENOSYS makes libc use clone and openat.
NOT_THERE: dict[str, tuple[int, int]] = {"clone3": (435, 435), "openat2": (437, 437)}

_CLONE = (56, 220)
_TGKILL = (234, 131)  # abort() and pthread_kill() use it, on the process itself
_PRLIMIT64 = (302, 261)
_PRCTL = (157, 167)
_OPEN = (2, None)
_OPENAT = (257, 56)
_FCNTL = (72, 25)
_IOCTL = (16, 29)

# CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}; CLONE_NEWTIME is clone3's alone (linux/sched.h)
_NEW_NAMESPACES = 0x7E020000
_CLONE_THREAD = 0x10000
_PR_SET_PDEATHSIG = 1
_O_TRUNC = 0o1000
# Both bits: a descriptor for ioctl alone, which Landlock gives for files without any right
_O_ACCMODE = 3
# F_SETOWN, F_SETSIG, F_SETOWN_EX: a signal of choice to a process of choice, when there is input
_SIGNAL_OWNERS = (8, 10, 15)
_SOCKET_OWNERS = (0x8901, 0x8902)  # FIOSETOWN, SIOCSPGRP: the same for sockets

_COLUMNS = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # AUDIT_ARCH_*, linux/audit.h
_X32_BIT = 0x40000000

_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_AND = 0x54  # BPF_ALU | BPF_AND | BPF_K
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
    for numbers in NOT_THERE.values():
        out += [_op(_EQUAL, numbers[column], no=1), _op(_RETURN, _ENOSYS)]
    for numbers, argument, tests in _judged(pid):
        number = numbers[column]
        if number is not None:
            out += _judge(number, argument, tests)
    out.append(_op(_RETURN, _ALLOW))
    return b"".join(out)


# (operation, operand, the result that refuses the call; None: it changes what is tested next)
_Test = tuple[int, int, bool | None]


def _judged(pid: int) -> list[tuple[tuple[int | None, int | None], int, list[_Test]]]:
    """Calls that one of their arguments decides about: numbers, which argument, its tests."""
    opening: list[_Test] = [
        (_ANY_BIT, _O_TRUNC, True),
        (_AND, _O_ACCMODE, None),
        (_EQUAL, _O_ACCMODE, True),
    ]
    return [
        (_CLONE, 0, [(_ANY_BIT, _NEW_NAMESPACES, True), (_ANY_BIT, _CLONE_THREAD, False)]),
        (_TGKILL, 0, [(_EQUAL, pid, False)]),
        (_PRLIMIT64, 0, [(_EQUAL, 0, False)]),
        (_PRCTL, 0, [(_EQUAL, _PR_SET_PDEATHSIG, True)]),
        (_OPEN, 1, opening),
        (_OPENAT, 2, opening),
        (_FCNTL, 1, [(_EQUAL, command, True) for command in _SIGNAL_OWNERS]),
        (_IOCTL, 1, [(_EQUAL, command, True) for command in _SOCKET_OWNERS]),
    ]


def _judge(number: int, argument: int, tests: list[_Test]) -> list[bytes]:
    """For one call: refused as soon as a test says so, else allowed.

    The kernel too takes the low half only of each of these arguments.
    """
    out = [_op(_EQUAL, number, no=len(tests) + 3), _op(_LOAD, _AT_ARG0 + 8 * argument)]
    for left, (code, operand, refused) in zip(range(len(tests), 0, -1), tests, strict=True):
        out.append(
            _op(
                code,
                operand,
                yes=left if refused is True else 0,
                no=left if refused is False else 0,
            )
        )
    return [*out, _op(_RETURN, _ALLOW), _op(_RETURN, _EPERM)]


def _op(code: int, operand: int, *, yes: int = 0, no: int = 0) -> bytes:
    """struct sock_filter: code u16, jump-if-true u8, jump-if-false u8, operand u32."""
    return struct.pack("<HBBI", code, yes, no, operand)
