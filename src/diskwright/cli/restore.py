"""diskwright restore."""

from __future__ import annotations

import click

from diskwright.cli.convert import FORMATS, format_of_ending
from diskwright.cli.options import image_path, not_empty, output_option, progress_option, s3_options
from diskwright.cli.session import Session, path_text
from diskwright.errors import UsageError
from diskwright.model.image import ImageFormat


@click.command(
    "restore",
    short_help="Fetch an image that was prepared, verified, to a file or another place.",
    epilog="""\b
Examples:
  diskwright restore s3://images/web restored.qcow2
  diskwright restore dir:/srv/images --image web restored.raw -O raw
  diskwright restore s3://images/web --image web --key local:kek.json restored.qcow2
  diskwright restore s3://vault/web --key local:kek.json --to s3://images/web""",
)
@click.argument("source", metavar="TARGET")
@click.argument("out", required=False, metavar="[OUT]", callback=image_path)
@click.option(
    "--image", metavar="ID|NAME", callback=not_empty, help="Which image, if there are several."
)
@click.option(
    "--disk",
    type=click.IntRange(min=1),
    metavar="NUMBER",
    help="Which disk of an image with several, from 1.",
)
@click.option(
    "--key",
    metavar="KEY",
    callback=not_empty,
    help="The key of a sealed image, as for prepare; with a key no other image is taken.",
)
@click.option(
    "-O",
    "--output-format",
    type=click.Choice(FORMATS),
    help="Another format than the stored one; it is staged beside OUT for a while.",
)
@click.option(
    "--to", metavar="TARGET", callback=not_empty, help="Open it into an import-ready object there."
)
@click.option("--verify", is_flag=True, help="Read OUT back as a disk and compare its digest.")
@click.option("--force", is_flag=True, help="Overwrite OUT if it exists.")
@s3_options
@progress_option
@output_option
@click.pass_obj
def command(
    session: Session,
    source: str,
    out: str | None,
    image: str | None,
    disk: int | None,
    key: str | None,
    output_format: str | None,
    to: str | None,
    verify: bool,
    force: bool,
    endpoint_url: str | None,
    region: str | None,
    addressing_style: str | None,
    progress: bool | None,
) -> None:
    """Fetch an image from TARGET (s3://BUCKET[/PREFIX] or dir:PATH) into the file OUT.

    Every part is verified against the manifest, and a sealed image against its key, before OUT
    appears under its name.
    """
    from diskwright.report.import_request import data_requests, import_request
    from diskwright.report.json import made_result
    from diskwright.report.outcome import reopened_text, restored_text

    session.command = "restore"
    if (out is None) == (to is None):
        raise UsageError("give either OUT or --to TARGET", "see diskwright restore --help")
    s3 = {"endpoint_url": endpoint_url, "region": region, "addressing_style": addressing_style}
    app = session.open(key=key, s3=s3)
    with session.watched(progress) as (bar, cancel):
        if to is not None:
            if output_format or verify or force:
                raise UsageError(
                    "--to keeps the stored format", "leave -O, --verify and --force out"
                )
            if disk is not None:
                raise UsageError("--to opens every disk of an image", "leave --disk out")
            opened = app.reopen(source, to, image=image, progress=bar, cancel=cancel)
            service = app.service_of_shipped(opened.profile)
            request, further = import_request(opened, service), data_requests(opened, service)
            session.say(reopened_text(opened, request, further))
            session.results.append(made_result(source, opened, request, further))
            return
        assert out is not None
        made = app.restore(
            source,
            out,
            image=image,
            disk=disk,
            output_format=ImageFormat(output_format) if output_format else None,
            verify=verify,
            force=force,
            progress=bar,
            cancel=cancel,
        )
    session.say(restored_text(made))
    promised = format_of_ending(out)
    if promised is not None and promised.value != made.format:
        click.echo(
            f"diskwright: note: {path_text(out)} holds {made.format}, the stored format; "
            f"-O {promised.value} converts it",
            err=True,
        )
    session.results.append(made_result(source, made))
