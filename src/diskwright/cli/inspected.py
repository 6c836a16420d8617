"""What `inspect` tells of a disk. It is imported while the disk is read."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from diskwright.cli.session import Session, path_text
from diskwright.report.deep import Look, deep_text
from diskwright.report.json import inspected_result
from diskwright.report.package import package_text
from diskwright.report.stats import stats_value
from diskwright.report.strip import UNICODE, needed
from diskwright.report.text import disk_label, inspected_text

if TYPE_CHECKING:
    from diskwright.model.outcome import Inspected


def tell(session: Session, image: str, found: Inspected, *, first: bool, stats: bool) -> None:
    """`first`: what is the whole package's is told too."""
    if found.package is not None and first:
        session.say(package_text(found.package, image))
    session.say(inspected_text(found, image))
    if found.deep is not None:
        session.say(deep_text(found, look()))
    result = inspected_result(path_text(image), found, None, with_package=first)
    if stats:
        session.tell_cost(disk_label(image, found.name), found.cost)
        result["stats"] = stats_value(found.cost)
    session.results.append(result)


def look() -> Look:
    """80 columns where there is no terminal and nothing else is said (COLUMNS)."""
    columns = shutil.get_terminal_size((80, 24)).columns
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        needed(UNICODE).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return Look(columns, unicode=False)
    return Look(columns)
