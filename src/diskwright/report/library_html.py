"""A library as one HTML page that needs nothing else: its sums, where images come from, each image.

Its only script narrows the table, and the page is whole without it; the page's own policy names the
digest of that script and of the style sheet, and forbids everything else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from diskwright.model.library import Entry, ImageKind, Status, Visibility
from diskwright.model.units import format_size
from diskwright.report.html_style import STYLE
from diskwright.report.library_rows import MOST_IN_FULL, MOST_ROWS, TOGETHER, Rows, anchor_of, badge
from diskwright.report.library_style import LIBRARY_STYLE
from diskwright.report.library_words import KINDS, LOOKS, counted
from diskwright.report.lineage import lineage_svg
from diskwright.report.markup import escaped
from diskwright.report.page import page

SCRIPT = """
(() => {
  const box = document.getElementById("filter"), find = document.getElementById("find");
  const said = document.getElementById("found");
  const rows = [...document.querySelectorAll("tbody.image")];
  let texts;
  const told = (row) => {
    const copy = row.cloneNode(true);
    copy.querySelectorAll("details").forEach((part) => part.remove());
    return copy.textContent.toLowerCase();
  };
  const show = () => {
    const words = find.value.toLowerCase().split(/\\s+/).filter(Boolean);
    texts ??= rows.map(told);
    let count = 0;
    rows.forEach((row, at) => {
      row.hidden = !words.every((word) => texts[at].includes(word));
      count += !row.hidden;
    });
    for (const part of document.querySelectorAll("details.more")) {
      const found = part.querySelector("tbody.image:not([hidden])");
      part.hidden = !found;
      part.open = words.length > 0 && !!found;
    }
    said.textContent = words.length ? `${count} of ${rows.length} images` : "";
  };
  find.addEventListener("input", show);
  box.hidden = false;
  if (find.value) show();
})();
"""


def library_html(info_name: str, entries: Iterable[Entry], now: str) -> str:
    """Of the library `info_name`, as it was at `now`; the entries in the order they are given in.

    Above 500 images the table is folded, and all facts are told of the first 500; above 5,000 the
    others are in the sums and the drawing alone. The page says so.
    """
    everything = tuple(entries)
    told = everything[:MOST_ROWS]
    anchors: dict[str, str] = {}
    for number, entry in enumerate(told):
        anchors.setdefault(entry.id, anchor_of(number))
    drawn = lineage_svg(everything, anchors)
    return page(
        f"{info_name}: library",
        [
            "<header>",
            f"<h1>{escaped(info_name)}</h1>",
            f'<p class="sub">{counted(len(everything), "image")}, {escaped(now)}</p>',
            "</header>",
            *_sums(everything),
            *(['<section aria-labelledby="from"><h2 id="from">Lineage</h2>', drawn, "</section>"]
              if drawn else []),
            '<section aria-labelledby="images"><h2 id="images">Images</h2>',
            *_filter(len(told)),
            *_left_out(len(everything)),
            *(Rows(told, anchors).tables() if told else ["<p>There are none.</p>"]),
            "</section>",
            "<footer>Written by diskwright. Sizes are those of the disks as a server sees them, "
            "and as they are stored.</footer>",
        ],
        style=STYLE + LIBRARY_STYLE,
        script=SCRIPT if told else "",
    )  # fmt: skip


def _sums(entries: Sequence[Entry]) -> Iterator[str]:
    statuses = Counter(entry.status for entry in entries)
    kinds = Counter(entry.kind for entry in entries)
    figures = [
        (format_size(sum(one.virtual_size for one in entries)), "of disks"),
        (format_size(sum(one.object_size for one in entries)), "stored"),
        *((str(kinds[kind]), KINDS[kind] + ("" if kinds[kind] == 1 else "s")) for kind in ImageKind
          if kinds[kind]),
        *((str(count), word) for word, count in _marked(entries) if count),
    ]  # fmt: skip
    yield '<section class="overview" aria-label="Sums">'
    badges = (
        f"<li>{badge(f'{statuses[status]} {status}', LOOKS[status])}</li>"
        for status in Status
        if statuses[status]
    )
    yield f'<ul class="counts">{"".join(badges)}</ul>'
    items = "".join(f"<li><strong>{value}</strong> {word}</li>" for value, word in figures)
    yield f'<ul class="figures">{items}</ul>'
    yield "</section>"


def _marked(entries: Sequence[Entry]) -> Iterator[tuple[str, int]]:
    yield "with findings", sum(bool(one.failed) for one in entries)
    yield "inconsistent", sum(bool(one.warnings) for one in entries)
    yield "sealed", sum(one.sealed for one in entries)
    yield "not opened", sum(not one.opened for one in entries)
    yield "shared by us", sum(bool(one.members) for one in entries)
    yield "shared with us", sum(one.visibility is Visibility.SHARED for one in entries)
    yield "quick", sum(one.quick for one in entries)


def _filter(count: int) -> Iterator[str]:
    if count:
        yield (
            '<div id="filter" hidden><label for="find">Show images with</label>'
            '<input id="find" type="search" autocomplete="off" placeholder="debian sealed">'
            '<span id="found" role="status"></span></div>'
        )


def _left_out(count: int) -> Iterator[str]:
    if count > MOST_ROWS:
        yield (
            f'<p class="note">The table has the first {MOST_ROWS} of {count} images. All of them: '
            "<code>diskwright image list</code></p>"
        )
    if count > MOST_IN_FULL:
        yield (
            f'<p class="note">It is folded behind each {TOGETHER} images, and all facts are told '
            f"of the first {MOST_IN_FULL}. Of any other: <code>diskwright image show ID</code></p>"
        )
