"""diskwright library prune."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from diskwright.cli.asking import check_terminal, confirmed
from diskwright.cli.images.options import library_options, opened
from diskwright.cli.options import output_option
from diskwright.cli.session import Session

if TYPE_CHECKING:
    from diskwright.model.care import Pruned


@click.command(
    "prune",
    epilog="""\b
Examples:
  diskwright library prune --keep 3 --channel stable --dry-run
  diskwright library prune --keep 3 --channel stable --channel beta --yes""",
)
@click.option("--keep", type=click.IntRange(min=1), required=True, metavar="N", help="The newest.")
@click.option(
    "--channel", "channels", multiple=True, required=True, metavar="NAME", help="Whose versions."
)
@click.option("--dry-run", is_flag=True, help="Say what would be deleted.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@library_options
@output_option
@click.pass_obj
def command(
    session: Session,
    /,
    keep: int,
    channels: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    at: dict[str, Any],
    **s3: Any,
) -> None:
    """Put old versions of a channel into the trash; the N newest stay.

    An old one goes only if one of the N is proven (image prove), and it is neither shared, nor in
    use, nor tagged keep.
    """
    from diskwright.report.library_care import pruned_value

    session.command = "library prune"
    if not (dry_run or yes):
        check_terminal()
    with opened(session, at, s3) as library, session.watched(False) as (_, cancel):
        names = tuple(dict.fromkeys(channels))
        made = [library.prune(name, keep=keep, dry_run=True, cancel=cancel) for name in names]
        if not dry_run and any(one.anything for one in made):
            if not yes:
                confirmed(session, _text(made), "Delete these?")
            made = [library.prune(name, keep=keep, cancel=cancel) for name in names]
    session.say(_text(made))
    session.results += [{"image": None, "pruned": pruned_value(one), "error": None} for one in made]


def _text(made: list[Pruned]) -> str:
    from diskwright.report.library_care import pruned_text

    return "\n".join(map(pruned_text, made))
