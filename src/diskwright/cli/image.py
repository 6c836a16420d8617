"""diskwright image …"""

from __future__ import annotations

from typing import ClassVar

import click

from diskwright.cli.lazy import LazyGroup


class _ImageGroup(LazyGroup):
    table: ClassVar = {
        "create": ("images.create", "Create an image from files, validated and prepared."),
        "list": ("images.list", "List images, as a table, JSON or CSV."),
        "show": ("images.show", "Tell all of an image."),
        "history": ("images.history", "Tell every change of an image: when, by whom."),
        "set": ("images.set", "Modify name, description, memory, multi-queue, SR-IOV."),
        "tag": ("images.tag", "Put tags on an image."),
        "untag": ("images.untag", "Take tags off an image."),
        "share": ("images.share", "Offer images to another account."),
        "unshare": ("images.unshare", "Take images back from an account."),
        "shares": ("images.shares", "Tell what is shared: by us, and with us."),
        "accept": ("images.accept", "Use an image that another shares with us."),
        "reject": ("images.reject", "Don't use an image that another shares with us."),
        "replicate": ("images.replicate", "Make a new image of one, here or elsewhere."),
        "download": ("images.download", "Fetch an image into a file."),
        "export": ("images.export", "Put an image under a key of a bucket."),
        "delete": ("images.delete", "Put images into the trash."),
        "undelete": ("images.undelete", "Take an image out of the trash again."),
        "prove": ("images.prove", "Read an image back, and note that it is whole."),
    }


@click.group("image", cls=_ImageGroup, short_help="Private images of a library.")
def command() -> None:
    """Private images: kept in a library, which is a folder or a bucket.

    Every command takes an image's id, a unique beginning of one, or its name.
    """
