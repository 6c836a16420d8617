"""A page that needs nothing else: its own policy forbids all but its style and its script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

from diskwright.report.markup import escaped


def page(title: str, body: Iterable[str], *, style: str, script: str = "") -> str:
    """`body` is markup, the rest our own text but for the title, which is escaped here."""
    scripts = f" script-src {_digest(script)};" if script else ""
    policy = (
        f"default-src 'none'; style-src {_digest(style)};{scripts} "
        "base-uri 'none'; form-action 'none'"
    )
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{escaped(title)}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            "<main>",
            *body,
            "</main>",
            *([f"<script>{script}</script>"] if script else []),
            "</body>",
            "</html>",
            "",
        ]
    )


def _digest(text: str) -> str:
    """As a policy of the page names the text of an element (CSP level 3, section 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
