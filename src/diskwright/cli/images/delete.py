"""diskwright image delete."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from diskwright.cli.asking import check_terminal, confirmed
from diskwright.cli.images.changed import tell_change, tell_failure
from diskwright.cli.images.options import images_argument, library_options, opened
from diskwright.cli.options import not_empty, output_option
from diskwright.cli.session import Session, path_text
from diskwright.errors import Cancelled, DiskwrightError

if TYPE_CHECKING:
    from diskwright.app.library import Library
    from diskwright.model.library import Changed, Entry
    from diskwright.ports import CancelToken


@click.command(
    "delete",
    epilog="""\b
Examples:
  diskwright image delete web --dry-run
  diskwright image delete web-1 web-2 --yes --reason "superseded"
  diskwright image undelete web""",
)
@images_argument
@click.option("--reason", metavar="TEXT", callback=not_empty, help="Why; the history keeps it.")
@click.option("--dry-run", is_flag=True, help="Say what would be deleted.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@library_options
@output_option
@click.pass_obj
def command(
    session: Session,
    /,
    images: tuple[str, ...],
    reason: str | None,
    dry_run: bool,
    yes: bool,
    at: dict[str, Any],
    **s3: Any,
) -> None:
    """Put each IMAGE into the trash: library gc removes it from there, undelete takes it back.

    Servers and volumes that were made of it live on. One that a server stands on by an overlay is
    not deleted. One that can't be deleted does not keep the others.
    """
    session.command = "image delete"
    if not (dry_run or yes):
        check_terminal()
    with opened(session, at, s3) as library, session.watched(False) as (_, cancel):
        given = dict.fromkeys(images)  # one that is named twice is deleted once
        planned = {image: _planned(session, library, image, reason, cancel) for image in given}
        found = {image: made for image, made in planned.items() if made is not None}
        _warn(made.entry for made in found.values())
        if found and not (dry_run or yes):
            confirmed(session, "\n".join(_line(one.entry) for one in found.values()), "Delete?")
        for image, made in found.items():
            if dry_run:
                tell_change(session, image, made)
                continue
            try:
                after = library.delete(made.entry.id, reason=reason or "", cancel=cancel)
            except Cancelled:
                raise
            except DiskwrightError as error:
                tell_failure(session, image, error)
            else:
                tell_change(session, image, after)


def _planned(
    session: Session, library: Library, image: str, reason: str | None, cancel: CancelToken
) -> Changed | None:
    try:
        return library.delete(image, reason=reason or "", dry_run=True, cancel=cancel)
    except Cancelled:
        raise
    except DiskwrightError as error:
        tell_failure(session, image, error)
        return None


def _warn(entries: Iterable[Entry]) -> None:
    for entry in entries:
        if entry.members:
            who = ", ".join(one.name or one.account for one in entry.members)
            line = f"diskwright: warning: image {entry.id} is shared with {who}: they lose it"
            click.echo(path_text(line), err=True)


def _line(entry: Entry) -> str:
    return path_text(f"image {entry.name or 'sealed'} ({entry.id}, {entry.created})")
