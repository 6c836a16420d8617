"""diskwright image set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from diskwright.cli.images.changed import tell_change
from diskwright.cli.images.options import image_argument, library_options, opened
from diskwright.cli.options import SizeType, not_empty, output_option
from diskwright.cli.session import Session
from diskwright.model.units import MIB

if TYPE_CHECKING:
    from diskwright.model.record import Wishes

_ON_OFF = click.Choice(["on", "off"])


def whole_mib(ctx: click.Context, param: click.Parameter, value: int | None) -> int | None:
    if value is not None and value % MIB:
        raise click.UsageError(f"{param.opts[0]}: whole MiB are wanted", ctx)
    return None if value is None else value // MIB


def is_on(value: str | None) -> bool | None:
    return None if value is None else value == "on"


class MemoryType(SizeType):
    """A size; 0 needs no unit."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        return 0 if str(value).strip() == "0" else super().convert(value, param, ctx)


@click.command(
    "set",
    epilog="""\b
Examples:
  diskwright image set web --name web-2026 --description "Debian 12, nginx"
  diskwright image set web --min-memory 2GiB --max-memory 16GiB
  diskwright image set web --nic-multiqueue on --sriov off --dry-run""",
)
@image_argument
@click.option("--name", metavar="NAME", callback=not_empty, help="Another name.")
@click.option("--description", metavar="TEXT", help="Another description; empty removes it.")
@click.option(
    "--min-memory",
    type=MemoryType(),
    metavar="SIZE",
    callback=whole_mib,
    help="Least memory of its servers, as 2GiB; not less than the guest needs.",
)
@click.option(
    "--max-memory",
    type=MemoryType(),
    metavar="SIZE",
    callback=whole_mib,
    help="Most memory of its servers; 0: no limit.",
)
@click.option(
    "--nic-multiqueue",
    type=_ON_OFF,
    help="Several queues for a network card; the guest needs the driver.",
)
@click.option("--sriov", type=_ON_OFF, help="SR-IOV network cards; the guest needs the driver.")
@click.option("--channel", metavar="NAME", help="Whose versions it is one of; empty: of none.")
@click.option("--reason", metavar="TEXT", callback=not_empty, help="Why the guest bears it.")
@click.option("--allow-duplicate", is_flag=True, help="The name may be another image's too.")
@click.option("--dry-run", is_flag=True, help="Say what would change.")
@library_options
@output_option
@click.pass_obj
def command(
    session: Session,
    /,
    image: str,
    name: str | None,
    description: str | None,
    min_memory: int | None,
    max_memory: int | None,
    nic_multiqueue: str | None,
    sriov: str | None,
    channel: str | None,
    reason: str | None,
    allow_duplicate: bool,
    dry_run: bool,
    at: dict[str, Any],
    **s3: Any,
) -> None:
    """Modify what is said of IMAGE. Its data never moves."""
    session.command = "image set"
    wishes: Wishes = {
        "name": name,
        "description": description,
        "min_memory_mib": min_memory,
        "max_memory_mib": max_memory,
        "nic_multiqueue": is_on(nic_multiqueue),
        "sriov": is_on(sriov),
        "channel": channel,
    }
    if all(value is None for value in wishes.values()):
        raise click.UsageError("nothing is given to set: see diskwright image set --help")
    if reason is not None:
        wishes["reason"] = reason
    with opened(session, at, s3) as library, session.watched(False) as (_, cancel):
        made = library.set(
            image, allow_duplicate=allow_duplicate, dry_run=dry_run, cancel=cancel, **wishes
        )
    tell_change(session, image, made)
