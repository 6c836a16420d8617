"""Where images come from, as inline SVG: a row for each channel, time from left to right.

    debian-12   o---o---o---o          a channel's versions are on one line
                     \\       \\         what was made of one stands right of it
    shop              o-------o

An image stands right of the one before it in its row, and of the one that it was made of where that
is older: so each is placed once, in the order of time, and a circle of claims ends as any other
does. All that comes from a library is a number, or goes through `escaped`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from diskwright._values import Struct
from diskwright.model.finding import Result
from diskwright.model.library import Entry, Status
from diskwright.model.text import printable
from diskwright.report.columns import cut
from diskwright.report.library_words import CLASSES, LOOKS, called, counted, marks
from diskwright.report.markup import escaped

MOST_LANES = 16
MOST_IN_A_LANE = 40
_NO_CHANNEL = "no channel"
_STEP, _ROW, _TOP = 84, 62, 30  # pixels
_EDGE = 44  # from the left to the first, from the last to the right
_RADIUS = 9
_LABEL = 17  # cells
_SIGNS = {Result.FAIL: "×", Result.WARN: "!", Result.UNKNOWN: "…", Result.PASS: ""}


class Node(Struct, frozen=True):
    entry: Entry
    lane: int
    step: int

    @property
    def x(self) -> int:
        return _EDGE + self.step * _STEP

    @property
    def y(self) -> int:
        return _TOP + self.lane * _ROW


class Lineage(Struct, frozen=True):
    """`edges`: from an image to one that was made of it. `left_out`: images for want of room."""

    lanes: tuple[str, ...]
    nodes: tuple[Node, ...]
    edges: tuple[tuple[Node, Node], ...]
    left_out: int


def lineage(entries: Iterable[Entry]) -> Lineage:
    """Of those that are of a channel, were made of another that is here, or are that other."""
    by_id: dict[str, Entry] = {}
    for entry in entries:
        by_id.setdefault(entry.id, entry)
    sources = {entry.from_image for entry in by_id.values() if entry.from_image in by_id}
    related = [
        entry
        for entry in by_id.values()
        if entry.channel or entry.from_image in by_id or entry.id in sources
    ]
    related.sort(key=lambda entry: (entry.created, entry.id))
    channels: dict[str, list[Entry]] = {}
    for entry in related:
        channels.setdefault(entry.channel, []).append(entry)
    lanes = _lanes(channels)
    kept = {entry.id for name in lanes for entry in channels[name][-MOST_IN_A_LANE:]}
    nodes = _placed([entry for entry in related if entry.id in kept], lanes)
    edges = tuple(
        (nodes[node.entry.from_image], node)
        for node in nodes.values()
        if node.entry.from_image in nodes and node.entry.from_image != node.entry.id
    )
    return Lineage(lanes, tuple(nodes.values()), edges, len(related) - len(nodes))


def _lanes(channels: Mapping[str, Sequence[Entry]]) -> tuple[str, ...]:
    """Those that changed last, the oldest above, what is of no channel beneath."""
    newest = sorted(channels, key=lambda name: (channels[name][-1].created, name))[-MOST_LANES:]
    return tuple(sorted(newest, key=lambda name: (not name, channels[name][0].created, name)))


def _placed(ordered: Iterable[Entry], lanes: Collection[str]) -> dict[str, Node]:
    numbers = {name: number for number, name in enumerate(lanes)}
    free = dict.fromkeys(lanes, 0)
    nodes: dict[str, Node] = {}
    for entry in ordered:
        source = nodes.get(entry.from_image)
        step = max(free[entry.channel], source.step + 1 if source is not None else 0)
        nodes[entry.id] = Node(entry, numbers[entry.channel], step)
        free[entry.channel] = step + 1
    return nodes


def lineage_svg(entries: Iterable[Entry], anchors: Mapping[str, str]) -> str:
    """Empty where nothing is related. `anchors`: where the page tells more of an id."""
    found = lineage(entries)
    if not found.nodes:
        return ""
    height = _TOP + len(found.lanes) * _ROW - 14
    width = 2 * _EDGE + max(node.step for node in found.nodes) * _STEP
    label = (
        f"Lineage of {counted(len(found.nodes), 'image')} in {counted(len(found.lanes), 'row')}: "
        "the table tells of each what it was made of"
    )
    more = (
        f'<p class="sub">{counted(found.left_out, "image")} not drawn: here are the newest '
        f"{MOST_IN_A_LANE} of the {MOST_LANES} channels that changed last</p>"
    )
    return "\n".join(
        [
            '<div class="lineage">',
            f'<svg class="lanes" aria-hidden="true" width="140" height="{height}">',
            *(_label(name, number) for number, name in enumerate(found.lanes)),
            "</svg>",
            '<div class="drawn" tabindex="0" role="region" aria-label="Lineage">',
            f'<svg role="img" aria-label="{label}" width="{width}" height="{height}">',
            *_rails(found),
            *(_edge(source, target) for source, target in found.edges),
            *(_node(node, anchors.get(node.entry.id)) for node in found.nodes),
            "</svg>",
            "</div>",
            "</div>",
            _key(),
            *([more] if found.left_out else []),
        ]
    )


def _label(name: str, number: int) -> str:
    shown = escaped(cut(printable(name), _LABEL)) if name else _NO_CHANNEL
    kind = ' class="none"' if not name else ""
    title = f"<title>{escaped(name)}</title>" if name else ""
    return f'<text{kind} x="0" y="{_TOP + number * _ROW + 5}">{title}{shown}</text>'


def _rails(found: Lineage) -> Iterator[str]:
    """From a channel's first version to its last."""
    for number, name in enumerate(found.lanes):
        places = [node.x for node in found.nodes if node.lane == number]
        if name and len(places) > 1:
            y = _TOP + number * _ROW
            yield f'<line class="rail" x1="{places[0]}" x2="{places[-1]}" y1="{y}" y2="{y}"/>'


