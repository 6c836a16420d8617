"""What the commands of a library share."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from diskwright.cli.options import not_empty, s3_options
from diskwright.cli.session import Session

if TYPE_CHECKING:
    from diskwright.app.library import Library
    from diskwright.model.library import Status

F = TypeVar("F", bound=Callable[..., Any])


def library_options(command: F) -> F:
    """Which library, and how to open it; the command gets them as one `at`."""
    for option in reversed(
        (
            click.option(
                "--library",
                metavar="NAME|URL",
                expose_value=False,
                callback=_keep,
                shell_complete=library_names,
                help="The library (default: the settings', else the default of the list).",
            ),
            click.option(
                "--key",
                metavar="KEY",
                expose_value=False,
                callback=_keep,
                help="Opens sealed images, and seals new ones, as local:kek.json.",
            ),
            click.option(
                "--single-writer",
                is_flag=True,
                expose_value=False,
                callback=_keep,
                help="Nobody else writes there: for a store without conditional puts.",
            ),
        )
    ):
        command = option(command)
    return s3_options(command)


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    not_empty(ctx, param, value)
    ctx.params.setdefault("at", {})[param.name] = value


def image_argument(command: F) -> F:
    return click.argument(
        "image", metavar="IMAGE", callback=_not_empty, shell_complete=image_names
    )(command)


def deleted_image_argument(command: F) -> F:
    return click.argument(
        "image", metavar="IMAGE", callback=_not_empty, shell_complete=deleted_names
    )(command)


def images_argument(command: F) -> F:
    return click.argument(
        "images",
        metavar="IMAGE...",
        nargs=-1,
        required=True,
        callback=_not_empty,
        shell_complete=image_names,
    )(command)


def _not_empty(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    if "" in (value if isinstance(value, tuple) else (value,)):
        raise click.BadParameter("it is empty", ctx, param)
    return value


@contextmanager
def opened(
    session: Session, at: dict[str, Any], s3: dict[str, Any], **overrides: Any
) -> Iterator[Library]:
    """The library that the options name."""
    from diskwright.app.library import Library

    app = session.open(s3=s3, **overrides)
    with Library(
        at.get("library"),
        key=at.get("key"),
        single_writer=bool(at.get("single_writer")),
        app=app,
    ) as library:
        yield library


def library_names(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from diskwright.app import Diskwright
    from diskwright.config import load

    known = Diskwright(load()).libraries()
    return [as_typed(one.name) for one in known if one.name.startswith(incomplete)]


def image_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    return _completed(ctx, incomplete, _named)


def account_names(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from diskwright.app import Diskwright
    from diskwright.config import load
    from diskwright.errors import DiskwrightError

    try:
        known = Diskwright(load()).accounts()
    except DiskwrightError:
        return []
    return [as_typed(one.name) for one in known if one.name.startswith(incomplete)]


def deleted_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Of what is in the trash."""
    from diskwright.model.library import Status

    return _completed(ctx, incomplete, lambda library: _named(library, Status.PENDING_DELETE))


def tags_of_image(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Names of the tags that the image on the command line has."""
    image = str(ctx.params.get("image"))
    return _completed(ctx, incomplete, lambda library: library.show(image, sync=False).tags)


def known_tags(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """NAME=VALUE of all images."""

    def look(library: Library) -> Iterator[str]:
        for name, values in library.catalog().tag_values().items():
            yield from (f"{name}={value}" if value else name for value in values)

    return _completed(ctx, incomplete, look)


def _named(library: Library, *statuses: Status) -> Iterator[str]:
    from diskwright.model.library import Query

    query = Query(statuses=statuses, limit=1000, sort="name")
    return (one.name or one.id for one in library.list(query, sync=False))


def _completed(
    ctx: click.Context, incomplete: str, look: Callable[[Library], Iterable[str]]
) -> list[str]:
    """From the catalog alone: a key that is pressed waits for no bucket."""
    from diskwright.app.library import Library
    from diskwright.errors import DiskwrightError

    try:
        with Library(ctx.params.get("at", {}).get("library")) as library:
            return [as_typed(one) for one in look(library) if one.startswith(incomplete)]
    except DiskwrightError:
        return []  # the shell has no place for what went wrong; the command itself will say it


def as_typed(word: str) -> str:
    """As the shell wants it: bash puts it into its line as it is, the others quote it."""
    if os.environ.get("_DISKWRIGHT_COMPLETE") != "bash_complete":
        return word
    return re.sub(r"([^\w@%+=:,./-])", r"\\\1", word)


def parsed_tags(texts: tuple[str, ...]) -> dict[str, str]:
    """Of NAME=VALUE; a value may be left out."""
    found: dict[str, str] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name in found:
            raise click.UsageError(f"tag {name} is given twice")
        found[name] = value
    return found
