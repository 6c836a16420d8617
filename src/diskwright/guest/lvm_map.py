"""A logical volume as bytes: where in the physical volumes each of them is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping

from diskwright._values import Struct
from diskwright.guest.lvm_metadata import LogicalVolume, VolumeGroup
from diskwright.guest.reading import damaged
from diskwright.guest.source import ByteSource, Window, check_range


class _Stretch(Struct, frozen=True):
    """Of the volume: bytes from `start` on, in turns of `turn` bytes from each of `places`."""

    start: int
    length: int
    turn: int
    places: tuple[tuple[ByteSource, int], ...]  # a physical volume, and the byte to begin at


class MappedSource:
    """A `ByteSource`; the physical volumes bound what it costs."""

    def __init__(self, stretches: list[_Stretch]) -> None:
        self._stretches = stretches
        self._starts = [stretch.start for stretch in stretches]
        self._size = stretches[-1].start + stretches[-1].length

    @property
    def size(self) -> int:
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        check_range(offset, length, self._size)
        return b"".join(source.read(at, count) for source, at, count in self._parts(offset, length))

    def window(self, start: int, length: int) -> ByteSource:
        return Window(self, start, length)

    def _parts(self, offset: int, length: int) -> Iterator[tuple[ByteSource, int, int]]:
        """Each is longer than 0, so this ends."""
        end = offset + length
        index = bisect_right(self._starts, offset) - 1
        while offset < end:
            here = self._stretches[index]
            inside = offset - here.start
            turn, within = divmod(inside, here.turn)
            round_, which = divmod(turn, len(here.places))
            source, base = here.places[which]
            count = min(end - offset, here.turn - within, here.length - inside)
            yield source, base + round_ * here.turn + within, count
            offset += count
            index += inside + count == here.length


def open_volume(
    volume: LogicalVolume, group: VolumeGroup, pvs: Mapping[str, ByteSource]
) -> ByteSource:
    """`pvs` by UUID. Raises `Unreadable` where a part of the volume is not among them."""
    unit = group.extent_size
    stretches: list[_Stretch] = []
    for segment in volume.segments:
        places: list[tuple[ByteSource, int]] = []
        for stripe in segment.stripes:
            pv = group.pvs[stripe.pv]
            source = pvs[stripe.pv]
            at = pv.first_extent + stripe.start * unit
            if at + stripe.count * unit > source.size:
                raise damaged(f"its extents lie past the end of physical volume {stripe.pv}")
            places.append((source, at))
        stretches.append(
            _Stretch(segment.start * unit, segment.count * unit, segment.stripe_size, tuple(places))
        )
    return MappedSource(stretches)
