"""How a sync is told. What does not hold together is a failure, with its own exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diskwright.cli.session import Session, path_text

if TYPE_CHECKING:
    from diskwright.model.library import Synced


def tell_synced(session: Session, made: Synced) -> None:
    from diskwright.errors import DataTampered
    from diskwright.model.codec import encode

    lines = [f"{len(made.changed)} images read anew, {len(made.gone)} gone"]
    lines += [f"gone: {one}" for one in made.gone]
    lines += [f"does not hold together: {path_text(one)}" for one in made.damaged]
    lines += [f"not read: {path_text(one)}" for one in made.unread]
    session.say("\n".join(lines))
    if made.damaged:
        session.failures.append(DataTampered("the library", made.damaged[0]))
    told = {"image": None, "synced": encode(made), "sound": not made.damaged, "error": None}
    session.results.append(told)
