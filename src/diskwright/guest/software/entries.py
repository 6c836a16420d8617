"""Package databases that are text: dpkg's, deb822 with a field a line, and apk's, a letter a line.

dpkg: deb-control(5), dpkg(1) "Package states"; apk: apk-installed(5).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sized

from diskwright.guest.reading import Unreadable
from diskwright.guest.walking import show
from diskwright.model.examined import InstalledPackage, PackageKind

MAX_PACKAGES = 100_000  # all of Debian is 65,000
MAX_TEXT = 512  # bytes of a name, a version or an architecture

_DPKG_FIELDS = (b"package", b"status", b"version", b"architecture")
_APK_FIELDS = (b"P", b"V", b"A")
# States in which nothing of the package is left but, perhaps, its configuration
_GONE = (b"not-installed", b"config-files")

Stanza = dict[bytes, bytes]


def parse_dpkg(data: bytes, into: dict[tuple[str, str], InstalledPackage]) -> int:
    """Put a status file's packages `into`, by name and architecture, and take out what is gone.

    A later entry counts instead of an earlier one, as in dpkg; without a Status, as in status.d, a
    package is installed. Returns how many entries were left out, as they tell no name or version.
    Raises Unreadable for more packages than there can be.
    """
    left_out = 0
    for stanza in _stanzas(data, _DPKG_FIELDS, lower=True):
        name, version = _text(stanza, b"package"), _text(stanza, b"version")
        architecture = _text(stanza, b"architecture")
        state = stanza.get(b"status", b"").split()[-1:]
        if state and state[0] in _GONE:
            into.pop((name, architecture), None)
        elif name and version:
            found = InstalledPackage(PackageKind.DEB, name, version, architecture)
            into[name, architecture] = found
            check_count(into)
        else:
            left_out += 1
    return left_out


def parse_apk(data: bytes) -> tuple[list[InstalledPackage], int]:
    """The packages, and how many entries were left out. Raises Unreadable as `parse_dpkg`."""
    packages: list[InstalledPackage] = []
    left_out = 0
    for stanza in _stanzas(data, _APK_FIELDS, lower=False):
        name, version = _text(stanza, b"P"), _text(stanza, b"V")
        if name and version:
            architecture = _text(stanza, b"A")
            packages.append(InstalledPackage(PackageKind.APK, name, version, architecture))
            check_count(packages)
        else:
            left_out += 1
    return packages, left_out


def check_count(packages: Sized) -> None:
    if len(packages) > MAX_PACKAGES:
        raise Unreadable("too-large", f"has more than {MAX_PACKAGES} packages")


def text_of(value: bytes) -> str:
    """Empty too for what is longer than any such text."""
    return show(value) if len(value) <= MAX_TEXT else ""


def _stanzas(data: bytes, wanted: tuple[bytes, ...], *, lower: bool) -> Iterator[Stanza]:
    """What is between blank lines, of it the `wanted` fields; the first of a name counts."""
    stanza: Stanza = {}
    blank = True
    for line in io.BytesIO(data):
        if not line.strip():
            if not blank:
                yield stanza
            stanza, blank = {}, True
            continue
        blank = False
        if line[:1] in (b" ", b"\t", b"#"):  # goes on with a field; a comment
            continue
        key, colon, value = line.partition(b":")
        key = key.rstrip().lower() if lower else key
        if colon and key in wanted:
            stanza.setdefault(key, value.strip())
    if not blank:
        yield stanza


def _text(stanza: Stanza, key: bytes) -> str:
    return text_of(stanza.get(key, b""))
