"""Images of a library as rows of an HTML table, the first ones with all that is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from diskwright._values import Struct
from diskwright.model.finding import Result
from diskwright.model.library import Entry
from diskwright.model.text import printable
from diskwright.report.columns import cut
from diskwright.report.library_words import (
    CLASSES,
    KINDS,
    LOOKS,
    called,
    entry_rows,
    marks,
    size_of,
    system_of,
)
from diskwright.report.markup import escaped

TOGETHER = 500  # rows of one table: the first is seen, others are folded
MOST_IN_FULL = 500
MOST_ROWS = 5_000
_MOST_TAGS = _MOST_FINDINGS = 8
_LONGEST = 200  # cells of what a person wrote; it is whole among the facts
_TITLES = ("image", "state", "system", "size", "stored", "created")


class Rows(Struct, frozen=True):
    """`anchors`: ids of images to places in the page."""

    entries: Sequence[Entry]
    anchors: Mapping[str, str]

    def tables(self) -> Iterator[str]:
        for start in range(0, len(self.entries), TOGETHER):
            chunk = self.entries[start : start + TOGETHER]
            rows = (self._row(number, one) for number, one in enumerate(chunk, start))
            table = _table(rows)
            if start:
                said = f"images {start + 1} to {start + len(chunk)}"
                table = f'<details class="more"><summary>{said}</summary>\n{table}</details>'
            yield table

    def _row(self, number: int, entry: Entry) -> str:
        anchor = self.anchors.get(entry.id)
        own = f' id="{anchor}"' if anchor == anchor_of(number) else ""
        looks = " ".join(
            badge(word, look)
            for word, look in ((entry.status.value, LOOKS[entry.status]), *marks(entry))
        )
        system = escaped(cut(printable(system_of(entry)), _LONGEST))
        facts = [
            ("state", f'<div class="badges">{looks}</div>{_against(entry)}'),
            ("system", "<br>".join(filter(None, (system, KINDS[entry.kind])))),
            ("size", size_of(entry.virtual_size)),
            ("stored", size_of(entry.object_size)),
            ("created", escaped(entry.created[:10])),
        ]
        cells = "".join(f'<td role="cell" data-label="{key}">{value}</td>' for key, value in facts)
        name = escaped(cut(printable(called(entry)), _LONGEST))
        head = (
            f'<th role="rowheader" scope="row"><span class="name">{name}</span>'
            f'<code class="id">{escaped(entry.id)}</code></th>'
        )
        return (
            f'<tbody role="rowgroup" class="image"{own}><tr role="row">{head}{cells}</tr>\n'
            f"{self._beneath(number, entry)}</tbody>"
        )

    def _beneath(self, number: int, entry: Entry) -> str:
        """A row over all columns, for what few images have, and for all facts."""
        parts = []
        if entry.description:
            parts.append(f"<p>{escaped(cut(printable(entry.description), _LONGEST))}</p>")
        if entry.channel:
            parts.append(f'<p class="sub">channel {escaped(entry.channel)}</p>')
        if entry.from_image:
            parts.append(f'<p class="sub">made of {self._source(entry.from_image)}</p>')
        parts.append(_tags(entry))
        if number < MOST_IN_FULL:
            parts.append(_facts(entry))
        shown = "".join(parts)
        cell = f'<td role="cell" colspan="{len(_TITLES)}"><div class="beneath">{shown}</div></td>'
        return f'<tr role="row">{cell}</tr>' if shown else ""

    def _source(self, image: str) -> str:
        anchor = self.anchors.get(image)
        if anchor is None:
            return f"<code>{escaped(image)}</code>, which is not here"
        name = called(self.entries[int(anchor.removeprefix(_ANCHOR))])
        return f'<a href="#{anchor}">{escaped(cut(printable(name), _LONGEST))}</a>'


_ANCHOR = "image-"


def anchor_of(number: int) -> str:
    return f"{_ANCHOR}{number}"


def badge(text: str, look: Result) -> str:
    return f'<span class="badge {CLASSES.get(look, "plain")}">{escaped(text)}</span>'


def _table(rows: Iterator[str]) -> str:
    """Its roles are said, as on a narrow screen it is shown as something else than a table."""
    titles = "".join(f'<th role="columnheader" scope="col">{title}</th>' for title in _TITLES)
    return (
        f'<table class="library" role="table"><thead role="rowgroup"><tr role="row">{titles}</tr>'
        "</thead>\n" + "\n".join(rows) + "\n</table>"
    )


def _against(entry: Entry) -> str:
    """What stands against it, in its own words."""
    said = [*entry.warnings[:_MOST_FINDINGS], *entry.failed[:_MOST_FINDINGS]]
    more = len(entry.warnings) + len(entry.failed) - len(said)
    lines = [escaped(cut(printable(one), _LONGEST)) for one in said]
    lines += [f"and {more} more"] if more else []
    return f'<p class="against">{"<br>".join(lines)}</p>' if lines else ""


def _tags(entry: Entry) -> str:
    pairs = sorted(entry.tags.items())
    shown = [f"{key}={value}" if value else key for key, value in pairs[:_MOST_TAGS]]
    items = [f"<li>{escaped(cut(printable(one), _LONGEST))}</li>" for one in shown]
    if len(pairs) > len(shown):
        items.append(f"<li>and {len(pairs) - len(shown)} more</li>")
    return f'<ul class="tags" aria-label="tags">{"".join(items)}</ul>' if items else ""


def _facts(entry: Entry) -> str:
    """Rows without a key go on with the one above."""
    grouped: list[tuple[str, list[str]]] = []
    for key, value in entry_rows(entry):
        if key:
            grouped.append((key, []))
        grouped[-1][1].append(escaped(value))
    shown = "".join(f"<dt>{key}</dt><dd>{'<br>'.join(values)}</dd>" for key, values in grouped)
    listed = f'<dl class="facts">{shown}</dl>'
    return f'<details class="all"><summary>all facts</summary>{listed}</details>'
