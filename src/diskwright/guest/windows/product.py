"""Which Windows is installed: HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion."""

from __future__ import annotations

from diskwright._values import Struct
from diskwright.guest.reading import damaged
from diskwright.guest.windows.hive import Key
from diskwright.model.guest import OsRelease

CLIENT, SERVER = "windows", "windows-server"

_ELEVEN = 22000  # the first build of Windows 11, which names itself Windows 10


class Product(Struct, frozen=True):
    name: str
    edition: str | None
    installation: str | None
    version: str | None
    build: str
    release: str | None


def read_product(software: Key) -> Product:
    """Raises GuestReadError, also where the key names no product."""
    key = software.key("Microsoft\\Windows NT\\CurrentVersion")
    name = key.text("ProductName") if key else None
    build = (key.text("CurrentBuildNumber") or key.text("CurrentBuild")) if key else None
    if key is None or not name or not build:
        raise damaged("the registry names no product and build")
    numbers = key.number("CurrentMajorVersionNumber"), key.number("CurrentMinorVersionNumber")
    version = key.text("CurrentVersion")
    if None not in numbers:
        version = ".".join(map(str, numbers))
    if _number(build) >= _ELEVEN and not _is_server(name):
        name = name.replace("Windows 10", "Windows 11")
    return Product(
        name=name,
        edition=key.text("EditionID"),
        installation=key.text("InstallationType"),
        version=version,
        build=".".join(filter(None, (build, _said(key.number("UBR"))))),
        release=key.text("DisplayVersion") or key.text("ReleaseId"),
    )


def os_of(product: Product, architecture: str | None) -> OsRelease:
    """`version_id` as 10.0.20348; a server and a client of one build are two systems."""
    server = _is_server(product.name) or (product.installation or "").startswith("Server")
    build = product.build.partition(".")[0]
    return OsRelease(
        id=SERVER if server else CLIENT,
        version_id=f"{product.version or '0.0'}.{build}",
        name=product.name,
        codename=product.release,
        architecture=architecture,
    )


def _is_server(name: str) -> bool:
    return "server" in name.lower()


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _said(number: int | None) -> str | None:
    return None if number is None else str(number)
