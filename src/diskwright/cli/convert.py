"""diskwright convert."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from diskwright.cli.options import (
    image_path,
    input_options,
    output_option,
    progress_option,
)
from diskwright.cli.session import Session, path_text
from diskwright.model.image import ImageFormat

FORMATS = ["raw", "qcow2", "vmdk", "vhd", "vhdx", "vdi", "qed"]

if TYPE_CHECKING:
    from diskwright.app.inputs import InputOptions


@click.command(
    "convert",
    short_help="Convert an image file to another format, in one pass.",
    epilog="""\b
Examples:
  diskwright convert disk.raw disk.qcow2 --compress
  diskwright convert disk.qcow2 disk.raw -O raw --verify
  diskwright convert disk.qcow2 disk.vhdx -O vhdx""",
)
@click.argument("source", metavar="IN", callback=image_path)
@click.argument("target", metavar="OUT", callback=image_path)
@click.option(
    "-O",
    "--output-format",
    type=click.Choice(FORMATS),
    help="Format of OUT (default: by its ending, else qcow2).",
)
@click.option("-c", "--compress", is_flag=True, help="Compress (qcow2).")
@click.option("--verify", is_flag=True, help="Read OUT back and compare before it takes its name.")
@click.option("--force", is_flag=True, help="Overwrite OUT if it exists.")
@input_options
@progress_option
@output_option
@click.pass_obj
def command(
    session: Session,
    source: str,
    target: str,
    output_format: str | None,
    compress: bool,
    verify: bool,
    force: bool,
    inputs: InputOptions,
    progress: bool | None,
) -> None:
    """Convert the image file IN to OUT.

    OUT appears under its name when it is whole, or not at all. raw and qcow2 are written in one
    forward pass by diskwright itself, the others by a confined qemu-img.
    """
    from diskwright.report.json import made_result
    from diskwright.report.outcome import converted_text

    session.command = "convert"
    named = ImageFormat(output_format) if output_format else format_of_ending(target)
    wanted = named or ImageFormat.QCOW2
    app = session.open()
    with session.watched(progress) as (bar, cancel):
        made = app.convert(
            source,
            target,
            output_format=wanted,
            compress=compress,
            verify=verify,
            force=force,
            progress=bar,
            cancel=cancel,
            **inputs,
        )
    session.say(converted_text(made))
    session.results.append(made_result(path_text(source), made))


def format_of_ending(target: str) -> ImageFormat | None:
    """The format that the name of a file promises."""
    ending = target.rsplit(".", 1)[-1].lower()
    known = {name: ImageFormat(name) for name in FORMATS} | {
        "img": ImageFormat.RAW,
        "vpc": ImageFormat.VHD,
    }
    return known.get(ending)
