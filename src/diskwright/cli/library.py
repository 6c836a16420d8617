"""diskwright library …"""

from __future__ import annotations

from typing import ClassVar

import click

from diskwright.cli.lazy import LazyGroup


class _LibraryGroup(LazyGroup):
    table: ClassVar = {
        "init": ("libraries.init", "Make a library in a folder or a bucket."),
        "add": ("libraries.add", "Add one that is there to this workstation's list."),
        "follow": ("libraries.follow", "Receive what another's library offers to us."),
        "list": ("libraries.list", "List the libraries that are known here."),
        "default": ("libraries.default", "Choose the one that is meant by default."),
        "forget": ("libraries.forget", "Take one off the list; nothing in it is touched."),
        "sync": ("libraries.sync", "Read what others changed, or everything."),
        "rebuild": ("libraries.rebuild", "Make the catalog here anew from the library."),
        "report": ("libraries.report", "Write a page to look at: images, sizes, lineage."),
        "check": ("libraries.check", "Check every object against its manifest."),
        "gc": ("libraries.gc", "Empty the trash, remove what killed runs left."),
        "prune": ("libraries.prune", "Delete old versions of a channel."),
    }


@click.group("library", cls=_LibraryGroup, short_help="Libraries of private images.")
def command() -> None:
    """A library is a folder or a bucket that keeps private images.

    What is there is the truth: the catalog on this workstation is an index that can be made anew.
    """
