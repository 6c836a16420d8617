"""diskwright convert."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from diskwright.cli.options import (
    SizeType,
    image_path,
    input_options,
    not_empty,
    output_option,
    profile_names,
    progress_option,
)
from diskwright.cli.session import Session, path_text
from diskwright.errors import UsageError
from diskwright.formats.signatures import EXTENSIONS
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
  diskwright convert disk.vmdk disk.qcow2 --compress --verify
  diskwright convert disk.qcow2 azure.vhd --profile azure
  diskwright convert disk.qcow2 whole.vhd --subformat fixed --size-multiple 1MiB""",
)
@click.argument("source", metavar="IN", callback=image_path)
@click.argument("target", metavar="OUT", callback=image_path)
@click.option(
    "-O",
    "--output-format",
    type=click.Choice(FORMATS),
    help="Format of OUT (default: by its ending, else the profile's or qcow2).",
)
@click.option(
    "--subformat",
    metavar="NAME",
    callback=not_empty,
    help="Which vhd (dynamic, fixed), vmdk (streamOptimized, monolithicSparse), vhdx (dynamic, "
    "fixed) or vdi (dynamic, static); the first by default.",
)
@click.option(
    "--size-multiple",
    type=SizeType(),
    metavar="SIZE",
    help="Let the disk grow to a multiple of SIZE by zeros, as clouds ask for (raw, qcow2, "
    "fixed vhd).",
)
@click.option(
    "--profile",
    metavar="NAME",
    shell_complete=profile_names,
    callback=not_empty,
    help="What is not said otherwise is as this target prefers it: format (where the ending of OUT "
    "tells none), variant, size.",
)
@click.option("-c", "--compress", is_flag=True, default=None, help="Compress (qcow2).")
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
    subformat: str | None,
    size_multiple: int | None,
    profile: str | None,
    compress: bool | None,
    verify: bool,
    force: bool,
    inputs: InputOptions,
    progress: bool | None,
) -> None:
    """Convert the image file IN to OUT.

    OUT appears under its name when it is whole, or not at all. raw, qcow2 and fixed vhd are written
    in one forward pass by diskwright itself, the others by a confined qemu-img.
    """
    from diskwright.report.json import made_result
    from diskwright.report.outcome import converted_text

    session.command = "convert"
    named = ImageFormat(output_format) if output_format else format_of_ending(target)
    app = session.open()
    with session.watched(progress) as (bar, cancel):
        made = app.convert(
            source,
            target,
            output_format=named,
            subformat=subformat,
            size_multiple=size_multiple,
            profile=profile,
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
    promised = EXTENSIONS.get(f".{ending}")
    if ending not in known and promised is not None and promised.value not in FORMATS:
        hint = f"name it otherwise, or say which: -O {' or -O '.join(FORMATS)}"
        raise UsageError(f"{target}: {promised.value} can't be written", hint)
    return known.get(ending)
