"""Remote Desktop of a Windows: that it is on, and that its firewall lets people in."""

from __future__ import annotations

from diskwright.model.finding import Result, Severity
from diskwright.model.guest import Section
from diskwright.model.windows import WindowsFacts
from diskwright.rules import sources
from diskwright.rules.rule import Case, Outcome, Rule, breaks, holds, unread, unread_section
from diskwright.rules.windows import of_windows

PORT = 3389
PROFILES = frozenset({"domain", "private", "public"})

_TURN_ON = (
    "Set-ItemProperty 'HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server' "
    "-Name fDenyTSConnections -Value 0"
)
_NO_POLICY = (
    "Remove-ItemProperty 'HKLM:\\SOFTWARE\\Policies\\Microsoft\\Windows NT\\Terminal Services' "
    "-Name fDenyTSConnections   # a domain's group policy sets it again"
)
_LET_IN = (
    "Enable-NetFirewallRule -Name RemoteDesktop-UserMode-In-TCP, RemoteDesktop-UserMode-In-UDP"
)
_ALLOW = (_TURN_ON, _LET_IN)
_START = ("Set-Service TermService -StartupType Manual",)


def _remote_desktop(case: Case, windows: WindowsFacts) -> Outcome:
    if windows.remote_desktop is None:
        return unread_section(case, Section.WINDOWS, "whether Remote Desktop is on")
    if not windows.remote_desktop:
        by_policy = windows.remote_desktop_policy is False
        return breaks(
            "Remote Desktop is off" + (" by a group policy" if by_policy else ""),
            ("fDenyTSConnections=1",),
            (*([_NO_POLICY] if by_policy else []), *_ALLOW),
        )
    if windows.remote_desktop_service is False:
        return breaks(
            "Remote Desktop is on, and its service does not start",
            ("TermService: Start=4, or no such service",),
            _START,
        )
    if windows.remote_desktop_service is None:
        return unread_section(case, Section.WINDOWS, "whether Remote Desktop's service starts")
    return _by_firewall(case, windows)


def _by_firewall(case: Case, windows: WindowsFacts) -> Outcome:
    if windows.firewall is None or windows.firewall_by_policy is None:
        return unread_section(case, Section.WINDOWS, "whether the firewall is on")
    if windows.firewall_by_policy:
        return unread("a group policy changes the firewall: whether it lets people in is not known")
    if {profile.name for profile in windows.firewall if not profile.enabled} == PROFILES:
        return holds("Remote Desktop is on, and the firewall is off")
    port = windows.remote_desktop_port
    if windows.remote_desktop_allowed is None or port is None:
        what = "whether the firewall lets people in to Remote Desktop"
        if case.guest.why_unread(Section.WINDOWS):
            return unread_section(case, Section.WINDOWS, what)
        return unread(
            f"{what} can't be told",
            ("its rules are not there, hold for some addresses, programs or profiles, or block",),
        )
    if windows.remote_desktop_allowed:
        return holds("Remote Desktop is on, and the firewall lets people in")
    enabled = [profile.name for profile in windows.firewall if profile.enabled]
    if not enabled:
        return unread("no rule of the firewall lets people in, and whether it is on is not known")
    return breaks(
        "Remote Desktop is on, and the firewall keeps people out",
        (
            f"firewall on: {', '.join(enabled)}",
            f"no active rule lets anybody in at TCP port {port}",
        ),
        _ALLOW if port == PORT else (_TURN_ON, _new_rule(port)),
    )


def _new_rule(port: int | str) -> str:
    return (
        "New-NetFirewallRule -DisplayName 'Remote Desktop' -Direction Inbound -Protocol TCP "
        f"-LocalPort {port} -Action Allow"
    )


RULES = (
    Rule(
        "access.remote-desktop-off",
        "Remote Desktop lets people in",
        "Without it a Windows server is reached by the console of the service alone.",
        sources.PREPARE_WINDOWS,
        of_windows(_remote_desktop),
        Result.WARN,
        Severity.MEDIUM,
        remedy=(*_ALLOW, "# or, as the finding says:", *_START, _NO_POLICY, _new_rule("PORT")),
    ),
)
