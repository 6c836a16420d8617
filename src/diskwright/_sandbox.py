"""What a process takes from itself: files (Landlock), system calls (seccomp), privileges, limits.

Linux only, by raw system calls, and quick to import: a confined process pays for it at each start.
Each function acts on the calling thread (resource limits: on the process), so call them while
there is one. Sources: linux/landlock.h, Documentation/userspace-api/landlock.rst, prctl(2).
"""

from __future__ import annotations

import ctypes
import os
import struct

from diskwright import _seccomp

# LANDLOCK_ACCESS_FS_*
EXECUTE = 1 << 0
WRITE_FILE = 1 << 1
READ_FILE = 1 << 2
READ_DIR = 1 << 3
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_ABI_1 = (1 << 13) - 1
_ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | _TRUNCATE | _IOCTL_DEV
_ALL_NETWORK = 3  # bind and connect of TCP
_ALL_SCOPES = 3  # abstract UNIX sockets and signals

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1

_PR_SET_PDEATHSIG, _PR_GET_SECCOMP, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 21, 22, 38
_SECCOMP_MODE_FILTER = 2

_libc = ctypes.CDLL(None, use_errno=True)


def _syscall(number: int, *arguments: object) -> int:
    result = int(_libc.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _prctl(option: int, *arguments: object) -> int:
    padded = [*arguments, *[0] * (4 - len(arguments))]
    values = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in padded]
    result = int(_libc.prctl(option, *values))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def landlock_abi() -> int:
    """The kernel's Landlock version, 0 where there is none or it is switched off."""
    try:
        return _syscall(
            _CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(_CREATE_RULESET_VERSION)
        )
    except OSError:
        return 0


def seccomp_usable() -> bool:
    """Whether the kernel takes filters and this architecture has a table."""
    try:
        _prctl(_PR_GET_SECCOMP)
    except OSError:
        return False
    return _seccomp.supported(os.uname().machine)


def die_with_parent(signal_number: int, expected_parent: int) -> bool:
    """A signal for this process when the thread that started it ends. False: it ended already."""
    _prctl(_PR_SET_PDEATHSIG, signal_number)
    return os.getppid() == expected_parent


def no_new_privileges() -> None:
    """From now on no setuid bit or file capability gives this process more rights."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


class Ruleset:
    """Landlock: every access to files is denied but what was allowed, once `enforce` is called.

    Allow by descriptor (O_PATH): the right belongs to that inode, whatever its name becomes.
    """

    def __init__(self) -> None:
        abi = landlock_abi()
        if abi < 1:
            raise OSError("the kernel has no Landlock, or it is switched off")
        self._handled = (
            _ABI_1
            | (_REFER if abi >= 2 else 0)
            | (_TRUNCATE if abi >= 3 else 0)
            | (_IOCTL_DEV if abi >= 5 else 0)
        )
        fields = [self._handled]
        if abi >= 4:
            fields.append(_ALL_NETWORK)
        if abi >= 6:
            fields.append(_ALL_SCOPES)
        attribute = struct.pack(f"={len(fields)}Q", *fields)
        self._fd = _syscall(
            _CREATE_RULESET, attribute, ctypes.c_size_t(len(attribute)), ctypes.c_uint(0)
        )

    def allow(self, fd: int, rights: int, *, directory: bool) -> None:
        """`rights` of EXECUTE, WRITE_FILE (which includes truncation), READ_FILE, READ_DIR."""
        if rights & WRITE_FILE:
            rights |= _TRUNCATE
        rights &= self._handled if directory else self._handled & _ON_FILES
        attribute = struct.pack("=Qi", rights, fd)  # struct landlock_path_beneath_attr is packed
        _syscall(_ADD_RULE, self._fd, _RULE_PATH_BENEATH, attribute, ctypes.c_uint(0))

    def enforce(self) -> None:
        """For good; needs `no_new_privileges` before."""
        _syscall(_RESTRICT_SELF, self._fd, ctypes.c_uint(0))
        os.close(self._fd)


def filter_calls(*, parser: bool) -> None:
    """The seccomp filter, for good; needs `no_new_privileges` before."""
    code = _seccomp.program(os.uname().machine, os.getpid(), parser=parser)
    buffer = ctypes.create_string_buffer(code, len(code))

    class SockFprog(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    fprog = SockFprog(len(code) // 8, ctypes.addressof(buffer))
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(fprog))
