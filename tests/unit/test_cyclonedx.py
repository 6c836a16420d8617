"""The bill of materials is one by CycloneDX's own schema, whatever the packages are called."""

from __future__ import annotations

import json
import uuid

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given, settings
from hypothesis import strategies as st
from packageurl import PackageURL

from diskwright._values import replace
from diskwright.model.examined import InstalledPackage, PackageKind, Software
from diskwright.model.guest import GuestFacts, OsRelease
from diskwright.model.image import ImageFacts, ImageFormat
from diskwright.model.outcome import Inspected
from diskwright.report.cyclonedx import Maker, sbom
from diskwright.report.purl import package_url

DEBIAN = OsRelease("debian", "12", "Debian GNU/Linux 12 (bookworm)")
ROCKY = OsRelease("rocky", "9.3", None)
BASH = InstalledPackage(PackageKind.DEB, "bash", "5.2.15-2+b7", "amd64")
SHADOW = InstalledPackage(PackageKind.RPM, "Shadow-Utils", "4.9-8.el9", "x86_64", 2)
MUSL = InstalledPackage(PackageKind.APK, "musl", "1.2.4-r2", "x86_64")
MAKER = Maker("0.1.0", "2024-05-01T12:00:00Z", bytes(range(16)))
VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)


def inspected(system: OsRelease | None = DEBIAN, *, name: str = "") -> Inspected:
    image = ImageFacts(ImageFormat.QCOW2, 1 << 30, 1 << 20, 1 << 30)
    return Inspected("/some/where/a\udcff.qcow2", image, GuestFacts(os=system), name=name)


def bill(software: Software, system: OsRelease | None = DEBIAN, **kept: str) -> dict:
    text = sbom(inspected(system, **kept), software, MAKER)
    problem = VALIDATOR.validate_str(text)
    assert problem is None, str(problem)[:2000]
    return json.loads(text)


def test_a_package_is_named_by_its_url() -> None:
    urls = [package_url(BASH, DEBIAN), package_url(SHADOW, ROCKY), package_url(MUSL, None)]
    assert urls == [
        "pkg:deb/debian/bash@5.2.15-2%2Bb7?arch=amd64&distro=debian-12",
        "pkg:rpm/rocky/Shadow-Utils@4.9-8.el9?arch=x86_64&distro=rocky-9.3&epoch=2",
        "pkg:apk/musl@1.2.4-r2?arch=x86_64",
    ]
    assert package_url(SHADOW, OsRelease("rhel", "9", None)).startswith("pkg:rpm/redhat/")
    assert package_url(MUSL, OsRelease("arch", None, None)).endswith("&distro=arch")


PACKAGES = st.builds(
    InstalledPackage,
    st.sampled_from(PackageKind),
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20),
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20),
    st.text("abc_64+:/?&=%@# é\\\x1b", max_size=8),
    st.none() | st.integers(0, 2**32 - 1),
)


@given(PACKAGES)
def test_urls_are_read_back_by_the_specifications_own_reader(package: InstalledPackage) -> None:
    """Which strips white space, as the readers of databases do."""
    package = replace(
        package,
        name=f"x{package.name.strip('/')}x",
        version=f"1{package.version}1",
        architecture=f"x{package.architecture}x",
    )
    read = PackageURL.from_string(package_url(package, DEBIAN))
    assert (read.type, read.namespace) == (package.kind.value, "debian")
    assert read.name.lower() == package.name.lower()
    assert read.version == package.version
    assert read.qualifiers["arch"] == package.architecture
    assert read.qualifiers["distro"] == "debian-12"


@settings(max_examples=30, deadline=None)
@given(st.lists(PACKAGES, max_size=5).map(tuple), st.lists(st.text(max_size=9), max_size=2))
def test_it_holds_by_the_schema_whatever_the_guest_says(packages, unread) -> None:
    bill(Software(packages, ("/var/lib/dpkg/status",), tuple(unread)))


def test_what_is_in_it() -> None:
    found = bill(Software((BASH, SHADOW, BASH), ("/var/lib/dpkg/status",)), name="disk1")
    assert (found["bomFormat"], found["specVersion"], found["version"]) == ("CycloneDX", "1.6", 1)
    assert uuid.UUID(found["serialNumber"].removeprefix("urn:uuid:")).version == 4
    about = found["metadata"]
    assert about["timestamp"] == MAKER.made
    assert about["tools"]["components"] == [
        {"type": "application", "name": "diskwright", "version": "0.1.0"}
    ]
    assert (about["component"]["type"], about["component"]["name"]) == ("file", "a\\udcff.qcow2")
    assert {"name": "diskwright:disk", "value": "disk1"} in about["component"]["properties"]
    system, bash, shadow = found["components"]
    assert (system["type"], system["name"], system["version"]) == (
        "operating-system",
        "debian",
        "12",
    )
    assert (bash["type"], bash["name"], bash["version"]) == ("library", "bash", "5.2.15-2+b7")
    assert bash["purl"] == bash["bom-ref"] == package_url(BASH, DEBIAN)
    assert shadow["version"] == "2:4.9-8.el9"
    assert "compositions" not in found


def test_what_was_not_read_is_told_in_it() -> None:
    found = bill(Software((BASH,), ("/var/lib/dpkg/status",), ("one entry",)), None)
    assert found["compositions"] == [{"aggregate": "incomplete", "assemblies": ["image"]}]
    said = {(p["name"], p["value"]) for p in found["metadata"]["properties"]}
    assert ("diskwright:not-read", "one entry") in said
    assert [c["type"] for c in found["components"]] == ["library"]


def test_the_same_image_gives_the_same_bytes() -> None:
    software = Software((BASH, MUSL))
    assert sbom(inspected(), software, MAKER) == sbom(inspected(), software, MAKER)
