"""What a rule is, in words."""

from __future__ import annotations

from diskwright._values import Struct
from diskwright.model.finding import Result, Severity


class RuleText(Struct, frozen=True):
    """`result` is what a breach gives under the profile it was asked for; `remedy` has a command a
    line, for each family of guests under a comment where they differ. A word in capitals stands
    for what only the disk itself tells.
    """

    id: str
    title: str
    why: str
    source: str
    result: Result
    severity: Severity
    for_data: bool
    remedy: tuple[str, ...]
    mends: str = ""  # what the service does about it by itself at the import
    refusal: str = ""  # the error by which it refuses the image
