"""How a library of the list is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diskwright.cli.session import Session, path_text

if TYPE_CHECKING:
    from diskwright.model.library import KnownLibrary


def tell_library(session: Session, known: KnownLibrary, done: str) -> None:
    from diskwright.model.codec import encode

    default = ", the default" if known.default else ""
    session.say(f"library {known.name}: {done} at {path_text(known.url)}{default}")
    session.results.append({"image": None, "library": encode(known), "error": None})
