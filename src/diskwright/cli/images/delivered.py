"""What export and download share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from diskwright.cli.convert import FORMATS
from diskwright.cli.session import Session, path_text

if TYPE_CHECKING:
    from diskwright.model.outcome_copies import Delivered

F = TypeVar("F", bound=Callable[..., Any])


def form_options(command: F) -> F:
    """Which disk, in which form."""
    for option in reversed(
        (
            click.option(
                "-O",
                "--output-format",
                type=click.Choice(FORMATS),
                help="Another format than the stored one.",
            ),
            click.option("--sealed", is_flag=True, help="As it lies: it stays sealed."),
            click.option(
                "--disk",
                type=click.IntRange(min=1),
                metavar="NUMBER",
                help="One disk of an image with several, from 1 (default: all).",
            ),
            click.option(
                "--verify", is_flag=True, help="Read it back as a disk and compare its digest."
            ),
            click.option("--force", is_flag=True, help="Overwrite what is there."),
        )
    ):
        command = option(command)
    return command


def tell_delivered(session: Session, image: str, made: Sequence[Delivered]) -> None:
    from diskwright.model import codec
    from diskwright.report.library_copies import delivered_text

    session.say("\n".join(delivered_text(one) for one in made))
    for one in made:
        _tell_ending(one)
        session.results.append(
            {**codec.encode(one), "image": image, "id": one.image, "error": None}
        )


def _tell_ending(made: Delivered) -> None:
    """A name that ends as that of another format would mislead who reads it later."""
    ending = made.target.rpartition(".")[2].lower()
    if made.format and ending in FORMATS and ending != made.format:
        said = f"{path_text(made.target)} is a {made.format}, whatever its name says"
        click.echo(f"diskwright: note: {said} (-O {ending} makes a {ending})", err=True)
