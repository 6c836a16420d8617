"""diskwright account …"""

from __future__ import annotations

import click

from diskwright.cli.options import not_empty, output_option
from diskwright.cli.session import Session


@click.group("account", short_help="Whom images are shared with.")
def command() -> None:
    """An address book of this workstation: the public documents of those that images are shared
    with, each under a name."""


@command.command(
    "add",
    epilog="""\b
Examples:
  diskwright account add lab lab.pub""",
)
@click.argument("name", metavar="NAME", callback=not_empty)
@click.argument("file", metavar="FILE.pub", callback=not_empty)
@output_option
@click.pass_obj
def add(session: Session, name: str, file: str) -> None:
    """Know the receiver whose public document FILE.pub is as NAME.

    Anybody can write such a document. Compare its fingerprint with them, by telephone say.
    """
    from diskwright.model.codec import encode
    from diskwright.report.sharing import accounts_text

    session.command = "account add"
    account = session.open().add_account(name, file)
    session.say(
        f"{accounts_text((account,))}\nCompare it with them before you share: key public FILE"
    )
    session.results.append({"image": None, "account": encode(account), "error": None})


@command.command(
    "list",
    epilog="""\b
Examples:
  diskwright account list""",
)
@output_option
@click.pass_obj
def list_(session: Session) -> None:
    """List the accounts that are known here, with the fingerprints of their keys."""
    from diskwright.model.codec import encode
    from diskwright.report.sharing import accounts_text

    session.command = "account list"
    known = session.open().accounts()
    session.say(accounts_text(known))
    session.results += [{"image": None, "account": encode(one), "error": None} for one in known]


@command.command(
    "remove",
    epilog="""\b
Examples:
  diskwright account remove lab""",
)
@click.argument("name", metavar="NAME", callback=not_empty)
@output_option
@click.pass_obj
def remove(session: Session, name: str) -> None:
    """Take NAME out of the address book. What is shared with them stays shared."""
    from diskwright.model.text import printable

    session.command = "account remove"
    session.open().remove_account(name)
    session.say(f"account {printable(name)}: removed here; what is shared with it stays shared")
    session.results.append({"image": None, "account": {"name": name}, "error": None})
