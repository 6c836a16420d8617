"""A click group that imports a command when it is called, so that `--help` is quick."""

# ruff: noqa: ARG002 - the methods have the signatures that click calls

from __future__ import annotations

from importlib import import_module
from typing import ClassVar

import click

# name: (module under diskwright.cli, one line for --help)
COMMANDS = {
    "inspect": ("inspect", "Tell what an image file is and what is installed in it."),
    "validate": ("validate", "Check an image against a target cloud's written requirements."),
    "convert": ("convert", "Convert an image file to another format, in one pass."),
    "prepare": ("prepare", "Validate, convert, seal and upload an image, ready for import."),
    "restore": (
        "restore",
        "Fetch an image that was prepared, verified, to a file or another place.",
    ),
    "image": ("image", "Private images of a library: create, list, modify, share, delete."),
    "server": ("server", "Servers of this workstation: make of images, list, delete."),
    "volume": ("volume", "Volumes of this workstation: make of data disk images, list, delete."),
    "library": ("library", "Libraries of private images: make, list, sync, check."),
    "account": ("account", "Whom images are shared with: an address book of receivers."),
    "iso": ("iso", "Tell what an ISO is, list it and take files out of it."),
    "uploads": ("uploads", "List and abort uploads that were left open."),
    "key": ("key", "Make key-encryption keys and receivers' keys."),
    "doctor": ("doctor", "Say what works here, and what an endpoint can do."),
    "completion": ("completion", "Print the completion script for a shell."),
}


class LazyGroup(click.Group):
    """`table` says of each command its module under `diskwright.cli`, and one line for --help.

    `module:name` where the command is not what its module calls `command`.
    """

    table: ClassVar[dict[str, tuple[str, str]]] = COMMANDS

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.table:
            return None
        module, _, attribute = self.table[cmd_name][0].partition(":")
        found = import_module(f"diskwright.cli.{module}")
        command: click.Command = getattr(found, attribute or "command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.table.items()])
