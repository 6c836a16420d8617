"""Remote Desktop of a Windows: what its registry says of who gets in."""

from __future__ import annotations

import pytest

from diskwright.guest.windows.read import SOFTWARE
from diskwright.model.guest import GuestFacts, Section
from diskwright.model.windows import WindowsFacts
from support.fake_guest import Broken
from support.windows_guest import CURRENT, LETS_IN, POLICY, RDP_RULE, RULES, bios, files

SERVER = f"{CURRENT}\\Control\\Terminal Server"
POLICIES = "SOFTWARE\\Policies\\Microsoft"
PLAIN = "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|"


def facts(changes: dict[str, object] | None = None) -> tuple[GuestFacts, WindowsFacts]:
    guest = bios(files(changes))
    assert guest.windows is not None
    return guest, guest.windows


def allowed(*rules: str, changes: dict[str, object] | None = None) -> bool | None:
    named = {f"rule-{number}": rule for number, rule in enumerate(rules)}
    return facts({RULES: named, **(changes or {})})[1].remote_desktop_allowed


@pytest.mark.parametrize(
    ("rule", "lets_in"),
    [
        (LETS_IN, True),
        (PLAIN, True),
        (PLAIN + "App=System|", True),
        (PLAIN + "Profile=Domain|Profile=Private|Profile=Public|", True),
        (PLAIN + "LPort=443|", True),
        (PLAIN.replace("LPort=3389", "LPort2_10=3380-3400"), True),
        (LETS_IN.replace("TRUE", "FALSE"), False),
        (PLAIN.replace("Protocol=6", "Protocol=17"), False),
        (PLAIN.replace("Dir=In", "Dir=Out"), False),
        (PLAIN.replace("3389", "443"), False),
        (PLAIN.replace("3389", "RPC"), False),
        ("v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|App=C:\\x.exe|", False),
        ("v2.30|Action=Allow|Active=TRUE|Dir=In|PFN=S-1-15-2-1|", False),
        (PLAIN + "RA4=LocalSubnet|", None),
        (PLAIN + "RA6=fe80::/64|", None),
        (PLAIN + "LA4=10.0.0.1|", None),
        (PLAIN + "Profile=Domain|", None),
        (PLAIN + "App=C:\\x.exe|", None),
        (PLAIN + "App=%SystemRoot%\\system32\\svchost.exe|Svc=other|", None),
        (PLAIN + "Security=Authenticate|", None),
        (PLAIN.replace("LPort=3389|", ""), None),
        (PLAIN.replace("Protocol=6|LPort=3389|", ""), None),
        (PLAIN.replace("Allow", "Block"), None),
    ],
)
def test_a_rule_lets_people_in_or_not(rule: str, lets_in: bool | None) -> None:
    assert allowed(rule) is lets_in


def test_several_rules_together() -> None:
    assert allowed(PLAIN + "Profile=Domain|Profile=Private|", PLAIN + "Profile=Public|") is True
    assert allowed(PLAIN + "RA4=10.0.0.0/8|", PLAIN) is True
    assert allowed(PLAIN, PLAIN.replace("Allow", "Block") + "RA4=10.0.0.0/8|") is None
    assert allowed(PLAIN, PLAIN.replace("Allow", "Block").replace("TRUE", "FALSE")) is True


def test_a_profile_that_is_off_needs_no_rule() -> None:
    off: dict[str, object] = {
        f"{POLICY}\\{name}\\EnableFirewall": 0 for name in ("DomainProfile", "StandardProfile")
    }
    assert allowed(PLAIN + "Profile=Public|", changes=off) is True
    assert allowed(PLAIN + "Profile=Domain|", changes=off) is False


def test_without_any_rules_nothing_is_known() -> None:
    assert facts({RULES: None})[1].remote_desktop_allowed is None
    assert allowed() is None


def test_the_port_says_for_which_one_a_rule_has_to_be() -> None:
    station: dict[str, object] = {f"{SERVER}\\WinStations\\RDP-Tcp\\PortNumber": 3390}
    assert facts()[1].remote_desktop_port == 3389
    assert facts(station)[1].remote_desktop_port == 3390
    assert allowed(PLAIN, changes=station) is False
    assert allowed(PLAIN.replace("3389", "3390"), changes=station) is True


@pytest.mark.parametrize(("start", "starts"), [(2, True), (3, True), (4, False), ("x", None)])
def test_its_service_starts_unless_it_is_disabled(start: object, starts: bool | None) -> None:
    service = f"{CURRENT}\\Services\\TermService"
    assert facts({f"{service}\\Start": start})[1].remote_desktop_service is starts
    assert facts({service: None})[1].remote_desktop_service is False


@pytest.mark.parametrize("local", [0, 1])
@pytest.mark.parametrize("policy", [0, 1])
def test_a_group_policy_counts_more(local: int, policy: int) -> None:
    place = f"{POLICIES}\\Windows NT\\Terminal Services\\fDenyTSConnections"
    _, found = facts({f"{SERVER}\\fDenyTSConnections": local, place: policy})
    assert (found.remote_desktop, found.remote_desktop_policy) == (not policy, not policy)
    guest = bios({**files(), SOFTWARE: Broken()})
    assert guest.windows is not None
    assert guest.windows.remote_desktop is None  # a policy may say otherwise


def test_a_group_policy_may_change_the_firewall() -> None:
    place = f"{POLICIES}\\WindowsFirewall"
    assert facts()[1].firewall_by_policy is False
    assert (
        facts({f"{place}\\PublicProfile\\AllowLocalPolicyMerge": 1})[1].firewall_by_policy is False
    )
    assert facts({f"{place}\\PublicProfile\\EnableFirewall": 1})[1].firewall_by_policy is True
    assert facts({f"{place}\\FirewallRules\\x": PLAIN})[1].firewall_by_policy is True


@pytest.mark.parametrize(("count", "lets_in"), [(18_000, True), (100_000, None)])
def test_many_rules_cost_no_other_section_its_facts(count: int, lets_in: bool | None) -> None:
    rules: dict[str, object] = {f"r{n}": PLAIN.replace("3389", "80") for n in range(count)}
    guest, found = facts({RULES: {**rules, RDP_RULE: LETS_IN}})
    assert found.remote_desktop_allowed is lets_in
    assert guest.network is not None
    assert guest.network.interfaces
    assert guest.cloud_init is not None
    assert found.fast_startup is False
    assert bool(guest.why_unread(Section.WINDOWS)) is (lets_in is None)
