"""`inspect --diff A B`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diskwright.cli.session import Session, path_text

if TYPE_CHECKING:
    from diskwright.app.inputs import InputOptions


def tell_difference(
    session: Session,
    a: str,
    b: str,
    inputs: InputOptions,
    *,
    files: bool,
    progress: bool | None,
) -> None:
    from diskwright.report.difference import difference_text, difference_value

    app = session.open()
    with session.progress(progress) as bar:
        found = app.difference(a, b, files=files, progress=bar, **inputs)
    session.say(difference_text(found, path_text(a), path_text(b)))
    session.results.append(
        {
            "image": path_text(a),
            "facts": None,
            "findings": [],
            "error": None,
            "difference": {**difference_value(found), "a": path_text(a), "b": path_text(b)},
        }
    )
