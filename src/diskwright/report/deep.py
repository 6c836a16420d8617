"""What `inspect --deep` tells: how a file is made, a map of its disk, why one is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from diskwright._values import Struct
from diskwright.model.deep import AllocationMap, Deep, Refused, Sign, Snapshot
from diskwright.model.image import ImageFacts, ReferenceKind
from diskwright.model.outcome import Inspected
from diskwright.model.text import printable
from diskwright.model.units import format_size
from diskwright.report import strip

_KEY_WIDTH = 13
_LINE_BYTES = 16  # of a dump
_LINE_WIDTH = 39  # in hex, two bytes a group
_SHOWN = 20  # snapshots and files; JSON has more
_MOST_COLUMNS = 240

_Rows = list[tuple[str, str]]

# What a feature means to whoever has the file. The names are those of `ImageFacts.features`.
FEATURES = {
    "zstd": "compressed with zstd; QEMU reads it from 5.1 on",
    "extended-l2": "each cluster is kept in 32 parts; QEMU reads it from 5.2 on",
    "lazy-refcounts": "counts of use are written late, and repaired after a crash",
    "bitmaps": "notes for backup programs of what was changed; not part of the disk",
    "zeroed-grains": "grains of zeros are noted and not stored",
    "redundant-tables": "its tables are there twice",
    "footer": "made as a stream: where the tables are stands at its end",
}

# What a kind means. The names are those of `ImageFacts.subformat`.
SUBFORMATS = {
    "dynamic": "grows as it is written",
    "fixed": "as large as its disk",
    "static": "as large as its disk",
    "monolithicSparse": "one file that grows as it is written",
    "streamOptimized": "compressed, made to be sent",
    "monolithicFlat": "a text that names one file as large as the disk",
    "twoGbMaxExtentSparse": "a text that names files of 2 GB, which grow",
    "twoGbMaxExtentFlat": "a text that names files of 2 GB, as large as the disk",
    "vmfs": "a text that names one file of a VMware host",
}


class Look(Struct, frozen=True):
    """Of the terminal: how many `columns`, and whether it takes more than ASCII."""

    columns: int = 80
    unicode: bool = True

    @property
    def cells(self) -> int:
        """Of a strip that fits it."""
        return max(8, min(self.columns, _MOST_COLUMNS) - _KEY_WIDTH)

    @property
    def glyphs(self) -> strip.Glyphs:
        return strip.UNICODE if self.unicode else strip.ASCII


def deep_text(found: Inspected, look: Look) -> str:
    """Lines that go on after those of `inspected_text`, in their layout."""
    deep = found.deep
    assert deep is not None, "it was not asked for"
    rows = [*_making(found.image), *_under("seen", _signs(deep.signs))]
    marks = (f"{mark.name}: {mark.value}" for mark in deep.container.marks)
    rows += _under("header", marks)
    rows += _under("snapshots", _snapshots(deep.container.snapshots, found.image.snapshots))
    rows += _under("files", _chain(deep))
    rows += _under("on disk", _on_disk(found.image, deep))
    rows += _map(found, look)
    return _text(rows)


def refused_text(why: Refused, image: str) -> str:
    """What was seen of a refused file, and the bytes where it went wrong."""
    rows = [("image", image), ("file", f"{format_size(why.size)} ({why.size} bytes)")]
    rows += _under("seen", _signs(why.signs))
    rows += _under("refused", (f"{why.kind} [{why.code}]", why.detail))
    if why.offset is not None:
        rows.append(("where", f"byte {why.offset} ({why.offset:#x})"))
    if why.dump_offset is not None:
        rows += _under("bytes", _dump(why.dump_offset, bytes.fromhex(why.dump), why.offset))
    if why.alone:
        rows.append(("opened", "this file only, and nothing that it names"))
    return _text(rows)


def _text(rows: _Rows) -> str:
    return "\n".join(f"{key:<{_KEY_WIDTH}}{printable(value)}".rstrip() for key, value in rows)


def _under(key: str, values: Iterable[str]) -> _Rows:
    """The key beside the first value only."""
    return [(key if index == 0 else "", value) for index, value in enumerate(values)]


def _making(facts: ImageFacts) -> Iterator[tuple[str, str]]:
    if facts.subformat is not None:
        yield "kind", _with_words(facts.subformat, SUBFORMATS)
    if facts.creator is not None:
        yield "made by", facts.creator
    if facts.geometry is not None:
        shape = facts.geometry
        size = format_size(shape.size)
        same = "its disk's size" if shape.size == facts.virtual_size else f"{size}, not its size"
        yield (
            "geometry",
            f"{shape.cylinders} cylinders, {shape.heads} heads, {shape.sectors} sectors: {same}",
        )
    yield from _under("features", (_with_words(name, FEATURES) for name in facts.features))


def _with_words(name: str, known: dict[str, str]) -> str:
    return f"{name}: {known[name]}" if name in known else name


def _signs(signs: Iterable[Sign]) -> Iterator[str]:
    found = [f"{sign.format.value}: {sign.what} at byte {sign.offset}" for sign in signs]
    return iter(found or ["no sign of any format, as in a raw disk"])


def _snapshots(listed: tuple[Snapshot, ...], count: int) -> Iterator[str]:
    for one in listed[:_SHOWN]:
        said = [f"{one.id}  {one.name}  {one.date}"]
        if one.disk_size is not None:
            said.append(f"disk of {format_size(one.disk_size)}")
        if one.vm_state_size:
            said.append(f"with {format_size(one.vm_state_size)} of a running machine's memory")
        yield ", ".join(said)
    if count > _SHOWN:
        yield f"and {count - _SHOWN} more"
    if count:
        yield "kept in the file, and not read: the disk is as it is now"


def _chain(deep: Deep) -> Iterator[str]:
    """Nothing of a disk that is one file: its name is told already."""
    if len(deep.chain) == 1:
        return
    for file in deep.chain[:_SHOWN]:
        where = "" if file.role == "image" else f"{file.role}: "
        yield f"{where}{file.path}, {file.format.value}, {format_size(file.size)}"
    if len(deep.chain) > _SHOWN:
        yield f"and {len(deep.chain) - _SHOWN} more"
    for reference in deep.chain[0].names:
        if reference.kind is not ReferenceKind.EXTENT:
            yield f"the image names it {reference.name!r}"


def _on_disk(facts: ImageFacts, deep: Deep) -> Iterator[str]:
    if facts.allocated is not None:
        sparse = " (a sparse file)" if deep.sparse else ""
        yield f"takes {format_size(facts.allocated)}{sparse}"
    if deep.overhead:
        yield f"{format_size(deep.overhead)} of its size hold no data: tables, room not in use"
    if facts.packed_in is not None and facts.unpacked_size is not None:
        yield f"packed {_ratio(facts.unpacked_size, facts.file_size)}"
    drawn = deep.map
    if drawn is not None and facts.compressed and len(deep.chain) == 1 and not drawn.incomplete:
        yield f"compressed {_ratio(drawn.data, facts.file_size)}"


def _ratio(large: int, small: int) -> str:
    return f"{large / max(1, small):.1f} to 1"


def _map(found: Inspected, look: Look) -> _Rows:
    deep = found.deep
    assert deep is not None
    drawn = deep.map
    if drawn is None:
        return [("map", f"none: {deep.map_missing}")]
    glyphs = look.glyphs
    rows: _Rows = [("data", _amounts(drawn))]
    if drawn.incomplete:
        rows.append(("", f"not looked at whole: {drawn.incomplete}"))
    lines = [strip.strip(drawn, glyphs)]
    if found.guest is not None and found.guest.table is not None:
        lines += strip.partition_rows(drawn, found.guest.table.partitions, glyphs)
    lines += [strip.scale(drawn), *strip.legend(drawn, glyphs, width=look.cells)]
    return rows + _under("map", lines)


def _amounts(drawn: AllocationMap) -> str:
    said = [f"{format_size(drawn.data)} ({_share(drawn.data, drawn.size)})"]
    if drawn.zero:
        said.append(f"zeros noted {format_size(drawn.zero)}")
    if drawn.hole:
        said.append(f"not stored {format_size(drawn.hole)}")
    count = f"{drawn.stretches} stretches" if drawn.stretches > 1 else "one stretch"
    said.append(f"in {count}")
    return ", ".join(said)


def _share(part: int, whole: int) -> str:
    percent = 100 * part / max(1, whole)
    if part and percent < 1:
        return "under 1 %"
    if part < whole and percent > 99:
        return "over 99 %"
    return f"{percent:.0f} %"


def _dump(start: int, data: bytes, at: int | None) -> Iterator[str]:
    """Lines of 16 bytes, in ASCII that a terminal shows and does not obey; `>` before that of
    byte `at`. They fit 80 columns.
    """
    for index in range(0, len(data), _LINE_BYTES):
        line = data[index : index + _LINE_BYTES]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in line)
        here = at is not None and start + index <= at < start + index + _LINE_BYTES
        mark = ">" if here else " "
        yield f"{mark}{start + index:08x} {line.hex(' ', -2):<{_LINE_WIDTH}}  {shown}"
