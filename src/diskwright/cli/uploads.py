"""diskwright uploads …"""

from __future__ import annotations

import re
from typing import Any

import click

from diskwright.cli.asking import check_terminal, confirmed
from diskwright.cli.options import not_empty, output_option, s3_options
from diskwright.cli.session import Session
from diskwright.errors import UsageError

_SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


class AgeType(click.ParamType[int]):
    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = re.fullmatch(r"([0-9]{1,6})([mhdw])", str(value).strip().lower())
        if match is None:
            self.fail(f"not an age: {value!r} (use 30m, 12h, 7d or 2w)", param, ctx)
        return int(match[1]) * _SECONDS[match[2]]


_to = click.option(
    "--to",
    metavar="TARGET",
    callback=not_empty,
    help="s3://BUCKET[/PREFIX] or dir:PATH (default: what the settings say).",
)


@click.group("uploads", short_help="List and abort uploads that were left open.")
def command() -> None:
    """Uploads that were begun at a target and neither completed nor aborted.

    They cost storage and no listing of objects shows them. A run of diskwright ends its own, also
    when it fails; one that was killed is cleaned up by the next run to the same target.
    """


@command.command(
    "list",
    short_help="List open uploads, and whose they are.",
    epilog="""\b
Examples:
  diskwright uploads list --to s3://images/web
  diskwright uploads list --to dir:/srv/images --output json""",
)
@_to
@s3_options
@output_option
@click.pass_obj
def list_command(session: Session, /, to: str | None, **s3: str | None) -> None:
    """List the open uploads at a target: since when, which object, and whose they are."""
    from diskwright.report.json import made_result
    from diskwright.report.uploads import listed_uploads_text

    session.command = "uploads list"
    app = session.open(s3=s3)
    with session.watched(False) as (_, cancel):
        found = app.uploads(to=to, cancel=cancel)
    session.say(listed_uploads_text(found))
    session.results.append(made_result(None, found))


@command.command(
    "abort",
    short_help="Abort those of dead runs, or of an image, a key, an age.",
    epilog="""\b
Examples:
  diskwright uploads abort --to s3://images/web
  diskwright uploads abort --to s3://images/web --older-than 7d --dry-run
  diskwright uploads abort --to s3://images/web --key images/…/web-0.qcow2 --yes""",
)
@_to
@click.option("--dead", is_flag=True, help="Those of dead runs of this machine (the default).")
@click.option("--image", metavar="ID", callback=not_empty, help="Those of one image id.")
@click.option("--key", metavar="KEY", callback=not_empty, help="Those of one object key.")
@click.option(
    "--older-than", type=AgeType(), metavar="AGE", help="Whoever's, if begun so long ago: 7d, 12h."
)
@click.option("--dry-run", is_flag=True, help="Say what would be aborted.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@s3_options
@output_option
@click.pass_obj
def abort_command(
    session: Session,
    /,
    to: str | None,
    dead: bool,
    image: str | None,
    key: str | None,
    older_than: int | None,
    dry_run: bool,
    yes: bool,
    **s3: str | None,
) -> None:
    """Abort open uploads. What was sent of them is gone; a finished image is never touched.

    A dead run is cleaned up whole, its objects too, unless it turns out to have finished. An upload
    of a run that goes on here is never aborted.
    """
    from diskwright.report.json import made_result
    from diskwright.report.uploads import aborted_uploads_text

    session.command = "uploads abort"
    if dead and (image or key or older_than is not None):
        raise UsageError("choose in one way", "--dead, --image ID, --key KEY or --older-than AGE")
    app = session.open(s3=s3)
    choice: dict[str, Any] = {"to": to, "image": image, "key": key, "older_than_s": older_than}
    if not (dry_run or yes):
        check_terminal()
    with session.watched(False) as (_, cancel):
        made = app.abort_uploads(**choice, dry_run=True, cancel=cancel)
        if not dry_run and (made.aborted or made.cleaned):
            if not yes:
                confirmed(session, aborted_uploads_text(made), "Abort them?")
            made = app.abort_uploads(**choice, cancel=cancel)
    session.say(aborted_uploads_text(made))
    session.results.append(made_result(None, made))
