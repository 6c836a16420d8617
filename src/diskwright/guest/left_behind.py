"""What of its last machine and its last users is left in a guest: ids, keys, histories.

Known places only, and never what is in a file: a private key by its header, the others by their
size. A search of the whole tree would take minutes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from diskwright.guest.accounts import homes
from diskwright.guest.reading import NotThere, Unreadable
from diskwright.guest.tree import GuestTree
from diskwright.model.access import LeftBehind, LeftFile, MachineId

MACHINE_ID = "/etc/machine-id"
# systemd-machine-id-setup(1): where the first is empty, the first start takes this one
DBUS_ID = "/var/lib/dbus/machine-id"
MAX_HOMES = 200
MAX_KEY = 64 << 10  # bytes: an RSA key of 16384 bits has 13 KiB
MAX_KEYS = 200  # files in one .ssh
MAX_FOUND = 500

_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----")
_REGISTRY_LOGIN = re.compile(r'"auth"\s*:')  # else it names no more than settings
_ID = re.compile(r"[0-9a-fA-F]{32}")
_HISTORY = "shell history"
_CREDENTIALS = "credentials"
# In a home folder; what is empty holds nothing
_PLACES = {
    ".bash_history": _HISTORY,
    ".zsh_history": _HISTORY,
    ".ash_history": _HISTORY,
    ".local/share/fish/fish_history": _HISTORY,
    ".python_history": _HISTORY,
    ".mysql_history": _HISTORY,
    ".psql_history": _HISTORY,
    ".aws/credentials": _CREDENTIALS,
    ".azure/msal_token_cache.json": _CREDENTIALS,
    ".azure/accessTokens.json": _CREDENTIALS,
    ".config/gcloud/credentials.db": _CREDENTIALS,
    ".config/gcloud/application_default_credentials.json": _CREDENTIALS,
    ".kube/config": _CREDENTIALS,
    ".git-credentials": _CREDENTIALS,
    ".netrc": _CREDENTIALS,
    ".pgpass": _CREDENTIALS,
    ".ssh/authorized_keys": "keys that may log in",
    ".ssh/authorized_keys2": "keys that may log in",
}


def read_left_behind(tree: GuestTree) -> LeftBehind:
    """Raises GuestReadError."""
    places = homes(tree)
    if len(places) > MAX_HOMES:
        raise Unreadable("too-large", f"more than {MAX_HOMES} home folders")
    found = (left for home in places for left in _of_home(tree, home))
    state, others = _machine_id(tree, MACHINE_ID), _machine_id(tree, DBUS_ID)
    ids = [p for p, s in ((MACHINE_ID, state), (DBUS_ID, others)) if s is MachineId.SET]
    return LeftBehind(state, tuple(islice(found, MAX_FOUND)), tuple(ids))


def _machine_id(tree: GuestTree, path: str) -> MachineId:
    try:
        text = tree.read_text(path, 4096).strip()
    except NotThere:
        return MachineId.MISSING
    if not text:
        return MachineId.EMPTY
    if text == "uninitialized":
        return MachineId.UNINITIALIZED
    if not _ID.fullmatch(text):
        raise Unreadable("damaged", "holds what is no machine id", path=path)
    return MachineId.SET


def _of_home(tree: GuestTree, home: str) -> Iterator[LeftFile]:
    for name, kind in _PLACES.items():
        path = f"{home}/{name}"
        if tree.is_file(path) and tree.size(path):
            yield LeftFile(kind, path)
    if _holds(tree, f"{home}/.docker/config.json", _REGISTRY_LOGIN):
        yield LeftFile(_CREDENTIALS, f"{home}/.docker/config.json")
    try:
        names = tree.names(f"{home}/.ssh")
    except NotThere:
        return
    if len(names) > MAX_KEYS:
        raise Unreadable("too-large", f"has more than {MAX_KEYS} files", path=f"{home}/.ssh")
    for name in names:
        path = f"{home}/.ssh/{name}"
        if _holds(tree, path, _KEY):
            yield LeftFile("private key", path)


def _holds(tree: GuestTree, path: str, sign: re.Pattern[str]) -> bool:
    """Whether a small file has `sign` in it."""
    small = tree.is_file(path) and tree.size(path) <= MAX_KEY
    return small and sign.search(tree.read_text(path, MAX_KEY)) is not None
