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
@click.option("--passphrase", is_flag=True, help="Protect it with a passphrase (asked for).")
@output_option
@click.pass_obj
def new(session: Session, file: str, passphrase: bool) -> None:
    """Make a new key in FILE, readable by you alone. An existing file is never overwritten.

    Who loses the file loses every image sealed with it alone.
    """
    session.command = "key new"
    phrase = None
    if passphrase:
        phrase = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)
    key_id = session.open().new_key(file, passphrase=phrase)
    session.say(
        f"{path_text(file)}: key {key_id}\n"
        "Keep a copy of it in a safe place: without it, what was sealed with it is lost.\n"
        f"Next: diskwright prepare IMAGE --to TARGET --key local:{path_text(file)}"
    )
    session.results.append({"image": None, "key": key_id, "file": file, "error": None})
