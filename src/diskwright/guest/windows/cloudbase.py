"""Cloudbase-Init: what cloud-init is for Linux."""

from __future__ import annotations

import re

from diskwright.guest.reading import GuestReadError, NotThere
from diskwright.guest.tree import GuestTree
from diskwright.guest.windows.drivers import read_service
from diskwright.guest.windows.hive import Key
from diskwright.guest.windows.paths import file_of
from diskwright.model.guest import CloudInit

SERVICE = "cloudbase-init"
CONFIG = "/Program Files/Cloudbase Solutions/Cloudbase-Init/conf/cloudbase-init.conf"
SCRIPT = "/Windows/Setup/Scripts/SetupComplete.cmd"
MAX_CONFIG = 1 << 20
MAX_LINE = 8192  # characters, as cmd.exe takes
MAX_SOURCES = 100

_BY_ITSELF, _ON_DEMAND = 2, 3
_STARTS = re.compile(r"(?:\b(?:net|sc)(?:\.exe)?\"?[ \t]+start[ \t]+[\"']?$|\bstart-service\b)")
_NAMED = re.compile(r"--config-file[= ]+(?:\"([^\"]+)\"|(\S+))")
_SERVICES = re.compile(r"^[ \t]*metadata_services[ \t]*=(.*(?:\n[ \t]+\S.*)*)", re.MULTILINE)


def read_cloudbase(tree: GuestTree, control_set: Key, place: str) -> CloudInit:
    """`datasources`: the last names of its metadata services, as HttpService."""
    key = control_set.key(f"Services\\{SERVICE}")
    if key is None:
        return CloudInit(installed=False, enabled=None)
    service = read_service(tree, SERVICE, key)
    if service.file_exists is False:
        return CloudInit(installed=False, enabled=None)
    enabled = _enabled(tree, service.starts)
    by = f"{place}\\Services\\{SERVICE}: Start={service.starts}" if enabled is False else None
    sources = _sources(tree, _config_of(service.image_path or ""))
    return CloudInit(True, enabled, disabled_by=by, datasources=sources)


def _enabled(tree: GuestTree, starts: int | None) -> bool | None:
    """What is started on demand, or disabled, may be started by the script that ends a setup.

    It runs once, and after a generalized image's setup only: a disabled service may stay so.
    """
    if starts is None or starts <= _BY_ITSELF:
        return None if starts is None else True
    by_script = _is_started_by_script(tree)
    if starts == _ON_DEMAND:
        return True if by_script else None
    return None if by_script is not False else False


def _is_started_by_script(tree: GuestTree) -> bool | None:
    try:
        lines = tree.read_text(SCRIPT, MAX_CONFIG).lower().splitlines()
    except NotThere:
        return False
    except GuestReadError:
        return None
    lines = [line[:MAX_LINE].lstrip("@ \t") for line in lines]
    commands = (
        command
        for line in lines
        if not line.startswith(("rem ", "rem\t", "::"))
        for command in re.split("[&|]", line)
    )
    before = (command.partition(SERVICE) for command in commands)
    return any(name and _STARTS.search(start) for start, name, _ in before)


def _config_of(image_path: str) -> str:
    named = _NAMED.search(image_path)
    return (file_of(named[1] or named[2], "") if named else None) or CONFIG


def _sources(tree: GuestTree, config: str) -> tuple[str, ...]:
    """Empty where its own defaults hold, or the file is not read: nothing is judged by them."""
    try:
        text = tree.read_text(config, MAX_CONFIG).replace("\r", "")
    except GuestReadError:
        return ()
    found = _SERVICES.search(text)
    names = (name.strip().rpartition(".")[2] for name in found[1].split(",")) if found else ()
    return tuple(name for name in names if name)[:MAX_SOURCES]
