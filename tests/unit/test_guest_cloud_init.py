"""cloud-init: installed, switched on, and looking where it is told to."""

import pytest

from diskwright.guest.cloud_init import read_cloud_init
from diskwright.model.guest import CloudInit
from support.fake_guest import Broken, Content, Device, Link, tree_of

WANTS = "/etc/systemd/system/cloud-init.target.wants/cloud-init.service"
STATUS = """Package: cloud-guest-utils
Status: install ok installed
Version: 0.33

Package: cloud-init
Status: {}
Priority: optional
Version: {}

Package: zlib1g
Status: install ok installed
Version: 1.2
"""


def read(extra: dict[str, Content], line: str = "") -> CloudInit:
    files: dict[str, Content] = {"/usr/bin/cloud-init": b"#!/usr/bin/python3\n", WANTS: Link("x")}
    return read_cloud_init(tree_of(files | extra), line)


@pytest.mark.parametrize(
    ("version", "expected"),
    [("22.4.2-1+deb12u4", "22.4.2"), ("1:23.1.2-0ubuntu0~22.04.1", "23.1.2"), ("24.1", "24.1")],
)
def test_the_version_is_the_package_s(version: str, expected: str) -> None:
    status = STATUS.format("install ok installed", version)
    assert read({"/var/lib/dpkg/status": status}).version == expected


def test_a_removed_package_and_no_program_is_not_installed() -> None:
    status = STATUS.format("deinstall ok config-files", "22.4.2-1")
    tree = tree_of({"/var/lib/dpkg/status": status, WANTS: Link("x")})
    assert read_cloud_init(tree, "") == CloudInit(installed=False, enabled=None)


def test_without_dpkg_the_program_and_its_module_tell() -> None:
    module = "/usr/lib/python3.9/site-packages/cloudinit/version.py"
    found = read({module: '__VERSION__ = "23.1.1-11.el9"\n', "/var/lib/dpkg/status": Broken()})
    assert (found.installed, found.enabled, found.version) == (True, True, "23.1.1")


@pytest.mark.parametrize(
    ("extra", "line", "disabled_by"),
    [
        ({"/etc/cloud/cloud-init.disabled": ""}, "", "/etc/cloud/cloud-init.disabled"),
        ({}, "root=/dev/sda1 cloud-init=disabled", "cloud-init=disabled"),
        (
            {"/etc/systemd/system/cloud-init.service": Link("/dev/null"), "/dev/null": Device()},
            "",
            "/etc/systemd/system/cloud-init.service",
        ),
        (
            {"/etc/systemd/system/cloud-init.service": Link("/dev/null")},
            "",
            "/etc/systemd/system/cloud-init.service",
        ),
    ],
)
def test_what_switches_it_off_is_named(
    extra: dict[str, Content], line: str, disabled_by: str
) -> None:
    found = read(extra, line)
    assert (found.enabled, found.disabled_by) == (False, disabled_by)


def test_nothing_that_starts_it_is_unknown() -> None:
    assert read_cloud_init(tree_of({"/usr/bin/cloud-init": b""}), "").enabled is None
    generator = "/usr/lib/systemd/system-generators/cloud-init-generator"
    tree = tree_of({"/usr/bin/cloud-init": b"", generator: b""})
    assert read_cloud_init(tree, "").enabled is True


@pytest.mark.parametrize(
    "text",
    [
        "datasource_list: [ ConfigDrive, OpenStack ]\n",
        "datasource_list:\n  - ConfigDrive\n  - OpenStack  # comment\nother: 1\n",
        "datasource_list: ['ConfigDrive',\n  \"OpenStack\"]\n",
    ],
)
def test_datasources_and_the_later_file_wins(text: str) -> None:
    found = read(
        {
            "/etc/cloud/cloud.cfg": "datasource_list: [ Ec2 ]\nusers: [default]\n",
            "/etc/cloud/cloud.cfg.d/90_dpkg.cfg": text,
            "/etc/cloud/cloud.cfg.d/README": "datasource_list: [ None ]",
        }
    )
    assert found.datasources == ("ConfigDrive", "OpenStack")


def test_what_takes_its_place_is_named() -> None:
    tree = tree_of({"/usr/bin/afterburn": b"", "/usr/libexec/ignition-delete-config": b""})
    assert read_cloud_init(tree, "") == CloudInit(
        installed=False, enabled=None, peers=("ignition", "afterburn")
    )
