"""How a library of the list is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from diskwright.cli.options import not_empty, s3_options
from diskwright.cli.session import Session, path_text

if TYPE_CHECKING:
    from diskwright.model.library import KnownLibrary


F = TypeVar("F", bound=Callable[..., Any])


def kept_s3_options(command: F) -> F:
    """How its bucket is reached: kept in the list, and used whenever this library is opened."""
    profile = click.option(
        "--credentials-profile",
        metavar="NAME",
        callback=not_empty,
        help="Of the shared AWS files: whose credentials this library is opened with.",
    )
    return s3_options(profile(command))


def tell_library(session: Session, known: KnownLibrary, done: str) -> None:
    from diskwright.model.codec import encode

    default = ", the default" if known.default else ""
    session.say(f"library {known.name}: {done} at {path_text(known.url)}{default}")
    session.results.append({"image": None, "library": encode(known), "error": None})
