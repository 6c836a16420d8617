"""Whether ufw lets some ports be reached: ufw(8), ufw-framework(8)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import pairwise

from diskwright.guest.settings import covers, setting, text_of
from diskwright.guest.tree import GuestTree

RULES, DEFAULT = "/etc/ufw/user.rules", "/etc/default/ufw"
BEFORE = ("/etc/ufw/before.rules", "/etc/ufw/before6.rules")

_ANYWHERE = frozenset({"0.0.0.0/0", "::/0", "any"})
_ADDING = frozenset({"-A", "-I", "--append", "--insert"})
_PASSING = ("output", "forward", "postrouting")  # chains of what does not come in
_TCP = frozenset({"tcp", "all", "6", "0"})
_OLD = frozenset({"RELATED", "ESTABLISHED", "INVALID"})
_ONWARD = frozenset({"RETURN", "LOG", "ufw-not-local", "ufw-logging-deny", "ufw-logging-allow"})
# As packages have it: what is not for this machine. What is, has returned before
_NOT_LOCAL = ["ufw-not-local", "-j", "DROP"]
_NUMBERS = re.compile(r"[0-9,:]+")

Ports = Collection[int]


def read_ufw(tree: GuestTree, ports: Ports) -> bool | None:
    """By the tuples that ufw itself keeps: `### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in`:
    action, protocol, port, where to, port and address from, direction, then perhaps a comment. The
    first that fits counts; one for `route:` is about what passes through. Raises GuestReadError.
    """
    before = {target for path in BEFORE for target in _before(text_of(tree, path) or "", ports)}
    if before - {"ACCEPT"}:
        return None
    depends = bool(before)
    for line in (text_of(tree, RULES) or "").split("\n"):
        _, mark, said = line.partition("### tuple ###")
        words = [word for word in said.split() if not word.startswith("comment=")]
        if not mark or len(words) < 7 or words[1] not in ("tcp", "any"):
            continue
        if words[0].startswith("route:") or words[-1].startswith("out"):
            continue
        if words[2] != "any" and not covers(words[2], ports, ",", ":"):
            continue
        if {words[3], words[5]} <= _ANYWHERE and (words[4], words[-1]) == ("any", "in"):
            allowed = words[0].startswith(("allow", "limit"))
            return None if depends and not allowed else allowed
        depends = True
    policy = setting(tree, DEFAULT, "DEFAULT_INPUT_POLICY")
    if policy == "ACCEPT":
        return None if depends else True
    return None if depends or not policy else False


def _before(text: str, ports: Ports) -> Iterator[str]:
    """Targets of rules that come before ufw's own and may decide of a new connection to `ports`:
    none of those that packages bring does."""
    for line in text.split("\n"):
        words = line.split()
        if len(words) < 4 or words[0] not in _ADDING or words[1].lower().endswith(_PASSING):
            continue
        said = dict(pairwise(words))
        target = said.get("-j") or said.get("--jump") or said.get("-g") or said.get("--goto") or ""
        if target in _ONWARD or words[1:] == _NOT_LOCAL:
            continue
        if "!" in words or _may_fit(said, ports):
            yield target


def _may_fit(said: dict[str, str], ports: Ports) -> bool:
    protocol = said.get("-p") or said.get("--protocol") or "all"
    states = said.get("--ctstate") or said.get("--state") or ""
    wanted = said.get("--dport") or said.get("--dports") or said.get("--destination-port")
    if protocol not in _TCP or "lo" in (said.get("-i"), said.get("--in-interface")):
        return False
    if (states and set(states.split(",")) <= _OLD) or "--rt-type" in said:
        return False
    named = wanted is None or not _NUMBERS.fullmatch(wanted)  # by /etc/services
    return named or not ports or covers(wanted or "", ports, ",", ":")
