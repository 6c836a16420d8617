"""diskwright image list."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from diskwright.cli.images.options import known_tags, library_options, opened, parsed_tags
from diskwright.cli.images.set import MemoryType, whole_mib
from diskwright.cli.options import not_empty, set_output
from diskwright.cli.session import Session, print_data, print_out
from diskwright.cli.uploads import AgeType
from diskwright.model.library import SORTS, Entry, ImageKind, Query, Status, Visibility
from diskwright.model.times import is_time, time_text

if TYPE_CHECKING:
    from diskwright.app.library import Library


class TimeType(click.ParamType[str]):
    """A day, a time as it is told, or an age; `last`: of a day its last second."""

    name = "time"

    def __init__(self, *, last: bool = False) -> None:
        self._end = "T23:59:59Z" if last else "T00:00:00Z"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).strip()
        if is_time(text):
            return text
        if is_time(f"{text}T00:00:00Z"):
            return f"{text}{self._end}"
        try:
            age = AgeType().convert(text, param, ctx)
        except click.BadParameter:
            self.fail(f"not a time: {text!r} (2026-11-27, 2026-11-27T08:00:00Z, 7d)", param, ctx)
        return time_text(int(time.time()) - age)


def column_names(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """The last of those that commas part."""
    from diskwright.report.library_csv import ALL, COLUMNS

    before, comma, begun = incomplete.rpartition(",")
    names = COLUMNS if comma else (ALL, *COLUMNS)
    return [f"{before}{comma}{name}" for name in names if name.startswith(begun)]


def _choice(kind: type[Any]) -> click.Choice[str]:
    return click.Choice([one.value for one in kind])


@click.command(
    "list",
    epilog="""\b
Examples:
  diskwright image list
  diskwright image list --os debian --tag stage=prod --sort size --descending
  diskwright image list --output csv > images.csv
  diskwright image list --status pending-delete
  diskwright image list --output jsonl | jq -r .name""",
)
@click.option("--name", metavar="PATTERN", callback=not_empty, help="As in a shell: 'web-*'.")
@click.option("--status", multiple=True, type=_choice(Status), help="May be given several times.")
@click.option("--type", "kind", multiple=True, type=_choice(ImageKind), help="Kind of image.")
@click.option("--visibility", multiple=True, type=_choice(Visibility), help="Whose they are.")
@click.option("--os", "system", metavar="TEXT", callback=not_empty, help="A part of the OS name.")
@click.option(
    "--tag",
    multiple=True,
    metavar="NAME[=VALUE]",
    shell_complete=known_tags,
    help="Only with this tag; NAME= for an empty value.",
)
@click.option(
    "--memory",
    type=MemoryType(),
    metavar="SIZE",
    callback=whole_mib,
    help="Those of which a server of so much memory can be made.",
)
@click.option(
    "--since", type=TimeType(), metavar="TIME", help="Created then or later: 2026-11-27, or 7d ago."
)
@click.option(
    "--until",
    type=TimeType(last=True),
    metavar="TIME",
    help="Created before, or then: the day too.",
)
@click.option("--channel", metavar="NAME", callback=not_empty, help="Versions of this channel.")
@click.option(
    "--sort",
    type=click.Choice(SORTS),
    default="created",
    show_default=True,
    help="size: of the disks; stored: of what lies in the library.",
)
@click.option("--descending", is_flag=True, help="The other way round.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@click.option("--offset", type=click.IntRange(min=0), default=0, metavar="N", help="Skip N.")
@click.option(
    "--columns",
    metavar="A,B,…|all",
    callback=not_empty,
    shell_complete=column_names,
    help="Of --output csv.",
)
@click.option("--bom", is_flag=True, help="Begin --output csv with a BOM, as Excel wants it.")
@click.option("--wide", is_flag=True, help="More columns in the table.")
@click.option("--no-sync", is_flag=True, help="As the catalog here knows it; no store is asked.")
@library_options
@click.option(
    "--output",
    type=click.Choice(["table", "json", "jsonl", "csv"]),
    default="table",
    show_default=True,
    expose_value=False,
    callback=set_output,
    is_eager=True,
    help="How results are printed.",
)
@click.pass_obj
def command(
    session: Session,
    /,
    name: str | None,
    status: tuple[str, ...],
    kind: tuple[str, ...],
    visibility: tuple[str, ...],
    system: str | None,
    tag: tuple[str, ...],
    memory: int | None,
    since: str | None,
    until: str | None,
    channel: str | None,
    sort: str,
    descending: bool,
    limit: int | None,
    offset: int,
    columns: str | None,
    bom: bool,
    wide: bool,
    no_sync: bool,
    at: dict[str, Any],
    **s3: Any,
) -> None:
    """List images. Those in the trash only with --status pending-delete."""
    session.command = "image list"
    asked = parsed_tags(tag).items()
    query = Query(
        name=name or "",
        statuses=tuple(map(Status, status)),
        kinds=tuple(map(ImageKind, kind)),
        visibilities=tuple(map(Visibility, visibility)),
        os=system or "",
        tags={name: value if f"{name}=" in tag else value or None for name, value in asked},
        memory_mib=memory,
        created_since=since or "",
        created_until=until or "",
        channel=channel or "",
        sort=sort,
        descending=descending,
        limit=limit or 0,
        offset=offset,
    )
    if (columns is not None or bom) and session.output != "csv":
        raise click.UsageError("--columns and --bom are of --output csv")
    with opened(session, at, s3) as library, session.watched(False) as (_, cancel):
        if session.output == "csv":
            names = columns.split(",") if columns is not None else None
            _tell_csv(library, query, names, bom=bom, sync=not no_sync, cancel=cancel)
        else:
            found = library.list(query, sync=not no_sync, cancel=cancel)
            order = Query(sort=sort, descending=descending, limit=query.limit)
            _tell(session, found, wide=wide, everything=query == order)


def _tell_csv(
    library: Library, query: Query, columns: list[str] | None, *, bom: bool, **how: Any
) -> None:
    from diskwright.report.library_csv import CONSOLE_COLUMNS, LISTED_COLUMNS, csv_rows

    names = CONSOLE_COLUMNS if columns is None else columns
    few = LISTED_COLUMNS.issuperset(names)
    entries = library.listed(query, **how) if few else library.list(query, **how)
    try:
        for text in csv_rows(entries, columns=names, bom=bom):
            print_data(text)
    except ValueError as error:
        raise click.UsageError(f"--columns: {error}") from error


def _tell(session: Session, entries: Iterator[Entry], *, wide: bool, everything: bool) -> None:
    """Line by line where that can be: a catalog may be large. `everything` was asked for."""
    from diskwright.report.library import entries_table, entry_value

    if session.output == "jsonl":
        import json

        encoded = json.JSONEncoder(ensure_ascii=False).encode
        for entry in entries:
            print_data(encoded(entry_value(entry)) + "\n")
    elif session.output == "json":
        session.results += [
            {"image": entry.name or entry.id, "entry": entry_value(entry), "error": None}
            for entry in entries
        ]
    else:
        room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        empty = True
        for line in entries_table(entries, wide=wide, colour=session.colour(), columns=room):
            print_out(line)
            empty = False
        if empty:
            new = "; make one: diskwright image create --from-file FILE" if everything else ""
            click.echo(f"diskwright: no images{new}", err=True)
