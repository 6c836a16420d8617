"""Package URLs of installed packages, as purl's types deb, rpm and apk say."""

from __future__ import annotations

from urllib.parse import quote

from diskwright.model.examined import InstalledPackage, PackageKind
from diskwright.model.guest import OsRelease

# Whose packages they are, where os-release calls the system otherwise than purls do
_VENDORS = {"rhel": "redhat"}


def package_url(package: InstalledPackage, system: OsRelease | None) -> str:
    """Without a `system` it names no vendor and no distribution: none is guessed."""
    name = package.name if package.kind is PackageKind.RPM else package.name.lower()
    vendor = f"{_quoted(_VENDORS.get(system.id, system.id).lower())}/" if system else ""
    said = {
        "arch": package.architecture,
        "distro": distribution(system) if system else "",
        "epoch": str(package.epoch) if package.epoch is not None else "",
    }
    qualifiers = "&".join(f"{key}={_quoted(value)}" for key, value in said.items() if value)
    url = f"pkg:{package.kind}/{vendor}{_quoted(name)}@{_quoted(package.version)}"
    return f"{url}?{qualifiers}" if qualifiers else url


def distribution(system: OsRelease) -> str:
    """`debian-12`; of a rolling one its name alone."""
    return f"{system.id}-{system.version_id}" if system.version_id else system.id


def _quoted(text: str) -> str:
    """A colon stands for itself in a purl's parts; lone surrogates can't be there."""
    return quote(text, safe=":")
