"""diskwright completion."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from diskwright.cli.session import Session, print_out


@click.command(
    "completion",
    short_help="Print the completion script for a shell.",
    epilog="""\b
Examples:
  source <(diskwright completion bash)
  diskwright completion fish > ~/.config/fish/completions/diskwright.fish""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL, to be sourced by it."""
    session: Session = ctx.obj
    session.command = "completion"
    root = ctx.find_root().command
    completer = get_completion_class(shell)
    assert completer is not None
    print_out(completer(root, {}, "diskwright", "_DISKWRIGHT_COMPLETE").source())
