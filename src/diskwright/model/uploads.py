"""Uploads that were begun at a target and not ended, and what became of them."""

from __future__ import annotations

from enum import StrEnum

from diskwright._values import Struct


class Owner(StrEnum):
    """Whose an open upload is, by the journal of this machine."""

    LIVING = "living"  # a run that goes on here
    DEAD = "dead"  # a run of here that ended without cleaning up
    UNKNOWN = "unknown"  # another machine's, another program's, or its journal is gone


class FoundUpload(Struct, frozen=True):
    """`image` is the image id that the key names, if any; `begun` a time like a manifest's."""

    key: str
    upload_id: str
    image: str | None
    begun: str | None
    owner: Owner


class ListedUploads(Struct, frozen=True):
    """`dead_runs`: image ids of all dead runs of here, also of those without an open upload."""

    target: str
    uploads: tuple[FoundUpload, ...]
    dead_runs: tuple[str, ...]


class AbortedUploads(Struct, frozen=True):
    """`dry_run`: what would be done. A dead run is cleaned up whole: its uploads, its objects.

    `committed`: image ids of dead runs that had ended well, so that their objects stay.
    """

    target: str
    dry_run: bool
    aborted: tuple[FoundUpload, ...]
    kept: tuple[FoundUpload, ...]
    cleaned: tuple[str, ...] = ()
    committed: tuple[str, ...] = ()


class UploadChoice(Struct, frozen=True):
    """Which uploads are meant: one field is given. With none, those of dead runs."""

    image: str | None = None
    key: str | None = None
    older_than_s: int | None = None
