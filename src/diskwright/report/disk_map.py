"""A map of a disk, drawn to scale, as inline SVG.

    partitions    ┌1┬────────────2────────────┬───────3───────┐   what each is for
    contents      └▓┴▓▓▓▓▓▓▓▓▓░░░░░░░░░░░░░░░░┴▓▓▓░░┬░░░░░░░░░┘   file systems; ▓ of each is in use
    scale         0            ½ GiB                       1 GiB

Places and widths are shares of the disk in percent, so that it fits any screen and its text keeps
its size. A partition that is thinner than a pixel is still a line. All that comes from a disk is a
number, a word of ours, or goes through `escaped`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from diskwright._values import Struct
from diskwright.model.guest import FileSystem, GuestFacts
from diskwright.model.partitions import Partition
from diskwright.model.units import format_size
from diskwright.report.markup import escaped

MOST_DRAWN = 128  # partitions, and file systems
_TOP, _HEIGHT, _GAP = 1, 34, 6  # pixels
_WIDE, _NARROW = 5.0, 2.8  # pixels of a percent, at least: on a wide screen, on a narrow one
_LETTER, _EDGES = 7.5, 8  # pixels, at most, of a letter; of the room beside a label
_THIN = 0.3  # percent: below it a partition is little more than its edges
_TICKS = 4


class Part(Struct, frozen=True):
    """One rectangle: `start` and `width` in percent of the disk, `used` as a share of the width.

    `kind` is a class of the style sheet; `number` and `name` are what it is called.
    """

    start: float
    width: float
    kind: str
    number: str
    name: str
    told: str
    used: float | None = None


def disk_map(guest: GuestFacts, size: int) -> str:
    """Empty where there is nothing to draw: no size, or nothing was found on the disk."""
    if size <= 0:
        return ""
    partitions = _partitions(guest, size)
    contents = list(_contents(guest, size))
    if not partitions and not contents:
        return ""
    rows = [row for row in (partitions, contents) if row]
    tall = _TOP + len(rows) * (_HEIGHT + _GAP)
    tops = [_TOP + number * (_HEIGHT + _GAP) for number in range(len(rows))]
    drawn = [_drawn(part, top) for top, row in zip(tops, rows, strict=True) for part in row]
    label = f"Map of the disk, {format_size(size)}, drawn to scale"
    return "\n".join(
        [
            f'<svg class="map" role="img" aria-label="{label}" width="100%" height="{tall + 22}">',
            *(
                f'<rect class="disk" x="0" y="{top}" width="100%" height="{_HEIGHT}"/>'
                for top in tops
            ),
            *drawn,
            *_scale(size, tall),
            "</svg>",
        ]
    )


def _share(value: int, size: int) -> float:
    return 100 * min(max(value, 0), size) / size


def _part(start: int, length: int, size: int) -> tuple[float, float]:
    """Clipped to the disk: a table may lie."""
    left = _share(start, size)
    return left, _share(start + max(length, 0), size) - left


def _partitions(guest: GuestFacts, size: int) -> list[Part]:
    """The largest first: what lies in another, or is a line only, is drawn over it."""
    found = guest.table.partitions[:MOST_DRAWN] if guest.table is not None else ()
    ordered = sorted(found, key=lambda p: -p.length)
    return [
        Part(
            *_part(p.start, p.length, size),
            kind=p.role.value,
            number=str(p.number),
            name=f"{p.number} {p.label or p.role.value}",
            told=f"partition {p.number}: {p.role}, {format_size(p.length)} at {p.start}",
        )
        for p in ordered
    ]


def _contents(guest: GuestFacts, size: int) -> Iterator[Part]:
    """File systems where they are; those of volumes one after the other in the first partition
    that holds them, as nobody knows better.
    """
    partitions = {p.number: p for p in (guest.table.partitions if guest.table else ())}
    holders = {volume.name: volume for volume in guest.volumes}
    taken: dict[int | None, int] = {}
    for fs in (guest.filesystems or ())[:MOST_DRAWN]:
        if fs.volume is None:
            start, length = _place(partitions.get(fs.partition or -1), size)
            if fs.partition is not None and fs.partition not in partitions:
                continue
            if any(fs.partition in volume.partitions for volume in guest.volumes):
                continue  # it is what holds the volumes
        else:
            volume = holders.get(fs.volume)
            first = volume.partitions[0] if volume is not None and volume.partitions else None
            start, room = _place(partitions.get(first or -1), size)
            before = taken.get(first, 0)
            length = min(volume.size if volume is not None else fs.size or 0, max(room - before, 0))
            taken[first] = before + length
            start += before
        yield _content(fs, *_part(start, length, size))


def _place(partition: Partition | None, size: int) -> tuple[int, int]:
    return (0, size) if partition is None else (partition.start, partition.length)


def _content(fs: FileSystem, start: float, width: float) -> Part:
    return Part(
        start,
        width,
        kind="fs",
        number=fs.type,
        name=f"{fs.type} {fs.label}" if fs.label else fs.type,
        told=f"{fs.type} on {fs.place}" + (f", {format_size(fs.size)}" if fs.size else ""),
        used=used_share(fs),
    )


def used_share(fs: FileSystem) -> float | None:
    """From 0 to 1; None where it is not known, or is a lie."""
    if not fs.size or fs.free is None or not 0 <= fs.free <= fs.size:
        return None
    return (fs.size - fs.free) / fs.size


def _drawn(part: Part, top: int) -> str:
    x, width = _percent(part.start), _percent(part.width)
    place = f'x="{x}" y="{top}"'
    thin = " thin" if part.width < _THIN else ""
    shapes = [f'<rect class="part {part.kind}{thin}" {place} width="{width}" height="{_HEIGHT}"/>']
    if part.used is not None:
        used = _percent(part.width * part.used)
        shapes.append(f'<rect class="used" {place} width="{used}" height="{_HEIGHT}"/>')
    shapes.append(_labels(part, f'{place} width="{width}"'))
    return f"<g><title>{escaped(part.told)}</title>{''.join(shapes)}</g>"


def _labels(part: Part, place: str) -> str:
    """Whole or not at all; the style sheet chooses the one for the screen's width."""
    wide = next((one for one in (part.name, part.number) if _fits(one, part, _WIDE)), "")
    narrow = part.number if _fits(part.number, part, _NARROW) else ""
    texts = [
        f'<text class="{look}" x="5" y="22">{escaped(text)}</text>'
        for look, text in (("long", wide), ("short", narrow))
        if text
    ]
    return f'<svg {place} height="{_HEIGHT}">{"".join(texts)}</svg>' if texts else ""


def _fits(label: str, part: Part, percent: float) -> bool:
    return len(label) * _LETTER + _EDGES <= part.width * percent


def _percent(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") + "%"


def _scale(size: int, top: int) -> Iterable[str]:
    for tick in range(_TICKS + 1):
        x = _percent(100 * tick / _TICKS)
        anchor = {0: "start", _TICKS: "end"}.get(tick, "middle")
        kind = "tick odd" if tick % 2 else "tick"
        text = format_size(size * tick // _TICKS) if tick else "0"
        yield f'<line class="axis" x1="{x}" x2="{x}" y1="{top - 2}" y2="{top + 3}"/>'
        yield f'<text class="{kind}" text-anchor="{anchor}" x="{x}" y="{top + 17}">{text}</text>'
