"""diskwright validate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from diskwright.cli.options import (
    accepted,
    image_path,
    input_options,
    output_option,
    profile_option,
    progress_option,
    rules_options,
)
from diskwright.cli.session import Session, path_text
from diskwright.errors import ValidationFailed

if TYPE_CHECKING:
    from diskwright.app.inputs import InputOptions


@click.command(
    "validate",
    short_help="Check an image against a target cloud's written requirements.",
    epilog="""\b
Examples:
  diskwright validate disk.qcow2 --profile huawei-ims
  diskwright validate disk.qcow2 --min-memory 1GiB --strict
  diskwright validate data.raw --data
  diskwright validate disk.qcow2 --accept network.net-static-address --reason "lab network"

\b
Exit codes: 0 nothing stands against an import, 3 something does.""",
)
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...", callback=image_path)
@profile_option
@rules_options
@input_options
@progress_option
@output_option
@click.pass_obj
def command(
    session: Session,
    images: tuple[str, ...],
    profile: str | None,
    data: bool,
    min_memory: int | None,
    strict: bool,
    accept: tuple[str, ...],
    reason: tuple[str, ...],
    inputs: InputOptions,
    progress: bool | None,
) -> None:
    """Check an image against a target cloud's written requirements, before a byte moves.

    Prints what fails first, each with what to do. What could not be read is `unknown`, never
    `pass`. Of a package (OVA) the first disk is the system's, any other is judged as a data disk.
    """
    from diskwright.report.json import validated_result
    from diskwright.report.text import disk_label, validated_text

    session.command = "validate"
    waivers = accepted(accept, reason)
    app = session.open(profile=profile)
    for image in images:
        verdicts = []
        for disk, options in session.disks_of(app, image, inputs):
            with session.reporting(image, disk):
                with session.progress(progress) as bar:
                    found = app.validate(
                        image,
                        data=data,
                        min_memory=min_memory,
                        accepted=waivers,
                        progress=bar,
                        **options,
                    )
                verdicts.append(found.verdict)
                text = validated_text(found, image, strict=strict, colour=session.colour())
                session.say(text)
                result = validated_result(path_text(image), found, None, strict=strict)
                session.results.append(result)
                against = found.verdict.standing(strict=strict)
                if against:
                    label = disk_label(image, found.name)
                    session.failures.append(ValidationFailed(label, len(against)))
        session.remark_idle(waivers, verdicts)
