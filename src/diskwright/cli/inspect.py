"""diskwright inspect."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from diskwright.cli.difference import tell_difference
from diskwright.cli.options import (
    image_path,
    input_options,
    not_empty,
    output_option,
    progress_option,
    stats_option,
)
from diskwright.cli.sbom import write_sbom
from diskwright.cli.session import Session

if TYPE_CHECKING:
    from diskwright.app import Diskwright
    from diskwright.app.inputs import InputOptions


@click.command(
    "inspect",
    short_help="Tell what an image file is and what is installed in it.",
    epilog="""\b
Examples:
  diskwright inspect disk.qcow2
  diskwright inspect --deep disk.vmdk
  diskwright inspect --output json *.qcow2 | jq '.results[].facts.guest.os'
  diskwright inspect disk.qcow2 --sbom packages.cdx.json
  diskwright inspect --diff before.qcow2 after.qcow2
  diskwright inspect --diff --files --output json before.qcow2 after.qcow2

\b
Exit codes of --diff: 0 whether the images differ or not, 10 where one can't be read.""",
)
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...", callback=image_path)
@click.option(
    "--deep",
    is_flag=True,
    help="Explain the file too: how it is made, where its disk has data, why it is refused.",
)
@click.option(
    "--sbom",
    metavar="FILE",
    callback=not_empty,
    help="Write the packages of one disk as CycloneDX 1.6 JSON; - is stdout, and nothing else.",
)
@click.option(
    "--diff",
    is_flag=True,
    help="Tell what changed from the first of two images to the second: facts, packages, /etc."
    " The sizes of the files themselves are not compared.",
)
@click.option("--files", is_flag=True, help="With --diff: compare every file too, by digest.")
@click.option("--force", is_flag=True, help="Overwrite the file of --sbom if it exists.")
@stats_option
@input_options
@progress_option
@output_option
@click.pass_obj
def command(
    session: Session,
    images: tuple[str, ...],
    deep: bool,
    sbom: str | None,
    diff: bool,
    files: bool,
    force: bool,
    stats: bool,
    inputs: InputOptions,
    progress: bool | None,
) -> None:
    """Tell what an image file is and what is installed in it, without judging.

    The file is read only, in a confined process; nothing that it names is opened,
    but beneath the folder of --allow-backing-under. Of a package
    (OVA) each disk is told, one after the other.
    """
    session.command = "inspect"
    if files and not diff:
        raise click.UsageError("--files says what --diff compares: add it")
    if force and sbom is None:
        raise click.UsageError("--force is for the file of --sbom: add it")
    if diff:
        _check_alone("--diff", images, 2, deep=deep)
        if sbom is not None:
            raise click.UsageError("--sbom is of one image: run it without --diff")
        if stats:
            raise click.UsageError("--stats is of inspect without --diff")
        tell_difference(session, images[0], images[1], inputs, files=files, progress=progress)
        return
    if sbom is not None:
        _check_alone("--sbom", images, 1, deep=deep)
        write_sbom(session, images[0], sbom, inputs, force=force, progress=progress)
        return
    app = session.open()
    if deep:
        session.explain = partial(app.explain, **inputs)
    if session.ahead is not None:
        session.ahead.later(partial(_import_telling, session))
    with app.ahead():
        for image in images:
            _tell(session, app, image, inputs, deep=deep, stats=stats, progress=progress)


def _import_telling(session: Session) -> None:
    with session.cancel.counting():
        from diskwright.cli import inspected  # noqa: F401 - for later


def _tell(
    session: Session,
    app: Diskwright,
    image: str,
    inputs: InputOptions,
    *,
    deep: bool,
    stats: bool,
    progress: bool | None,
) -> None:
    """What is found of one file, each of its disks."""
    told = False
    for disk, options in session.disks_of(app, image, inputs):
        with session.reporting(image, disk):
            with session.progress(progress) as bar:
                found = app.inspect(
                    image,
                    deep=deep,
                    digests=not told,
                    cells=_cells(session) if deep else 0,
                    progress=bar,
                    **options,
                )
            from diskwright.cli.inspected import tell

            tell(session, image, found, first=not told, stats=stats)
            told = True


def _cells(session: Session) -> int:
    from diskwright.cli.inspected import look

    return 64 if session.output == "json" else look().cells


def _check_alone(option: str, images: tuple[str, ...], number: int, *, deep: bool) -> None:
    if len(images) != number:
        raise click.UsageError(f"{option} is of {number} IMAGE{'S' if number > 1 else ''}")
    if deep:
        raise click.UsageError(f"{option} is not told with --deep: run it on its own")
