"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from diskwright.formats.support import HOLDERS, SUPPORT
from diskwright.model.finding import Accepted
from diskwright.model.image import ImageFormat
from diskwright.model.times import checked_day
from diskwright.model.units import parse_size

F = TypeVar("F", bound=Callable[..., Any])

READ_FORMATS = [row.format.value for row in SUPPORT if row.read and row.format not in HOLDERS]


class SizeType(click.ParamType[int]):
    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if str(value).strip().isdigit():
            self.fail(f"say the unit: {value}MiB, {value}GiB", param, ctx)
        try:
            return parse_size(str(value))
        except ValueError:
            self.fail(f"not a size: {str(value)!r} (as 512MiB, 2GiB)", param, ctx)


def image_path(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Files are read at many places at once, so `-` is no stream; a file of that name is `./-`.

    An empty name is one that an unset variable of a shell made.
    """
    names = value if isinstance(value, tuple) else (value,)
    if "" in names:
        raise click.UsageError(f"the name of {(param.name or '').upper()} is empty", ctx)
    if "-" in names:
        raise click.BadParameter("streams can't be read or written; a file named - is ./-")
    return value


def not_empty(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """As of an unset variable of a shell: `--key ""` must not mean no key."""
    if value == "":
        raise click.UsageError(f"{param.opts[0]} is empty", ctx)
    return value


def output_option(command: F) -> F:
    return click.option(
        "--output",
        type=click.Choice(["table", "json"]),
        default="table",
        show_default=True,
        expose_value=False,
        callback=set_output,
        is_eager=True,
        help="How results are printed.",
    )(command)


def set_output(ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """The callback of an option that says how results are printed."""
    ctx.obj.output = value
    return value


def input_options(command: F) -> F:
    """What a person can say of the file to read; the command gets them as one `inputs`."""
    return file_options(
        click.option(
            "--disk",
            type=click.IntRange(min=1),
            metavar="NUMBER",
            expose_value=False,
            callback=_keep_input,
            help="Which disk of a package (OVA), from 1 (default: each; convert takes one).",
        )(command)
    )


def file_options(command: F) -> F:
    """As `input_options`, where a disk is not chosen by its number."""
    for option in (
        click.option(
            "--max-unpacked",
            type=SizeType(),
            metavar="SIZE",
            expose_value=False,
            callback=_keep_input,
            help="Most bytes to unpack of a gzip, xz, zstd or bzip2 file (default: by its size).",
        ),
        click.option(
            "--allow-backing-under",
            metavar="DIR",
            expose_value=False,
            callback=_keep_input,
            help="Follow what the image names (backing file, extents), beneath DIR only.",
        ),
        click.option(
            "--input-format",
            type=click.Choice(READ_FORMATS),
            expose_value=False,
            callback=lambda c, p, value: _keep_input(c, p, ImageFormat(value) if value else None),
            help="Choose among the formats that the file matches, or raw.",
        ),
    ):
        command = option(command)
    return command


def _keep_input(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    ctx.params.setdefault("inputs", {})[param.name] = value


def progress_option(command: F) -> F:
    return click.option(
        "--progress/--no-progress",
        default=None,
        help="Show progress on stderr (default: if it is a terminal).",
    )(command)


def stats_option(command: F) -> F:
    return click.option(
        "--stats",
        is_flag=True,
        help="Tell on stderr what reading cost: bytes of the disk, times, memory.",
    )(command)


def profile_option(command: F) -> F:
    return click.option(
        "--profile",
        metavar="NAME",
        shell_complete=profile_names,
        callback=not_empty,
        help="Target profile, or a TOML file of yours (default: huawei-ims, or of the settings).",
    )(command)


def profile_names(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from diskwright import config_profiles

    return [name for name in config_profiles.profile_names() if name.startswith(incomplete)]


def rules_options(command: F) -> F:
    """What validate and prepare let a person say about findings."""
    for option in reversed(
        (
            click.option(
                "--data", is_flag=True, help="A data disk: no operating system is expected."
            ),
            click.option(
                "--min-memory",
                type=SizeType(),
                metavar="SIZE",
                help="Least memory of the servers to come, as 2GiB; checked against the system's.",
            ),
            click.option(
                "--strict", is_flag=True, help="Warnings and unknowns stand against it too."
            ),
            click.option(
                "--accept",
                multiple=True,
                metavar="ID",
                shell_complete=rule_ids,
                help="Accept this finding, with a --reason: one for each, or one for all.",
            ),
            click.option("--reason", multiple=True, metavar="TEXT", help="Why it is accepted."),
            click.option(
                "--until",
                multiple=True,
                metavar="DAY",
                help="The last day on which it is, as 2027-03-31; one for each, or one for all.",
            ),
        )
    ):
        command = option(command)
    return command


def rule_ids(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from diskwright.rules import known_rule_ids

    return sorted(name for name in known_rule_ids() if name.startswith(incomplete))


def accepted(
    ids: tuple[str, ...], reasons: tuple[str, ...], until: tuple[str, ...]
) -> tuple[Accepted, ...]:
    """Of --accept, --reason and --until; one reason, and one day, serve all."""
    if ids and len(reasons) not in (1, len(ids)):
        raise click.UsageError("--accept needs --reason TEXT, one for each or one for all")
    if reasons and not ids:
        raise click.UsageError("--reason without --accept")
    if until and not ids:
        raise click.UsageError("--until without --accept")
    if until and len(until) not in (1, len(ids)):
        raise click.UsageError("--until DAY: one for each --accept, or one for all")
    texts = reasons * len(ids) if len(reasons) == 1 else reasons
    try:
        days = tuple(map(checked_day, until))
        days = days * len(ids) if len(days) == 1 else days or ("",) * len(ids)
        return tuple(Accepted(*said) for said in zip(ids, texts, days, strict=True))
    except ValueError as error:
        raise click.UsageError(f"--until: {error}") from error


def s3_options(command: F) -> F:
    """How to reach an S3-compatible endpoint; config file and environment say the rest."""
    for option in reversed(
        (
            click.option(
                "--endpoint-url",
                metavar="URL",
                callback=not_empty,
                help="S3 endpoint, as https://obs.…",
            ),
            click.option(
                "--region", metavar="NAME", callback=not_empty, help="Region of the bucket."
            ),
            click.option(
                "--addressing-style",
                type=click.Choice(["auto", "path", "virtual"]),
                help="How buckets are addressed; OBS wants virtual.",
            ),
        )
    ):
        command = option(command)
    return command
