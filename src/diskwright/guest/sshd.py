"""The SSH server: who may log in (sshd_config(5)), and host keys that are there already."""

from __future__ import annotations

import re

from diskwright.guest.reading import NotThere
from diskwright.guest.sshd_config import CONFIG, FOLDER, Directive, answer, read_directives
from diskwright.guest.tree import GuestTree
from diskwright.model.access import SshServer

SERVERS = ("/usr/sbin/sshd", "/usr/bin/sshd")
SSH_PORT = 22
ROOT_LOGIN = "prohibit-password"  # where nothing is said, since OpenSSH 7.0

_HOST_KEY = re.compile(r"ssh_host_.+_key")


def read_sshd(tree: GuestTree) -> SshServer:
    """Raises GuestReadError."""
    keys = tuple(f"{FOLDER}/{name}" for name in _names(tree) if _HOST_KEY.fullmatch(name))
    if not any(tree.is_file(path) for path in SERVERS):
        return SshServer(False, host_keys=keys)
    directives: tuple[Directive, ...] = ()
    try:
        directives = read_directives(tree)
    except NotThere as error:
        if error.path != CONFIG:
            raise
    root = answer(directives, "permitrootlogin", "root", ROOT_LOGIN)
    passwords = answer(directives, "passwordauthentication", "root", "yes")
    return SshServer(
        True,
        root.value,
        root.location,
        root.unless,
        keys,
        "" if passwords.unless else passwords.value,
        _ports(directives),
    )


def _ports(directives: tuple[Directive, ...]) -> tuple[int, ...]:
    """Of this keyword all count."""
    said = [one.value for one in directives if one.keyword == "port" and not one.guard]
    numbers = [int(text) for text in said if text.isascii() and text.isdecimal() and len(text) < 6]
    return tuple(dict.fromkeys(numbers)) or (SSH_PORT,)


def _names(tree: GuestTree) -> list[str]:
    try:
        return tree.names(FOLDER)
    except NotThere:
        return []
