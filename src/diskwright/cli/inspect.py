"""diskwright inspect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from diskwright.cli.options import image_path, input_options, output_option, progress_option
from diskwright.cli.session import Session, path_text

if TYPE_CHECKING:
    from diskwright.app.inputs import InputOptions


@click.command(
    "inspect",
    short_help="Tell what an image file is and what is installed in it.",
    epilog="""\b
Examples:
  diskwright inspect disk.qcow2
  diskwright inspect --output json *.qcow2 | jq '.results[].facts.guest.os'""",
)
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...", callback=image_path)
@input_options
@progress_option
@output_option
@click.pass_obj
def command(
    session: Session, images: tuple[str, ...], inputs: InputOptions, progress: bool | None
) -> None:
    """Tell what an image file is and what is installed in it, without judging.

    The file is read only, in a confined process; nothing that it names is opened. Of a package
    (OVA) each disk is told, one after the other.
    """
    from diskwright.report.json import inspected_result
    from diskwright.report.package import package_text
    from diskwright.report.text import inspected_text

    session.command = "inspect"
    app = session.open()
    for image in images:
        told = False
        for disk, options in session.disks_of(app, image, inputs):
            with session.reporting(image, disk):
                with session.progress(progress) as bar:
                    found = app.inspect(image, progress=bar, **options)
                if found.package is not None and not told:
                    session.say(package_text(found.package, image))
                session.say(inspected_text(found, image))
                result = inspected_result(path_text(image), found, None, with_package=not told)
                session.results.append(result)
                told = True
