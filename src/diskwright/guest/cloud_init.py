"""Whether cloud-init is installed, will run, and where it looks for the cloud's data."""

from __future__ import annotations

import re
from collections.abc import Iterable

from diskwright.guest.reading import GuestReadError, NotThere
from diskwright.guest.tree import GuestTree
from diskwright.model.guest import CloudInit

BINARIES = ("/usr/bin/cloud-init", "/usr/local/bin/cloud-init", "/bin/cloud-init")
DISABLED_FILE = "/etc/cloud/cloud-init.disabled"  # cloud-init manual, "How to disable cloud-init"
DISABLED_WORD = "cloud-init=disabled"
DPKG_STATUS = "/var/lib/dpkg/status"
CONFIG = "/etc/cloud/cloud.cfg"
CONFIG_FOLDER = "/etc/cloud/cloud.cfg.d"
UNIT_FOLDERS = ("/etc/systemd/system", "/usr/lib/systemd/system")
UNITS = ("cloud-init.service", "cloud-init-main.service", "cloud-init.target")
# Of Fedora CoreOS, Flatcar and their kin: ignition runs in the initramfs, afterburn after it
PEERS = {
    "ignition": (
        "/usr/lib/dracut/modules.d/30ignition/ignition",
        "/usr/lib/dracut/modules.d/30ignition/ignition-fetch.service",
        "/usr/libexec/ignition-delete-config",
        "/usr/bin/ignition",
    ),
    "afterburn": ("/usr/bin/afterburn", "/usr/bin/coreos-metadata"),
}
MAX_STATUS = 64 << 20
MAX_CONFIG = 1 << 20

_STANZA = re.compile(r"^Package: cloud-init\n", re.MULTILINE)
_VERSION = re.compile(r"^Version: (?:\d+:)?([^-\s+~]+)", re.MULTILINE)
_MODULE_VERSION = re.compile(r"""^__VERSION__ = ["']([^"'-]+)["'-]""", re.MULTILINE)
_LIST_FLOW = re.compile(r"^datasource_list:[ \t]*\[([^\]]*)\]", re.MULTILINE)
_LIST_BLOCK = re.compile(
    r"^datasource_list:[ \t]*(?:#.*)?\n((?:[ \t]*-[ \t]*\S+.*\n?)+)", re.MULTILINE
)


def read_cloud_init(tree: GuestTree, command_line: str) -> CloudInit:
    """`command_line` is the default boot entry's. Raises GuestReadError."""
    package_version = _package_version(tree)
    installed = package_version is not None or any(tree.is_file(path) for path in BINARIES)
    peers = tuple(name for name, paths in PEERS.items() if any(map(tree.is_file, paths)))
    if not installed:
        return CloudInit(installed=False, enabled=None, peers=peers)
    enabled, disabled_by = _enabled(tree, command_line)
    return CloudInit(
        installed=True,
        enabled=enabled,
        version=package_version or _module_version(tree),
        disabled_by=disabled_by,
        datasources=_datasources(tree),
        peers=peers,
    )


def _package_version(tree: GuestTree) -> str | None:
    """The upstream version of an installed Debian package."""
    try:
        status = tree.read_text(DPKG_STATUS, MAX_STATUS)
    except GuestReadError:
        return None  # no Debian, or not to be read: the program itself decides
    begin = _STANZA.search(status)
    if begin is None:
        return None
    stanza = status[begin.end() :].partition("\n\n")[0]
    version = _VERSION.search(stanza)
    if "Status: install ok installed" not in stanza:
        return None
    return version[1] if version else None


def _module_version(tree: GuestTree) -> str | None:
    """From the Python package itself, wherever a distribution puts it."""
    for library in ("/usr/lib/python3", "/usr/lib64/python3", "/usr/lib", "/usr/lib64"):
        for path in _version_files(tree, library):
            try:
                match = _MODULE_VERSION.search(tree.read_text(path, 64 << 10))
            except GuestReadError:
                continue
            if match:
                return match[1]
    return None


def _version_files(tree: GuestTree, library: str) -> list[str]:
    if library.endswith("python3"):
        return [f"{library}/dist-packages/cloudinit/version.py"]
    try:
        names = tree.names(library)
    except GuestReadError:
        return []
    pythons = [name for name in names if name.startswith("python3.")]
    return [f"{library}/{name}/site-packages/cloudinit/version.py" for name in pythons]


def _enabled(tree: GuestTree, command_line: str) -> tuple[bool | None, str | None]:
    """Whether it will run, and what prevents it."""
    if tree.exists(DISABLED_FILE):
        return False, DISABLED_FILE
    words = command_line.split()
    if DISABLED_WORD in words and "cloud-init=enabled" not in words:
        return False, DISABLED_WORD
    masked = _masked(tree)
    if masked:
        return False, masked
    return (True, None) if _wanted(tree) else (None, None)


def _masked(tree: GuestTree) -> str | None:
    """systemctl(1): a unit that is a link to /dev/null, or an empty file, never starts."""
    folder = UNIT_FOLDERS[0]
    names = _names(tree, folder)
    for unit in UNITS:
        path = f"{folder}/{unit}"
        if unit in names and (not tree.is_file(path) or tree.size(path) == 0):
            return path
    return None


def _wanted(tree: GuestTree) -> bool:
    """systemd starts it, or one of the older ways does."""
    for folder in UNIT_FOLDERS:
        for name in _names(tree, folder):
            wants = name.endswith(".wants") and _names(tree, f"{folder}/{name}")
            if wants and any(link.startswith("cloud-init") for link in wants):
                return True
    for folder in ("/etc/rc2.d", "/etc/rc3.d", "/etc/rc.d/rc3.d", "/etc/runlevels/default"):
        if any("cloud-init" in name and not name.startswith("K") for name in _names(tree, folder)):
            return True
    # its generator is what adds the target to the boot
    return tree.is_file("/usr/lib/systemd/system-generators/cloud-init-generator")


def _names(tree: GuestTree, folder: str) -> list[str]:
    try:
        return tree.names(folder)
    except NotThere:
        return []


def _datasources(tree: GuestTree) -> tuple[str, ...]:
    """datasource_list of the configuration; later files win."""
    found: tuple[str, ...] = ()
    parts = [f"{CONFIG_FOLDER}/{n}" for n in _names(tree, CONFIG_FOLDER) if n.endswith(".cfg")]
    for path in (CONFIG, *parts):
        try:
            text = tree.read_text(path, MAX_CONFIG)
        except GuestReadError:
            continue
        flow, block = _LIST_FLOW.search(text), _LIST_BLOCK.search(text)
        if flow:
            found = _items(flow[1].split(","))
        elif block:
            found = _items(line.lstrip(" \t-").split("#")[0] for line in block[1].splitlines())
    return found


def _items(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(item for text in texts if (item := text.strip(" \t\n\"'")))
