"""What `inspect --deep` adds: how an image file is made, and where its disk has data."""

from __future__ import annotations

from diskwright._values import Struct
from diskwright.model.extent import Extent
from diskwright.model.image import ImageFormat, Reference


class Sign(Struct, frozen=True):
    """A sign of a format: `what` was seen at byte `offset`. A partition table is a sign of raw."""

    format: ImageFormat
    offset: int
    what: str


class Mark(Struct, frozen=True):
    """One more thing that the metadata say: `name` is a short stable word, `value` untrusted."""

    name: str
    value: str


class Snapshot(Struct, frozen=True):
    """An earlier state kept in the file. Sizes in bytes; `date` in UTC, to the second.

    `disk_size` None: the file does not say it.
    """

    id: str
    name: str
    date: str
    vm_state_size: int
    disk_size: int | None


class Container(Struct, frozen=True):
    """What a format's own metadata say besides `ImageFacts`. At most LISTED of `snapshots`."""

    marks: tuple[Mark, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()


class ChainFile(Struct, frozen=True):
    """One file that the disk's bytes come from, the user's own first. `size` in bytes.

    `role`: `image`, or what the file above names it for. `names` is known of the first alone.
    """

    path: str
    format: ImageFormat
    role: str
    size: int
    names: tuple[Reference, ...] = ()


class Cell(Struct, frozen=True):
    """Bytes by kind of one of the equal shares that the disk is cut into; unread ones are in none
    of them."""

    start: int
    length: int
    data: int = 0
    zero: int = 0
    hole: int = 0

    @property
    def unknown(self) -> int:
        return self.length - self.data - self.zero - self.hole


class AllocationMap(Struct, frozen=True):
    """Where a disk of `size` bytes has data. `cells` are gapless and cover it whole.

    `data`, `zero` and `hole` are bytes; `stretches` counts the extents, neighbours of one kind as
    one, of which `extents` are the first (at most LISTED). `incomplete`: why it ends early, with
    the rest unknown; empty where it does not.
    """

    size: int
    data: int
    zero: int
    hole: int
    stretches: int
    extents: tuple[Extent, ...]
    cells: tuple[Cell, ...]
    incomplete: str = ""


class Deep(Struct, frozen=True):
    """`overhead`: bytes of the file that are not the disk's data, where that can be told: tables,
    padding, what is not in use. `sparse`: the file takes less of its disk than its size.
    """

    signs: tuple[Sign, ...]
    container: Container
    chain: tuple[ChainFile, ...]
    sparse: bool | None
    map: AllocationMap | None
    map_missing: str = ""  # why there is no map
    overhead: int | None = None


class Refused(Struct, frozen=True):
    """Why an image was refused, for people. `dump` are the bytes (hex) from `dump_offset` on, both
    counted as `offset` is: from the start of the image `path`, which may be a package's member.
    `alone`: nothing that it names was opened.
    """

    path: str
    size: int
    signs: tuple[Sign, ...]
    kind: str
    code: str
    detail: str
    offset: int | None
    dump_offset: int | None = None
    dump: str = ""
    alone: bool = True


LISTED = 1_000  # of a list that an image can make as long as it likes
