"""diskwright inspect."""

from __future__ import annotations

import click

from diskwright.cli.options import input_format_option, output_option
from diskwright.cli.session import Session, path_text
from diskwright.errors import Cancelled, DiskwrightError
from diskwright.model.image import ImageFormat


@click.command(
    "inspect",
    short_help="Tell what an image file is and what is installed in it.",
    epilog="""\b
Examples:
  diskwright inspect disk.qcow2
  diskwright inspect --output json *.qcow2 | jq '.results[].facts.guest.os'""",
)
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@input_format_option
@output_option
@click.pass_obj
def command(session: Session, images: tuple[str, ...], input_format: ImageFormat | None) -> None:
    """Tell what an image file is and what is installed in it, without judging.

    The file is read only, in a confined process; nothing that it names is opened.
    """
    from diskwright.report.json import error_of, inspected_result
    from diskwright.report.text import inspected_text

    session.command = "inspect"
    with session.open() as app:
        for image in images:
            try:
                found = app.inspect(image, input_format=input_format)
            except Cancelled:
                raise
            except DiskwrightError as error:
                if len(images) == 1 and session.output != "json":
                    raise
                session.fail(error)
                session.results.append(inspected_result(image, None, error_of(error)))
                continue
            session.say(inspected_text(found, path_text(image)))
            session.results.append(inspected_result(image, found, None))
