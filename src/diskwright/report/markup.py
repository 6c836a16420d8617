"""Text from anywhere as text in a page, and nothing more."""

from __future__ import annotations

import html
from collections.abc import Iterable

from diskwright.model.text import printable


def escaped(text: str) -> str:
    """In one line: no markup, no quote that ends an attribute, nothing that turns the reading
    direction or is not seen.
    """
    return html.escape(printable(text), quote=True)


def lines(text: str) -> list[str]:
    """Those of a finding's evidence or remedy, each escaped."""
    return [escaped(line) for line in text.split("\n")] if text else []


def table(head: Iterable[str], rows: Iterable[Iterable[str]], *, kind: str) -> str:
    """Of cells that are markup already, in a box that scrolls by itself where it is too wide."""
    titles = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "\n".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    return (
        f'<div class="wide"><table class="{kind}">\n<thead><tr>{titles}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )
