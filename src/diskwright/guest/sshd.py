"""The SSH server: who may log in (sshd_config(5)), and host keys that are there already."""

from __future__ import annotations

import re

from diskwright.guest.reading import NotThere
from diskwright.guest.sshd_config import (
    FOLDER,
    MAX_TOLD,
    Directive,
    answer,
    kept_out,
    read_directives,
)
from diskwright.guest.tree import GuestTree
from diskwright.model.access import SshServer

SERVERS = ("/usr/sbin/sshd", "/usr/bin/sshd")
SSH_PORT = 22
ROOT_LOGIN = "prohibit-password"  # where nothing is said, since OpenSSH 7.0

# `host:port`, `[address]:port`; an address of IPv6 alone has more colons
_PORT_OF_ADDRESS = re.compile(r"(?:[^:\[\]]+|\[[^\[\]]*\]):([0-9]{1,5})")
_NUMBER = re.compile("[0-9]{1,5}")
_HOST_KEY = re.compile(r"ssh_host_.+_key")


def read_sshd(tree: GuestTree) -> SshServer:
    """Raises GuestReadError."""
    keys = tuple(f"{FOLDER}/{name}" for name in _names(tree) if _HOST_KEY.fullmatch(name))
    if not any(tree.is_file(path) for path in SERVERS):
        return SshServer(False, host_keys=keys)
    directives = read_directives(tree)
    root = answer(directives, "permitrootlogin", "root", ROOT_LOGIN)
    passwords = answer(directives, "passwordauthentication", "root", "yes")
    return SshServer(
        True,
        root.value,
        root.location,
        (*root.unless, *kept_out(directives, "root"))[:MAX_TOLD],
        keys,
        "" if passwords.unless else passwords.value,
        _ports(directives),
    )


def _ports(directives: tuple[Directive, ...]) -> tuple[int, ...]:
    """Of both keywords all count; `Port` is for addresses that come without one. None of them where
    one is a name, which a file of the guest's own may tell."""
    listening = [one.value for one in directives if one.keyword == "listenaddress"]
    own = [_PORT_OF_ADDRESS.fullmatch(address) for address in listening]
    said = [match[1] for match in own if match]
    if not listening or None in own:
        ports = [one.value for one in directives if one.keyword == "port"]
        said += ports or [str(SSH_PORT)]
    if any(not _NUMBER.fullmatch(text) for text in said):
        return ()
    return tuple(dict.fromkeys(map(int, said)))[:MAX_TOLD]


def _names(tree: GuestTree) -> list[str]:
    try:
        return tree.names(FOLDER)
    except NotThere:
        return []
