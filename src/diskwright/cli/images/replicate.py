"""diskwright image replicate."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.options import image_argument, library_names, library_options, opened
from diskwright.cli.options import not_empty, output_option, progress_option
from diskwright.cli.session import Session


@click.command(
    "replicate",
    short_help="Make a new image of one, here or in another library.",
    epilog="""\b
Examples:
  diskwright image replicate web --name web-copy
  diskwright image replicate web --name web --to-library far
  diskwright image replicate web --name web-sealed --encrypt local:kek.json
  diskwright image replicate web-sealed --name web --decrypt --key local:kek.json
  diskwright image replicate web --name web-quick --quick
  diskwright image replicate web-2 --name web-2-whole --whole""",
)
@image_argument
@click.option("--name", metavar="NAME", required=True, callback=not_empty, help="Of the new image.")
@click.option(
    "--encrypt", metavar="KEY", callback=not_empty, help="Seal it for this key, as local:kek.json."
)
@click.option("--decrypt", is_flag=True, help="Open it: the new image is plain.")
@click.option(
    "--to-library",
    metavar="NAME|URL",
    callback=not_empty,
    shell_complete=library_names,
    help="Another library (default: the same).",
)
@click.option("--quick", is_flag=True, help="A form from which servers start at once.")
@click.option("--whole", is_flag=True, help="It rests on no other image, whatever IMAGE does.")
@click.option("--allow-duplicate", is_flag=True, help="The name may be another image's too.")
@click.option("--dry-run", is_flag=True, help="Say what would be made.")
@library_options
@progress_option
@output_option
@click.pass_obj
def command(
    session: Session,
    /,
    image: str,
    name: str,
    encrypt: str | None,
    decrypt: bool,
    to_library: str | None,
    quick: bool,
    whole: bool,
    allow_duplicate: bool,
    dry_run: bool,
    at: dict[str, Any],
    progress: bool | None,
    **s3: Any,
) -> None:
    """Make a new image of what IMAGE is now, with data of its own.

    What stays as it is, is copied by the store itself where it can. Of one made with --base the new
    one rests on the same base; sealed, quick, in another library or with --whole on none.

    A sealed image is sealed anew for --key unless --encrypt names another, or --decrypt opens it.
    Deleted at the same time as it is replicated, one of the two wins.
    """
    from diskwright.report.library import entry_value
    from diskwright.report.library_copies import replica_text

    session.command = "image replicate"
    with (
        opened(session, at, s3) as library,
        session.watched(progress) as (bar, cancel),
    ):
        made = library.replicate(
            image,
            name,
            encrypt=encrypt,
            decrypt=decrypt,
            quick=quick,
            whole=whole,
            to_library=to_library,
            allow_duplicate=allow_duplicate,
            dry_run=dry_run,
            progress=bar,
            cancel=cancel,
        )
    session.say(replica_text(made))
    session.results.append(
        {
            "image": image,
            "library": made.library,
            "ways": list(made.ways),
            "dry_run": made.dry_run,
            "entry": entry_value(made.entry),
            "error": None,
        }
    )
