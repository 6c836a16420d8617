"""From os-release(5) to the osinfo database: ID and VERSION_ID to its short ids and files.

The database describes install media; nothing in it matches an installed system, so the names are
mapped here. An id that is not in the table is not known: guessing would give another's figures.
"""

from __future__ import annotations

import re
from itertools import islice

from diskwright._values import Struct


class Candidate(Struct, frozen=True):
    """`vendor` is a folder of the database, `stem` the file's name in it without `.xml`."""

    short_id: str
    vendor: str
    stem: str


class _Family(Struct, frozen=True):
    """How a distribution spells itself in the database; `parts` of the version that it counts."""

    vendor: str
    stem: str
    short: str
    parts: int


# os-release ID -> most exact spelling first
_FAMILIES = {
    "debian": (_Family("debian.org", "debian-", "debian", 1),),
    "ubuntu": (_Family("ubuntu.com", "ubuntu-", "ubuntu", 2),),
    "fedora": (_Family("fedoraproject.org", "fedora-", "fedora", 1),),
    "rhel": (
        _Family("redhat.com", "rhel-", "rhel", 2),
        _Family("redhat.com", "rhel-", "rhel", 1),
    ),
    "rocky": (
        _Family("rockylinux.org", "rocky-", "rocky", 2),
        _Family("rockylinux.org", "rocky-", "rocky", 1),
    ),
    "almalinux": (_Family("almalinux.org", "almalinux-", "almalinux", 1),),
    "ol": (_Family("oracle.com", "ol-", "ol", 2),),
    "alpine": (_Family("alpinelinux.org", "alpinelinux-", "alpinelinux", 2),),
    "opensuse-leap": (_Family("opensuse.org", "opensuse-", "opensuse", 2),),
}
# The first build of each, newest first; a server and a client are two systems of one build
_WINDOWS = {
    "windows-server": (
        *((26100, "2k25"), (20348, "2k22"), (17763, "2k19"), (14393, "2k16")),
        *((9600, "2k12r2"), (9200, "2k12"), (7600, "2k8r2")),
    ),
    "windows": ((22000, "11"), (10240, "10"), (9600, "8.1"), (9200, "8"), (7600, "7")),
}
_BUILD = re.compile(r"\d{1,2}\.\d{1,2}\.(\d{4,5})")
_VERSION = re.compile(r"\d{1,4}(?:\.\d{1,4}){0,3}")


def candidates(os_id: str, version: str | None) -> tuple[Candidate, ...]:
    """Most exact first; empty where the id or the form of the version is not known.

    Both come from a guest: only what matches a plain version becomes part of a file name.
    """
    if os_id in _WINDOWS:
        return _windows(os_id, version or "")
    if version is None or not _VERSION.fullmatch(version):
        return ()
    if os_id == "centos":
        return _centos(version)
    if os_id in ("sles", "sled"):
        return _suse(version)
    found = []
    for family in _FAMILIES.get(os_id, ()):
        parts = version.split(".")
        if len(parts) >= family.parts:
            short = ".".join(parts[: family.parts])
            found.append(
                Candidate(f"{family.short}{short}", family.vendor, f"{family.stem}{short}")
            )
    return tuple(found)


def _windows(os_id: str, version: str) -> tuple[Candidate, ...]:
    """`10.0.20348` of a server is `win2k22` in the database."""
    build = _BUILD.fullmatch(version)
    if build is None:
        return ()
    names = (name for first, name in _WINDOWS[os_id] if int(build[1]) >= first)
    return tuple(Candidate(f"win{n}", "microsoft.com", f"win-{n}") for n in islice(names, 1))


def _centos(version: str) -> tuple[Candidate, ...]:
    """From 9 on CentOS is Stream; 8 may be either, and both have one figure."""
    major = version.split(".", maxsplit=1)[0]
    if int(major) >= 8:
        return (Candidate(f"centos-stream{major}", "centos.org", f"centos-stream-{major}"),)
    return (Candidate(f"centos{major}.0", "centos.org", f"centos-{major}.0"),)


def _suse(version: str) -> tuple[Candidate, ...]:
    """`15.4` is `sle15sp4` in the database, and `sles12sp5` before 15."""
    major, _, pack = version.partition(".")
    name = "sle" if int(major) >= 15 else "sles"
    short = f"{name}{major}sp{pack}" if pack else f"{name}{major}"
    return (Candidate(short, "suse.com", f"{name}-{version}"),)
