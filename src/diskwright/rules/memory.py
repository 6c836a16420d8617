"""The least memory of a server made from the image."""

from __future__ import annotations

from diskwright.model.finding import Severity
from diskwright.model.units import MIB, format_size
from diskwright.rules import sources
from diskwright.rules.rule import Case, Outcome, Rule, breaks, holds, quoted, unread_minimum


def _minimum(case: Case) -> Outcome:
    given, least = case.min_memory, case.profile.memory_minimum
    if given is not None and given < least:
        return breaks(
            f"--min-memory {format_size(given)} is below the service's {format_size(least)}",
            remedy=(f"# use --min-memory {least // MIB}M",),
            source=case.profile.sources.get("memory_minimum", ""),
        )
    if case.minimum is None:
        return unread_minimum(case, "the system's least memory")
    need, os = case.minimum.memory_bytes, quoted(case.minimum.os)
    if given is None:
        return holds(
            f"{os} asks for {format_size(need)}, the service for {format_size(least)}; say more "
            "with --min-memory",
            (case.minimum.source,),
        )
    if given < need:
        return breaks(
            f"--min-memory {format_size(given)} is below {format_size(need)}, what {os} asks for",
            (case.minimum.source,),
            (f"# use --min-memory {need // MIB}M, or accept it if it was tried",),
        )
    return holds(f"--min-memory {format_size(given)} is enough for {os}", (case.minimum.source,))


RULES = (
    Rule(
        "memory.minimum",
        "The image's least memory is enough for its system",
        "The import writes a least memory into the image, and the service then offers no smaller "
        "server. The figure of the osinfo database is the installer's, so an installed system "
        "may run with less: alone it refuses nothing. A --min-memory below it is a statement "
        "that contradicts the system's maker, and fails until it is accepted.",
        sources.OSINFO,
        _minimum,
        severity=Severity.MEDIUM,
        remedy=(
            "# use --min-memory SIZE of what the system asks for, or accept it if it was tried",
        ),
    ),
)
