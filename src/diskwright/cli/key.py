"""diskwright key …"""

from __future__ import annotations

import click

from diskwright.cli.options import output_option
from diskwright.cli.session import Session, path_text


@click.group("key", short_help="Make key-encryption keys.")
def command() -> None:
    """Key-encryption keys (KEK) that wrap the data key of an image."""


@command.command(
    "new",
    epilog="""\b
Examples:
  diskwright key new kek.json
  diskwright key new kek.json --passphrase""",
)
@click.argument("file", metavar="FILE")
@click.option(
    "--passphrase",
    is_flag=True,
    help="Protect it with a passphrase: asked for, or from the passphrase_file of the settings.",
)
@output_option
@click.pass_obj
def new(session: Session, file: str, passphrase: bool) -> None:
    """Make a new key in FILE, readable by you alone. An existing file is never overwritten.

    Who loses the file loses every image sealed with it alone.
    """
    session.command = "key new"
    session.new_passphrase = True
    app = session.open()
    key_id = app.new_key(file, passphrase=app.passphrase() if passphrase else None)
    session.say(
        f"{path_text(file)}: key {key_id}\n"
        "Keep a copy of it in a safe place: without it, what was sealed with it is lost.\n"
        f"Next: diskwright prepare IMAGE --to TARGET --key local:{path_text(file)}"
    )
    session.results.append({"image": None, "key": key_id, "file": file, "error": None})
