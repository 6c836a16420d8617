"""diskwright key …"""

from __future__ import annotations

import click

from diskwright.cli.options import output_option
from diskwright.cli.session import Session, path_text


@click.group("key", short_help="Make key-encryption keys and receivers' keys.")
def command() -> None:
    """Keys that wrap the data key of an image: key-encryption keys (KEK), and receivers' key
    pairs, whose public half lets anybody seal for them."""


@command.command(
    "new",
    epilog="""\b
Examples:
  diskwright key new kek.json
  diskwright key new kek.json --passphrase
  diskwright key new receiver.json --receiver --name "Ada, archive" """,
)
@click.argument("file", metavar="FILE")
@click.option(
    "--passphrase",
    is_flag=True,
    help="Protect it with a passphrase: asked for, or from the passphrase_file of the settings.",
)
@click.option(
    "--receiver",
    is_flag=True,
    help="A key pair: FILE stays with you, FILE.pub is for those who seal for you.",
)
@click.option("--name", metavar="TEXT", help="With --receiver: how others tell it from the rest.")
@output_option
@click.pass_obj
def new(session: Session, file: str, passphrase: bool, receiver: bool, name: str | None) -> None:
    """Make a new key in FILE, readable by you alone. An existing file is never overwritten.

    Who loses the file loses every image sealed with it alone.
    """
    session.command = "key new"
    session.new_passphrase = True
    if receiver != (name is not None):
        raise click.UsageError("--receiver and --name TEXT go together")
    app = session.open()
    phrase = app.passphrase() if passphrase else None
    shown = path_text(file)
    if name is not None:
        document = app.new_receiver(file, name=name, passphrase=phrase)
        key_id = document.id
        made = (
            f"{shown}: receiver {key_id}\n"
            f"{shown}.pub: its public half, to give away; "
            f"fingerprint {document.fingerprint}\n"
        )
        following = (
            f"give {shown}.pub to who shares with you, then "
            f"diskwright library follow URL --key receiver:{shown}"
        )
    else:
        key_id = app.new_key(file, passphrase=phrase)
        made = f"{shown}: key {key_id}\n"
        following = f"diskwright prepare IMAGE --to TARGET --key local:{shown}"
    session.say(
        f"{made}"
        "Keep a copy of it in a safe place: without it, what was sealed with it is lost.\n"
        f"Next: {following}"
    )
    session.results.append({"image": None, "key": key_id, "file": file, "error": None})


@command.command(
    "public",
    epilog="""\b
Examples:
  diskwright key public receiver.json
  diskwright key public receiver.json > receiver.json.pub""",
)
@click.argument("file", metavar="FILE")
@output_option
@click.pass_obj
def public(session: Session, file: str) -> None:
    """Print the public document of the receiver's key in FILE.

    Whoever has it can seal for that key, and open nothing. It does not prove whose it is: compare
    its fingerprint (on stderr) with its owner's, by another way.
    """
    session.command = "key public"
    document = session.open().receiver(file)
    text = document.encode().decode()
    session.say(text)
    click.echo(f"diskwright: fingerprint {document.fingerprint}", err=True)
    session.results.append(
        {
            "image": None,
            "key": document.id,
            "file": file,
            "public": text,
            "fingerprint": document.fingerprint,
            "error": None,
        }
    )
