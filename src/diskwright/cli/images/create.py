"""diskwright image create."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from diskwright.cli.images.options import image_names, library_options, opened, parsed_tags
from diskwright.cli.images.set import MemoryType, is_on, whole_mib
from diskwright.cli.options import (
    SizeType,
    accepted,
    file_options,
    not_empty,
    output_option,
    profile_option,
    progress_option,
    rule_ids,
)
from diskwright.cli.session import Session, path_text
from diskwright.model.image import ImageFormat
from diskwright.model.library import ImageKind

if TYPE_CHECKING:
    from diskwright.app.inputs import InputOptions

_ON_OFF = click.Choice(["on", "off"])


@click.command(
    "create",
    short_help="Create an image from files.",
    epilog="""\b
Examples:
  diskwright image create --from-file disk.qcow2 --name web
  diskwright image create --from-file disk.vmdk --name web --key local:kek.json
  diskwright image create --from-file disk-2.qcow2 --name web-2 --base web
  diskwright image create --data --from-file data.raw --name web-data
  diskwright image create --full --disk system.qcow2 --disk data.vmdk --name shop
  diskwright image create --full --from-file appliance.ova --name shop""",
)
@click.option("--from-file", metavar="FILE", callback=not_empty, help="An external image file.")
@click.option(
    "--disk",
    "disks",
    multiple=True,
    metavar="FILE",
    help="One disk of a full-server image, in order; the first has the system.",
)
@click.option("--data", is_flag=True, help="A data disk image: no operating system is expected.")
@click.option("--full", is_flag=True, help="A full-server image: several disks, whole or absent.")
@click.option(
    "--name", metavar="NAME", callback=not_empty, help="The image's name (default: the file's)."
)
@click.option("--description", metavar="TEXT", default="", help="At most 1,024 characters.")
@click.option("--tag", multiple=True, metavar="NAME=VALUE", help="A tag; ten at most.")
@click.option("--channel", metavar="NAME", default="", help="Whose versions it is one of.")
@click.option("--os-version", metavar="TEXT", callback=not_empty, help="As the service spells it.")
@click.option("--min-memory", type=SizeType(), metavar="SIZE", help="Least memory, as 2GiB.")
@click.option(
    "--max-memory",
    type=MemoryType(),
    metavar="SIZE",
    callback=whole_mib,
    help="Most memory of its servers; 0: no limit.",
)
@click.option("--nic-multiqueue", type=_ON_OFF, help="Default: on where the guest has the driver.")
@click.option("--sriov", type=_ON_OFF, help="Default: on where the guest has the driver.")
@click.option(
    "--base",
    metavar="IMAGE",
    callback=not_empty,
    shell_complete=image_names,
    help="Store only what differs from this image, which then stays while this one does.",
)
@click.option("--allow-duplicate", is_flag=True, help="The name may be another image's too.")
@profile_option
@click.option(
    "-O",
    "--output-format",
    type=click.Choice(["raw", "qcow2", "vhd"]),
    help="Format of the object (default: the profile's preferred one).",
)
@click.option("--compress/--no-compress", default=None, help="Compress qcow2.")
@click.option("--strict", is_flag=True, help="Warnings and unknowns stand against it too.")
@click.option(
    "--accept",
    multiple=True,
    metavar="ID",
    shell_complete=rule_ids,
    help="Accept this finding, with a --reason: one for each, or one for all.",
)
@click.option("--reason", multiple=True, metavar="TEXT", help="Why it is accepted, or borne.")
@click.option("--dry-run", is_flag=True, help="Look, judge and lay out; send nothing.")
@file_options
@library_options
@progress_option
@output_option
@click.pass_obj
def command(
    session: Session,
    /,
    from_file: str | None,
    disks: tuple[str, ...],
    data: bool,
    full: bool,
    name: str | None,
    description: str,
    tag: tuple[str, ...],
    channel: str,
    os_version: str | None,
    min_memory: int | None,
    max_memory: int | None,
    nic_multiqueue: str | None,
    sriov: str | None,
    base: str | None,
    allow_duplicate: bool,
    profile: str | None,
    output_format: str | None,
    compress: bool | None,
    strict: bool,
    accept: tuple[str, ...],
    reason: tuple[str, ...],
    dry_run: bool,
    inputs: InputOptions,
    at: dict[str, Any],
    progress: bool | None,
    **s3: Any,
) -> None:
    """Create an image in the library: validate, convert, digest, seal and store in one pass.

    It is there whole, or not at all.
    """
    from diskwright.app.prepare import default_name
    from diskwright.cli.before_sending import Judging
    from diskwright.model.creation import CreateRequest
    from diskwright.report.json import made_result
    from diskwright.report.library import entry_value
    from diskwright.report.library_made import created_text
    from diskwright.report.outcome import prepared_text

    session.command = "image create"
    kind = _kind(data=data, full=full)
    paths = _paths(kind, from_file, disks)
    judging = Judging(session, paths[0], strict=strict)
    request = CreateRequest(
        name or default_name(paths[0]),
        kind=kind,
        description=description,
        tags=parsed_tags(tag),
        os_version=os_version,
        max_memory_mib=max_memory or 0,
        nic_multiqueue=is_on(nic_multiqueue),
        sriov=is_on(sriov),
        channel=channel,
        reason=reason[0] if reason else "",
        allow_duplicate=allow_duplicate,
    )
    waivers = accepted(accept, reason if accept else (), ())
    with (
        opened(session, at, s3, profile=profile) as library,
        session.watched(progress) as (bar, cancel),
    ):
        entry, made = library.create(
            paths,
            request=request,
            base=base,
            profile=profile,
            output_format=ImageFormat(output_format) if output_format else None,
            compress=compress,
            strict=strict,
            min_memory=min_memory,
            accepted=waivers,
            dry_run=dry_run,
            judged=judging.judged,
            progress=bar,
            cancel=cancel,
            **inputs,
        )
    session.say(prepared_text(made, None) if entry is None else created_text(entry))
    result = made_result(path_text(paths[0]), made)
    session.results.append({**result, "entry": None if entry is None else entry_value(entry)})


def _kind(*, data: bool, full: bool) -> ImageKind:
    if data and full:
        raise click.UsageError("--data and --full: an image is one or the other")
    if full:
        return ImageKind.FULL
    return ImageKind.DATA if data else ImageKind.SYSTEM


def _paths(kind: ImageKind, from_file: str | None, disks: tuple[str, ...]) -> tuple[str, ...]:
    if disks and kind is not ImageKind.FULL:
        raise click.UsageError("--disk is of a full-server image: add --full, or use --from-file")
    if (from_file is None) is not bool(disks):
        raise click.UsageError("give --from-file FILE, or with --full a --disk FILE for each disk")
    paths = disks or (from_file or "",)
    if "" in paths or "-" in paths:
        raise click.UsageError("a file's name is empty or -: streams can't be read")
    return paths
