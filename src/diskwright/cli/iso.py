"""diskwright iso …"""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.options import (
    SizeType,
    image_path,
    not_empty,
    output_option,
    progress_option,
    set_output,
)
from diskwright.cli.session import Session, path_text
from diskwright.model.iso import IsoTree


@click.group("iso", short_help="Tell what an ISO is, list it and take files out of it.")
def command() -> None:
    """Install media and other discs: ISO 9660 with Joliet and Rock Ridge, and UDF.

    The file is read only, in a confined process.
    """


_tree = click.option(
    "--tree",
    type=click.Choice([tree.value for tree in IsoTree]),
    callback=lambda _c, _p, value: IsoTree(value) if value else None,
    help=(
        "Which of its trees (default: rock-ridge, else joliet, udf or iso9660; "
        "udf where it alone holds all files)."
    ),
)


@command.command(
    "inspect",
    epilog="""\b
Examples:
  diskwright iso inspect debian.iso
  diskwright iso inspect --output json *.iso | jq '.results[].facts.iso.installs'""",
)
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...", callback=image_path)
@output_option
@click.pass_obj
def inspect_command(session: Session, /, images: tuple[str, ...]) -> None:
    """Tell what an ISO is, how it boots and which system it installs."""
    from diskwright.report.iso import inspected_iso_result, inspected_iso_text

    session.command = "iso inspect"
    app = session.open()
    for image in images:
        with session.reporting(image):
            found = app.inspect_iso(image)
            session.say(inspected_iso_text(found, path_text(image)))
            session.results.append(inspected_iso_result(path_text(image), found))


@command.command(
    "list",
    epilog="""\b
Examples:
  diskwright iso list debian.iso
  diskwright iso list debian.iso /install.amd
  diskwright iso list --tree joliet --output csv debian.iso""",
)
@click.argument("image", metavar="IMAGE", callback=image_path)
@click.argument("path", default="", metavar="[PATH]")
@_tree
@click.option(
    "--output",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    expose_value=False,
    callback=set_output,
    is_eager=True,
    help="How results are printed.",
)
@click.pass_obj
def list_command(session: Session, /, image: str, path: str, tree: IsoTree | None) -> None:
    """List what lies in an ISO, or in its folder PATH."""
    from diskwright.report.iso import listed_csv, listed_result, listed_text

    session.command = "iso list"
    listed = session.open().list_iso(image, below=path, tree=tree)
    session.say(listed_csv(listed) if session.output == "csv" else listed_text(listed))
    session.results.append(listed_result(path_text(image), listed))


@command.command(
    "extract",
    epilog="""\b
Examples:
  diskwright iso extract debian.iso debian
  diskwright iso extract debian.iso boot /install.amd/vmlinuz /install.amd/initrd.gz""",
)
@click.argument("image", metavar="IMAGE", callback=image_path)
@click.argument("target", metavar="TARGET", callback=not_empty)
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@_tree
@click.option(
    "--max-size",
    type=SizeType(),
    metavar="SIZE",
    help="Most bytes to write (default: 4 times the ISO's size).",
)
@click.option("--force", is_flag=True, help="Use a TARGET that is not empty; replace files in it.")
@progress_option
@output_option
@click.pass_obj
def extract_command(session: Session, /, image: str, target: str, **options: Any) -> None:
    """Take all files, or those at PATH, out of an ISO into the folder TARGET.

    Nothing is written outside TARGET, which is made if it is missing. Symbolic links that lead
    outside, devices and names that can't be made are left out, and told. A file is there whole or
    not at all; when the command fails, what it made is removed.
    """
    from diskwright.report.iso import extracted_result, extracted_text

    session.command = "iso extract"
    app = session.open()
    with session.watched(options.pop("progress")) as (bar, cancel):
        made = app.extract_iso(image, target, **options, progress=bar, cancel=cancel)
    session.say(extracted_text(made, path_text(image), path_text(target)))
    session.results.append(extracted_result(path_text(image), made))