def _edge(source: Node, target: Node) -> str:
    """Ends at the left of its target, by an arrow; within a row it goes above the others."""
    begin, end = source.x + _RADIUS, target.x - _RADIUS - 6
    if source.lane == target.lane:
        top = source.y - 26
        curve = f"C{begin} {top} {end - 8} {top} {end} {target.y}"
        begin = source.x
    else:
        bend = max((end - begin) // 2, 30)
        curve = f"C{begin + bend} {source.y} {end - bend} {target.y} {end} {target.y}"
    line = f'<path class="edge" d="M{begin} {source.y}{curve}"/>'
    return line + f'<path class="tip" d="M{end} {target.y - 4}l6 4l-6 4z"/>'


def _look(entry: Entry) -> Result:
    """The worst of its status and its marks."""
    seen = {LOOKS[entry.status], *(look for _, look in marks(entry))}
    return next(look for look in CLASSES if look in seen or look is Result.PASS)


def _node(node: Node, anchor: str | None) -> str:
    entry, look = node.entry, _look(node.entry)
    said = [called(entry), entry.status.value, entry.created, *(word for word, _ in marks(entry))]
    gone = " gone" if entry.status in (Status.PENDING_DELETE, Status.DELETED) else ""
    shapes = (
        f"<title>{escaped(', '.join(said))}</title>"
        f'<circle class="{CLASSES[look]}{gone}" cx="{node.x}" cy="{node.y}" r="{_RADIUS}"/>'
        f'<text class="sign" x="{node.x}" y="{node.y + 4}">{_SIGNS[look]}</text>'
        f'<text class="day" x="{node.x}" y="{node.y + 25}">{escaped(entry.created[:10])}</text>'
    )
    return f'<a href="#{anchor}" tabindex="-1">{shapes}</a>' if anchor else f"<g>{shapes}</g>"


def _key() -> str:
    words = {
        Result.PASS: "active",
        Result.WARN: "with findings, or in the trash",
        Result.UNKNOWN: "going on, or not accepted yet",
        Result.FAIL: "error, or inconsistent",
    }
    items = (
        f'<li><svg class="dot" aria-hidden="true" width="20" height="20">'
        f'<circle class="{CLASSES[look]}" cx="10" cy="10" r="{_RADIUS}"/>'
        f'<text class="sign" x="10" y="14">{_SIGNS[look]}</text></svg>{text}</li>'
        for look, text in words.items()
    )
    return f'<ul class="counts key-of">{"".join(items)}</ul>'
