"""Verdicts as one HTML page that needs nothing else: no script, no font, no picture from elsewhere.

What fails comes first, each with what to do, to be copied; then the map of the disk and its facts.
The page's own policy forbids whatever is not its one style sheet, so that nothing which an image
says could be more than text even if an escape were missed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from diskwright.errors import DiskwrightError
from diskwright.model.outcome import Validated
from diskwright.model.units import format_size
from diskwright.report.disk_map import disk_map
from diskwright.report.facts import guest_rows, image_rows
from diskwright.report.html_disk import contents_table
from diskwright.report.html_findings import findings, passed
from diskwright.report.html_style import STYLE
from diskwright.report.judged import Judged, Judgement, Standing, standing
from diskwright.report.markup import escaped, table
from diskwright.report.page import page

_LOOKS = {
    Standing.NOT_JUDGED: "bad",
    Standing.NOT_READY: "bad",
    Standing.NOT_KNOWN: "open",
    Standing.READY: "good",
}


def html(judgement: Judgement) -> str:
    judged = judgement.judged
    title = judged[0].label if len(judged) == 1 else f"{len(judged)} images"
    articles = [_article(n, one, judgement) for n, one in enumerate(judged, 1)]
    badge = _badge(standing(judged[0], strict=judgement.strict)) if len(judged) == 1 else ""
    return page(
        f"{title}: {judgement.profile}",
        [
            "<header>",
            f'<div class="head"><h1>{escaped(title)}</h1>{badge}</div>',
            f'<p class="sub">Judged for <strong>{escaped(judgement.profile)}</strong>'
            f"{', strictly' if judgement.strict else ''}, {escaped(judgement.time)}</p>",
            "</header>",
            *([_overview(judgement)] if len(judged) > 1 else []),
            *articles,
            f"<footer>Written by diskwright {escaped(judgement.version)}. Commands are for the "
            "guest, unless it says otherwise; a click selects them whole.</footer>",
        ],
        style=STYLE,
    )


def _overview(judgement: Judgement) -> str:
    """How many of each, and a line for each disk."""
    strict = judgement.strict
    count = Counter(standing(one, strict=strict) for one in judgement.judged)
    words = [word for word in Standing if count[word]]
    badges = [f"<li>{_badge(word, f'{count[word]} {word}')}</li>" for word in words]
    rows = [
        [
            f'<a href="#image-{number}">{escaped(one.label)}</a>',
            _badge(standing(one, strict=strict)),
            _against(one, strict=strict),
        ]
        for number, one in enumerate(judgement.judged, 1)
    ]
    return "\n".join(
        [
            '<section class="overview">',
            f'<ul class="counts">{"".join(badges)}</ul>',
            table(["image", "verdict", "what stands against it"], rows, kind="images"),
            "</section>",
        ]
    )


def _against(one: Judged, *, strict: bool) -> str:
    if isinstance(one.outcome, DiskwrightError):
        return escaped(f"{one.outcome.kind} [{one.outcome.code}]")
    return ", ".join(escaped(f.id) for f in one.outcome.verdict.standing(strict=strict))


def _badge(word: Standing, text: str | None = None) -> str:
    return f'<span class="badge {_LOOKS[word]}">{escaped(text or word.value)}</span>'


def _article(number: int, one: Judged, judgement: Judgement) -> str:
    head = [f'<article id="image-{number}">']
    if len(judgement.judged) > 1:
        badge = _badge(standing(one, strict=judgement.strict))
        head.append(f'<div class="head"><h2>{escaped(one.label)}</h2>{badge}</div>')
    if isinstance(one.outcome, DiskwrightError):
        body = [_refused(one.outcome)]
    else:
        body = _judged(one.outcome, judgement)
    return "\n".join([*head, *body, "</article>"])


def _refused(error: DiskwrightError) -> str:
    return (
        '<section class="finding f-bad">'
        f'<h4>{escaped(error.message)} <code class="id">{escaped(error.kind)}</code></h4>'
        f"<dl><dt>what to do</dt><dd>{escaped(error.hint)}</dd></dl></section>"
    )


def _judged(found: Validated, judgement: Judgement) -> list[str]:
    image, guest = found.image, found.guest
    system = guest.os.name or guest.os.id if guest.os is not None else None
    said = [
        image.format.value,
        f"disk of {format_size(image.virtual_size)}",
        system or "no system known",
        *(["judged as a data disk"] if found.data else []),
    ]
    drawn = disk_map(guest, image.virtual_size)
    return [
        f'<p class="sub">{", ".join(map(escaped, said))}</p>',
        *findings(found.verdict, judgement.rules),
        *passed(found.verdict),
        *(["<h3>Disk</h3>", drawn, contents_table(guest)] if drawn else []),
        "<h3>Facts</h3>",
        _facts([*image_rows(image), *guest_rows(guest)]),
    ]


def _facts(rows: Iterable[tuple[str, str]]) -> str:
    """Rows without a key go on with the one above."""
    grouped: list[tuple[str, list[str]]] = []
    for key, value in rows:
        if key or not grouped:
            grouped.append((key, []))
        grouped[-1][1].append(escaped(value))
    shown = (f"<dt>{escaped(key)}</dt><dd>{'<br>'.join(v)}</dd>" for key, v in grouped)
    return '<dl class="facts">\n' + "\n".join(shown) + "\n</dl>"
