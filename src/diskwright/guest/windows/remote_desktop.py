"""Whether Remote Desktop lets people in: its settings, its service, and the firewall's rules.

Rules as [MS-GPFAS] 2.2.2 spells them: fields between bars, of which Profile and LPort may come
several times. Without a Protocol, an LPort or a Profile a rule holds for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from diskwright._values import Struct
from diskwright.guest.windows.hive import Key
from diskwright.model.windows import FirewallProfile

MAX_RULE_STEPS = 200_000  # of the firewall's rules alone: 18,000 cost about 100,000
PORT = 3389

_SERVER = "Control\\Terminal Server"
_SERVER_POLICY = "Policies\\Microsoft\\Windows NT\\Terminal Services"
_DENIED = "fDenyTSConnections"
_DISABLED = 4
_POLICY = "Services\\SharedAccess\\Parameters\\FirewallPolicy"
_GROUP_POLICY = "Policies\\Microsoft\\WindowsFirewall"
_PROFILES = {"domain": "DomainProfile", "private": "StandardProfile", "public": "PublicProfile"}
_TCP, _ANY = "6", "256"
_PROGRAMS = frozenset(
    {"system", "%systemroot%\\system32\\svchost.exe", "c:\\windows\\system32\\svchost.exe"}
)
# Fields that do not keep anybody from coming in; all others may
_HARMLESS = frozenset(
    (
        *("active", "action", "dir", "protocol", "lport", "lport2_10", "profile", "app", "svc"),
        *("name", "desc", "embedctxt", "edge", "defer"),
    )
)


def read_remote_desktop(control_set: Key) -> bool | None:
    return _allowed(control_set.key(_SERVER))


def read_policy(software: Key) -> bool | None:
    """What a group policy says, which counts more; None where there is none."""
    return _allowed(software.key(_SERVER_POLICY))


def _allowed(key: Key | None) -> bool | None:
    denied = key.number(_DENIED) if key else None
    return None if denied is None else denied == 0


def read_port(control_set: Key) -> int:
    station = control_set.key(f"{_SERVER}\\WinStations\\RDP-Tcp")
    port = station.number("PortNumber") if station else None
    return PORT if port is None else port


def read_service_starts(control_set: Key) -> bool | None:
    """Whether its service is there and not disabled; the system starts it when it is wanted."""
    services = control_set.key("Services")
    if services is None:
        return None
    service = services.key("TermService")
    if service is None:
        return False
    start = service.number("Start")
    return None if start is None else start < _DISABLED


def read_firewall(control_set: Key) -> tuple[FirewallProfile, ...]:
    policy = control_set.key(_POLICY)
    found = []
    for name, spelled in _PROFILES.items():
        profile = policy.key(spelled) if policy else None
        enabled = profile.number("EnableFirewall") if profile else None
        if enabled is not None:
            found.append(FirewallProfile(name, enabled != 0))
    return tuple(found)


def read_firewall_by_policy(software: Key) -> bool:
    """Whether a group policy turns the firewall on or off, or adds rules."""
    policy = software.key(_GROUP_POLICY)
    if policy is None:
        return False
    rules = policy.key("FirewallRules")
    profiles = (key for name, key in policy.keys().items() if name.endswith("profile"))
    return bool(rules and rules.values()) or any(key.has("EnableFirewall") for key in profiles)


def read_allowed(control_set: Key) -> bool | None:
    """Whether the active rules let Remote Desktop in wherever the firewall may be on.

    None where they may, or may not: by a rule for some addresses, programs or profiles only, with
    one that blocks, and without any rules. A Windows always has rules, of which most are not
    active: a registry without their key is none that its firewall left, and says nothing.
    """
    with control_set.hive.apart(MAX_RULE_STEPS):
        off = {profile.name for profile in read_firewall(control_set) if not profile.enabled}
        port = read_port(control_set)
        rules = control_set.key(f"{_POLICY}\\FirewallRules")
        if rules is None or not rules.values():
            return None
        texts = (rules.text(name) for name in rules.values())
        return _judged([rule for text in texts if text for rule in _rules(text, port)], off)


class _Rule(Struct, frozen=True):
    """An active one that may be about Remote Desktop. `whole`: it surely is, for anybody."""

    allows: bool
    whole: bool
    profiles: frozenset[str]


def _judged(rules: Iterable[_Rule], off: set[str]) -> bool | None:
    rules = tuple(rule for rule in rules if rule.profiles - off)
    if not rules:
        return False
    if not all(rule.allows for rule in rules):
        return None
    let_in = {profile for rule in rules if rule.whole for profile in rule.profiles}
    return True if let_in | off >= _PROFILES.keys() else None


def _rules(text: str, port: int) -> Iterator[_Rule]:
    """The one rule of `text`, unless it is about something else."""
    parts = [part.partition("=") for part in text.lower().split("|")]
    fields = [(name, value) for name, equals, value in parts if equals]
    one = dict(fields)
    if (one.get("active"), one.get("dir")) != ("true", "in"):
        return
    protocol = one.get("protocol")
    ports = [value for name, value in fields if name.startswith("lport")]
    if protocol not in (_TCP, _ANY, None) or (
        ports and not any(_has(value, port) for value in ports)
    ):
        return
    is_service = _is_service(one)
    harmless = is_service and all(name in _HARMLESS for name, _ in fields)
    if not ports and not is_service:
        return  # another program's
    whole = harmless and protocol == _TCP and bool(ports)
    named = frozenset(value for name, value in fields if name == "profile")
    profiles = named & _PROFILES.keys() or frozenset(_PROFILES)
    yield _Rule(one.get("action") == "allow", whole, profiles)


def _is_service(fields: dict[str, str]) -> bool:
    """Whether a rule holds for Remote Desktop's program: a service of svchost.exe."""
    app, service = fields.get("app", "system"), fields.get("svc", "*")
    package = any(name in fields for name in ("pfn", "apppkgid"))
    return app in _PROGRAMS and service in ("*", "termservice") and not package


def _has(value: str, port: int) -> bool:
    """A port, or a range of them; what is a word (RPC, Teredo) is another's."""
    first, _, last = value.partition("-")
    last = last or first
    if not all(text.isascii() and text.isdigit() and len(text) < 7 for text in (first, last)):
        return False
    return int(first) <= port <= int(last)
