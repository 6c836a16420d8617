"""Who can log in to a guest, and what of its last machine is left in it: facts, nothing judged.

No secret is among them: of a password its state, of a key or a history its path.
"""

from __future__ import annotations

from enum import StrEnum

from diskwright._values import Struct
from diskwright.model.location import Location


class PasswordState(StrEnum):
    EMPTY = "empty"  # anybody may log in
    SET = "set"
    LOCKED = "locked"  # no password fits


class Account(Struct, frozen=True):
    """Of passwd(5) and shadow(5). `shell`: it has one that lets people in."""

    name: str
    password: PasswordState
    shell: bool
    location: Location


class SshServer(Struct, frozen=True):
    """`root_login` as PermitRootLogin of sshd_config(5) says it; `root_login_at` None: its default.

    `conditional`: Match blocks that say otherwise to root from some places, and lists of users and
    groups that leave root out, or may. `host_keys`: paths of private ones. `passwords` as
    PasswordAuthentication says it to root; empty where that depends. `ports`: empty where one can't
    be told.
    """

    installed: bool
    root_login: str = ""
    root_login_at: Location | None = None
    conditional: tuple[Location, ...] = ()
    host_keys: tuple[str, ...] = ()
    passwords: str = ""
    ports: tuple[int, ...] = (22,)


class MachineId(StrEnum):
    """Of machine-id(5)."""

    MISSING = "missing"
    EMPTY = "empty"  # made at the first start, and kept
    UNINITIALIZED = "uninitialized"  # the same, and the first start is told as such
    SET = "set"


class LeftFile(Struct, frozen=True):
    """`kind`: in words, as "private key"."""

    kind: str
    path: str


class LeftBehind(Struct, frozen=True):
    """`id_files`: those that hold a machine id, or from which the first start would take it."""

    machine_id: MachineId
    files: tuple[LeftFile, ...] = ()
    id_files: tuple[str, ...] = ()
