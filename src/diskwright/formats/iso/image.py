"""ISO 9660 and UDF: descriptors, trees and boot entries, every one checked before it is believed.

Runs in a confined child (`child`), though nothing is opened here. Which tree is shown: Rock
Ridge, then Joliet, then UDF, then the plain names; but UDF wherever it holds more files than that,
as on media whose ISO 9660 part only says that they need UDF.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from diskwright._values import Struct, field, replace
from diskwright.formats.iso import layout
from diskwright.formats.iso import udf as iso_udf
from diskwright.formats.iso.boot import Catalog, read_catalog, read_tables
from diskwright.formats.iso.links import Links
from diskwright.formats.iso.rock_ridge import RockRidge
from diskwright.formats.iso.space import Space
from diskwright.formats.iso.tree import TreeReader, rock_ridge_of
from diskwright.formats.iso.udf import UdfReader, UdfVolume, UnknownUdf
from diskwright.formats.iso.volume import read_volumes
from diskwright.formats.source import ImageSource, shown
from diskwright.model.image import Problem
from diskwright.model.iso import BootEntry, IsoEntry, IsoFacts, IsoKind, IsoTree

_ORDER = (IsoTree.ROCK_RIDGE, IsoTree.JOLIET, IsoTree.UDF, IsoTree.ISO9660)


class _Summary(Struct):
    """What a walk through one tree has counted."""

    files: int = 0
    directories: int = 0
    data_size: int = 0
    links: dict[str, str] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)  # of files that begin at a boot entry
    level: int | None = None

    @property
    def entries(self) -> int:
        """Links too: a tree that has none shows them as empty files."""
        return self.files + len(self.links)


class Iso:
    """An ISO whose descriptors were read. Raises ImageBroken and ImageUnsupported."""

    def __init__(self, source: ImageSource) -> None:
        self._source = source
        self._problems: list[Problem] = []
        self._volumes = read_volumes(source)
        self._primary = self._volumes.primary
        self._joliet = self._volumes.joliet
        self._udf = self._read_udf() if self._volumes.has_udf else None
        if self._primary is None and self._udf is None:
            raise source.broken("no-volume", "it has neither a primary volume nor UDF")
        self._rock_ridge: RockRidge | None = None
        if self._primary is not None:
            self._rock_ridge = rock_ridge_of(self._primary, self._space())

    def trees(self) -> tuple[IsoTree, ...]:
        """In the order of preference."""
        there = {
            IsoTree.ROCK_RIDGE: self._rock_ridge is not None,
            IsoTree.JOLIET: self._joliet is not None,
            IsoTree.UDF: self._udf is not None,
            IsoTree.ISO9660: self._primary is not None,
        }
        return tuple(tree for tree in _ORDER if there[tree])

    def facts(self) -> IsoFacts:
        """All trees are walked, so that what is wrong with any of them is found."""
        catalog = Catalog((), ())
        if self._volumes.boot_record is not None:
            catalog = read_catalog(self._volumes.boot_record, self._space())
        boot_at = {entry.lba * layout.SECTOR for entry in catalog.entries}
        summaries = {tree: self._summary(tree, boot_at) for tree in self.trees()}
        tree = _preferred(summaries)
        chosen = summaries[tree]
        tables = read_tables(self._source)
        facts = IsoFacts(
            file_size=self._source.size,
            volume_size=self._promised(),
            tree=tree,
            trees=self.trees(),
            files=chosen.files,
            directories=chosen.directories,
            links=len(chosen.links),
            data_size=chosen.data_size,
            joliet_level=self._joliet_level(),
            rock_ridge=self._rock_ridge.version if self._rock_ridge else None,
            boot=tuple(_sized(entry, summaries) for entry in catalog.entries),
            mbr=tables.mbr,
            gpt=tables.gpt,
            usb_bootable=tables.usb_bootable,
        )
        facts = self._with_volume(facts, summaries)
        problems = (*self._size_problems(), *self._problems, *catalog.problems)
        return replace(facts, problems=(*problems, *_link_problems(chosen.links)))

    def entries(self, tree: IsoTree) -> Iterator[IsoEntry]:
        """Every entry of one of `trees`, a directory before what is in it."""
        walk, _ = self._reader(tree, self._space())
        return walk()

    def _read_udf(self) -> UdfVolume | None:
        try:
            return iso_udf.read_volume(self._source)
        except UnknownUdf as unknown:
            if self._primary is None:
                raise self._source.unsupported("udf-unsupported", str(unknown)) from None
            self._problems.append(Problem("udf-not-read", str(unknown)))
            return None

    def _promised(self) -> int:
        volumes = [v.size for v in (self._primary, self._joliet, self._udf) if v is not None]
        return max(volumes)

    def _space(self) -> Space:
        return Space(self._source, self._promised())

    def _reader(
        self, tree: IsoTree, space: Space
    ) -> tuple[Callable[[], Iterator[IsoEntry]], TreeReader | None]:
        if tree is IsoTree.UDF and self._udf is not None:
            return UdfReader(self._udf, space).walk, None
        volume = self._joliet if tree is IsoTree.JOLIET else self._primary
        assert volume is not None
        extension = self._rock_ridge if tree is IsoTree.ROCK_RIDGE else None
        reader = TreeReader(volume, tree, space, extension)
        return reader.walk, reader

    def _summary(self, tree: IsoTree, boot_at: set[int]) -> _Summary:
        space = self._space()
        walk, reader = self._reader(tree, space)
        found = _Summary()
        for entry in walk():
            if entry.kind is IsoKind.DIRECTORY:
                found.directories += 1
            elif entry.kind is IsoKind.LINK:
                found.links[entry.path] = entry.target or ""
            else:
                found.files += 1
                found.data_size += entry.size
                first = entry.extents[0].offset if entry.extents else None
                if first in boot_at and first is not None:
                    found.sizes[first] = entry.size
        if space.cut:
            detail = f"the {tree} tree has {space.cut} file(s) past the file's end"
            self._problems.append(Problem("truncated", detail))
        if space.damaged:
            detail = f"{space.damaged} record(s) with extensions that are not understood"
            self._problems.append(Problem("rock-ridge", detail))
        found.level = reader.level if reader is not None else None
        return found

    def _joliet_level(self) -> int | None:
        if self._joliet is None:
            return None
        return layout.JOLIET_LEVELS[self._joliet.escapes[:3]]

    def _with_volume(self, facts: IsoFacts, summaries: dict[IsoTree, _Summary]) -> IsoFacts:
        if self._udf is not None:
            facts = replace(
                facts,
                udf_revision=self._udf.revision,
                udf_volume_id=self._udf.volume_id,
                volume_id=self._udf.volume_id,
            )
        volume = self._primary
        if volume is None:
            return facts
        return replace(
            facts,
            volume_id=layout.text(volume.volume_id),
            system_id=layout.text(volume.system_id),
            volume_set_id=layout.text(volume.volume_set_id),
            publisher_id=layout.text(volume.publisher_id),
            preparer_id=layout.text(volume.preparer_id),
            application_id=layout.text(volume.application_id),
            created=volume.created,
            iso9660_level=4 if self._volumes.enhanced else summaries[IsoTree.ISO9660].level,
        )

    def _size_problems(self) -> Iterator[Problem]:
        missing = self._promised() - self._source.size
        if missing > 0 and not any(problem.code == "truncated" for problem in self._problems):
            detail = f"the file is {missing} bytes shorter than its volume, though no file is hit"
            yield Problem("truncated", detail)


def _preferred(summaries: dict[IsoTree, _Summary]) -> IsoTree:
    first = next(iter(summaries))
    udf = summaries.get(IsoTree.UDF)
    if udf is not None and udf.entries > summaries[first].entries:
        return IsoTree.UDF
    return first


def _sized(entry: BootEntry, summaries: dict[IsoTree, _Summary]) -> BootEntry:
    """With the size of the file that begins there: many tools leave the catalog's at 0 or 1."""
    sizes = [s.sizes.get(entry.lba * layout.SECTOR, 0) for s in summaries.values()]
    return replace(entry, size=max(entry.size, *sizes))


def _link_problems(links: dict[str, str]) -> Iterator[Problem]:
    judged = Links(links)
    escaping = judged.escaping()
    if escaping:
        first = escaping[0]
        more = f" and {len(escaping) - 1} more" if len(escaping) > 1 else ""
        outside = "further than is followed" if judged.exhausted else "outside"
        detail = f"{shown(first)} leads to {shown(links[first])}, {outside}{more}"
        yield Problem("guest-link-escapes", detail)
