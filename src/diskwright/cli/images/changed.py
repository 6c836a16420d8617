"""How a change of an image is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diskwright.cli.session import Session

if TYPE_CHECKING:
    from diskwright.errors import DiskwrightError
    from diskwright.model.library import Changed


def tell_change(session: Session, image: str, made: Changed) -> None:
    """What it was, and what it is now; with a dry run what it would become."""
    from diskwright.report.library import entry_value
    from diskwright.report.library_made import changed_text

    session.say(changed_text(made))
    session.results.append(
        {
            "image": image,
            "changed": made.what,
            "dry_run": made.dry_run,
            "entry": entry_value(made.entry),
            "error": None,
        }
    )


def tell_failure(session: Session, image: str, error: DiskwrightError) -> None:
    """Of one of several; the others go on."""
    from diskwright.report.json import error_of

    session.show(error)
    session.failures.append(error)
    session.results.append({"image": image, "error": error_of(error)})
