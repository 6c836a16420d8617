"""Cloudbase-Init: whether it is there, and whether it runs at a server's first start."""

from __future__ import annotations

import pytest

from diskwright._values import replace
from diskwright.guest.windows.cloudbase import SCRIPT
from diskwright.model.finding import Result
from diskwright.model.guest import CloudInit
from diskwright.model.network import AddressMethod
from diskwright.rules import judge
from support.fake_guest import Broken, Content
from support.good_facts import IMAGE, MINIMUM, PROFILE, WINDOWS_BIOS
from support.windows_guest import CURRENT, bios, files

SERVICE = f"{CURRENT}\\Services\\cloudbase-init"
STARTS_IT = "@echo off\r\nsc config cloudbase-init start= auto\r\nnet start cloudbase-init\r\n"


def read(changes: dict[str, object], script: Content | None = None) -> CloudInit:
    content = files(changes)
    guest = bios(content if script is None else {**content, SCRIPT: script})
    assert guest.cloud_init is not None
    return guest.cloud_init


def test_it_is_missing() -> None:
    assert read({SERVICE: None}) == CloudInit(installed=False, enabled=None)


@pytest.mark.parametrize(
    ("start", "script", "enabled"),
    [
        (2, None, True),
        (2, STARTS_IT, True),
        (3, None, None),
        (3, STARTS_IT, True),
        (3, "rem net start cloudbase-init\r\n", None),
        (3, "net stop cloudbase-init\r\n", None),
        (3, "net start other\r\n", None),
        (3, 'powershell -c "Start-Service -Name cloudbase-init"\r\n', True),
        (3, 'cd x && net start "cloudbase-init"', True),
        (3, "start-service " * 70_000 + "\n" + "net " + " " * 100_000, None),
        (3, "SC.EXE START Cloudbase-Init\r\n", True),
        (3, Broken(), None),
        (4, None, False),
        (4, "net start other\r\n", False),
        (4, STARTS_IT, None),
        (4, Broken(), None),
        ("x", None, None),
    ],
)
def test_it_runs_by_itself_or_by_the_script_that_ends_a_setup(
    start: object, script: Content | None, enabled: bool | None
) -> None:
    found = read({f"{SERVICE}\\Start": start}, script)
    assert (found.installed, found.enabled) == (True, enabled)
    by = found.disabled_by
    assert (by is not None and by.endswith("cloudbase-init: Start=4")) is (enabled is False)


def test_that_nobody_knows_whether_it_runs_is_no_fault_of_the_network() -> None:
    network = WINDOWS_BIOS.network
    assert network is not None
    off = replace(network.interfaces[0], method=AddressMethod.NONE)
    for enabled, result in ((True, Result.PASS), (None, Result.UNKNOWN), (False, Result.FAIL)):
        guest = replace(
            WINDOWS_BIOS,
            network=replace(network, interfaces=(off,)),
            cloud_init=CloudInit(True, enabled),
        )
        findings = judge(IMAGE, guest, PROFILE, minimum=MINIMUM).findings
        assert {f.id: f.result for f in findings}["network.dhcp"] is result
