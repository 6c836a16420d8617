"""A question before something is removed."""

from __future__ import annotations

import sys

import click

from diskwright.cli.session import Session
from diskwright.errors import UsageError


def check_terminal() -> None:
    """Raises UsageError where there is nobody to ask."""
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask on", "add --yes, or see first with --dry-run")


def confirmed(session: Session, shown: str, question: str) -> None:
    """Ends the command where the answer is no."""
    click.echo(shown, err=True)
    with session.cancel.interrupting():
        click.confirm(question, abort=True, err=True)
