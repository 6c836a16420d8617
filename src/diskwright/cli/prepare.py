"""diskwright prepare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from diskwright.cli.options import (
    accepted,
    image_path,
    input_options,
    not_empty,
    output_option,
    profile_option,
    progress_option,
    rules_options,
    s3_options,
)
from diskwright.cli.session import Session, path_text
from diskwright.model.image import ImageFormat
from diskwright.model.outcome import Prepared

if TYPE_CHECKING:
    from diskwright.app.inputs import InputOptions


@click.command(
    "prepare",
    short_help="Validate, convert, seal and upload an image, ready for import.",
    epilog="""\b
Examples:
  diskwright prepare disk.qcow2 --profile huawei-ims --to s3://images/web
  diskwright prepare disk.qcow2 --to s3://images/web --key local:kek.json
  diskwright prepare disk.raw --to dir:/srv/images --name web-2026 --dry-run
  diskwright prepare data.raw --data --to dir:/srv/images -O raw
  diskwright prepare appliance.ova --set --to s3://images/appliance""",
)
@click.argument("image", metavar="IMAGE", callback=image_path)
@click.option(
    "--to", metavar="TARGET", callback=not_empty, help="s3://BUCKET[/PREFIX] or dir:PATH."
)
@profile_option
@click.option(
    "--name", metavar="NAME", callback=not_empty, help="The image's name (default: the file's)."
)
@click.option(
    "--key",
    metavar="KEY",
    callback=not_empty,
    help="Seal with this key: local:FILE, receiver:FILE[.pub], or vault:[MOUNT/]KEY.",
)
@click.option(
    "-O",
    "--output-format",
    type=click.Choice(["raw", "qcow2", "vhd"]),
    help="Format of the object; a vhd is a fixed one (default: the profile's preferred one).",
)
@click.option(
    "--compress/--no-compress", default=None, help="Compress qcow2 (default: as the profile says)."
)
@click.option(
    "--set",
    "as_set",
    is_flag=True,
    help="One image with all disks of a package (default: an image for each).",
)
@click.option("--dry-run", is_flag=True, help="Look, judge and lay out; send nothing.")
@click.option(
    "--sse",
    type=click.Choice(["none", "sse-kms", "sse-obs"]),
    help="Server-side encryption of the object (default: the profile's).",
)
@rules_options
@input_options
@s3_options
@progress_option
@output_option
@click.pass_obj
def command(
    session: Session,
    image: str,
    to: str | None,
    profile: str | None,
    name: str | None,
    key: str | None,
    output_format: str | None,
    compress: bool | None,
    as_set: bool,
    dry_run: bool,
    sse: str | None,
    data: bool,
    min_memory: int | None,
    strict: bool,
    accept: tuple[str, ...],
    reason: tuple[str, ...],
    until: tuple[str, ...],
    inputs: InputOptions,
    endpoint_url: str | None,
    region: str | None,
    addressing_style: str | None,
    progress: bool | None,
) -> None:
    """Validate IMAGE, then convert, digest, seal and upload it in one pass.

    Nothing is staged on this machine's disk but what a packed image holds. The manifest is put
    last: without it the image is not there. Without --key the object is ready for import; with
    --key it is sealed.

    Of a package (OVA) each disk becomes an image: NAME, NAME-2 and so on, when all have been
    judged, the further ones as data disks. With --set they are one image, whole or absent.
    """
    from diskwright.cli.before_sending import Judging
    from diskwright.report.import_request import data_requests, import_request
    from diskwright.report.json import made_result
    from diskwright.report.outcome import prepared_text

    session.command = "prepare"
    waivers = accepted(accept, reason, until)
    judging = Judging(session, image, strict=strict)

    def told(made: Prepared) -> None:
        hidden = made.sealed or made.dry_run
        request = None if hidden else import_request(made, service)
        further = () if hidden else data_requests(made, service)
        session.say(prepared_text(made, request, further))
        session.results.append(made_result(path_text(image), made, request, further))

    s3 = {
        "endpoint_url": endpoint_url,
        "region": region,
        "addressing_style": addressing_style,
        "sse": sse,
    }
    app = session.open(profile=profile, to=to, key=key, s3=s3)
    service = app.service_of(profile)
    with session.watched(progress) as (bar, cancel):
        try:
            app.prepare_each(
                image,
                as_set=as_set,
                made=told,
                name=name,
                output_format=ImageFormat(output_format) if output_format else None,
                compress=compress,
                dry_run=dry_run,
                data=data,
                strict=strict,
                min_memory=min_memory,
                accepted=waivers,
                judged=judging.judged,
                progress=bar,
                cancel=cancel,
                **inputs,
            )
        finally:
            session.remark_idle(waivers, judging.verdicts)
