"""What an ISO says of itself, what lies in it, and what was made of it: values, nothing judged."""

from __future__ import annotations

from enum import StrEnum

from diskwright._values import Struct
from diskwright.model.image import Problem


class IsoTree(StrEnum):
    """A name space of an ISO: several may show the same files under different names."""

    ROCK_RIDGE = "rock-ridge"
    JOLIET = "joliet"
    UDF = "udf"
    ISO9660 = "iso9660"


class BootPlatform(StrEnum):
    BIOS = "bios"
    EFI = "efi"
    POWERPC = "powerpc"
    MAC = "mac"
    OTHER = "other"


class BootEntry(Struct, frozen=True):
    """One entry of an El Torito catalog (El Torito 1.0 section 2).

    `sectors` of 512 bytes are what firmware loads; `size` is that of the boot image in bytes, by
    its emulation or by the file that begins there. `lba` counts sectors of 2048 bytes.
    """

    platform: BootPlatform
    bootable: bool
    emulation: str  # none, floppy-1.2M, floppy-1.44M, floppy-2.88M or hard-disk
    load_segment: int
    sectors: int
    lba: int
    size: int


class IsoFacts(Struct, frozen=True):
    """Sizes in bytes. Versions are None where there is no such part.

    `tree` is the one that is listed and extracted where nobody chooses; files, directories, links
    and `data_size` are of it. A file without ISO 9660 has UDF alone.
    """

    file_size: int
    volume_size: int  # what the volume's descriptors say
    tree: IsoTree
    trees: tuple[IsoTree, ...]
    files: int
    directories: int  # the root not counted
    links: int
    data_size: int
    volume_id: str = ""
    system_id: str = ""
    volume_set_id: str = ""
    publisher_id: str = ""
    preparer_id: str = ""
    application_id: str = ""
    created: str | None = None  # YYYY-MM-DDTHH:MM:SSZ
    iso9660_level: int | None = None  # 1 to 3 by the names and extents in use, 4 by its descriptor
    joliet_level: int | None = None
    rock_ridge: str | None = None  # 1.09, 1.10 or 1.12; "unstated" without an extension record
    udf_revision: str | None = None
    udf_volume_id: str | None = None
    boot: tuple[BootEntry, ...] = ()
    mbr: bool = False
    gpt: bool = False
    usb_bootable: bool = False
    problems: tuple[Problem, ...] = ()

    @property
    def firmware(self) -> tuple[BootPlatform, ...]:
        """Which firmware boots it from a disc drive."""
        return tuple(dict.fromkeys(entry.platform for entry in self.boot if entry.bootable))


class IsoKind(StrEnum):
    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"
    OTHER = "other"  # a device, or data in a coding that is not read; `note` says which


class IsoExtent(Struct, frozen=True):
    """Bytes of the ISO. `offset` None: zeros that are not stored."""

    offset: int | None
    length: int


class IsoEntry(Struct, frozen=True):
    """`path` is relative, its names parted by `/`; none of them is empty, `.` or `..`."""

    path: str
    kind: IsoKind
    size: int = 0
    mode: int | None = None  # permission bits, where the tree has them
    mtime: int | None = None  # seconds since 1970
    target: str | None = None  # of a link
    extents: tuple[IsoExtent, ...] = ()
    note: str = ""


class IsoSystem(Struct, frozen=True):
    """The system that an install medium installs, by the osinfo database. Sizes in bytes.

    `also` are names of other systems whose media the database describes in the same words.
    """

    id: str  # osinfo short id, as debian11
    name: str
    version: str
    architecture: str
    minimum_memory: int | None
    minimum_storage: int | None
    recommended_memory: int | None
    recommended_storage: int | None
    live: bool = False
    also: tuple[str, ...] = ()


class InspectedIso(Struct, frozen=True):
    """`system` is None where the database of `database_date` (empty: none) does not know it."""

    path: str
    facts: IsoFacts
    system: IsoSystem | None
    database_date: str


class ListedIso(Struct, frozen=True):
    path: str
    tree: IsoTree
    entries: tuple[IsoEntry, ...]


class LeftOut(Struct, frozen=True):
    """An entry that was not extracted, and why."""

    path: str
    reason: str


class ExtractedIso(Struct, frozen=True):
    """What is in the folder `target` now. `size` is of the files' data, in bytes."""

    path: str
    target: str
    tree: IsoTree
    files: int
    directories: int
    links: int
    size: int
    left_out: tuple[LeftOut, ...] = ()
