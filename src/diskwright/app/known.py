"""The list of libraries that this workstation knows, and which of them is meant."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from diskwright.errors import UsageError

if TYPE_CHECKING:
    from diskwright.adapters.registry import FileLibraryRegistry
    from diskwright.config import Settings
    from diskwright.model.library import KnownLibrary


def registry(settings: Settings) -> FileLibraryRegistry:
    from diskwright.adapters.registry import FileLibraryRegistry

    return FileLibraryRegistry(os.path.join(settings.data_dir, "libraries.json"))


def whereabouts(settings: Settings, known: KnownLibrary) -> bytes:
    """Where a library lies: a copy of it that lies elsewhere is not the same one."""
    if known.url.startswith("dir:"):
        return os.fsencode(os.path.realpath(known.url.removeprefix("dir:")))
    endpoint = known.endpoint_url or settings.s3.endpoint_url or ""
    return os.fsencode(f"{endpoint.rstrip('/')} {known.url.rstrip('/')}")


def chosen(settings: Settings, wanted: str | None) -> KnownLibrary:
    """By name, or as a place that need not be known. None: that of the settings, else the default.

    Raises UsageError.
    """
    from diskwright.app.adapters import given
    from diskwright.model.library import KnownLibrary

    known = registry(settings).known()
    name = given("--library", wanted) or settings.library
    if not name:
        default = next((one for one in known if one.default), None)
        if default is None:
            listed = ", ".join(one.name for one in known)
            hint = f"choose one of {listed}: diskwright library default NAME, or --library NAME"
            if not known:
                hint = "make one: diskwright library init NAME PATH"
            raise UsageError("there is no default library", hint)
        return default
    named = next((one for one in known if one.name == name), None)
    if named is not None and named.account:
        hint = "it is received from: diskwright image list --visibility shared"
        raise UsageError(f"--library {name}: that is another's library", hint)
    if named is not None:
        return named
    if name.startswith(("dir:", "s3://")):
        ours = (one for one in known if one.url == name and not one.account)
        return next(ours, KnownLibrary("", name))
    listed = ", ".join(one.name for one in known) or "none"
    raise UsageError(f"--library {name}: not known here", f"known: {listed}; or a URL")
