"""pycdlib writes discs and reads them: every tree has the same entries and bytes for us."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pycdlib
import pytest

from diskwright.model.iso import IsoEntry, IsoKind, IsoTree
from support.iso_maker import SMALL, Disc, write
from support.iso_reading import entries, facts

WAYS: dict[str, dict[str, object]] = {
    "plain": {},
    "rock-ridge-1.09": {"rock_ridge": "1.09"},
    "rock-ridge-1.10": {"rock_ridge": "1.10"},
    "rock-ridge-1.12": {"rock_ridge": "1.12"},
    "joliet": {"joliet": 3},
    "udf": {"udf": "2.60"},
    "all": {"rock_ridge": "1.12", "joliet": 3, "udf": "2.60", "boot": True},
}
CATALOG = "/boot.cat"
UNREAD = b"pycdlib reads no boot catalog by its name in UDF"
NAMES = {
    IsoTree.ROCK_RIDGE: "rr_path",
    IsoTree.JOLIET: "joliet_path",
    IsoTree.UDF: "udf_path",
    IsoTree.ISO9660: "iso_path",
}


@pytest.fixture(scope="module", params=WAYS)
def disc(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("iso") / f"{request.param}.iso"
    return write(path, **WAYS[request.param])


def theirs(path: Path, tree: IsoTree) -> dict[str, bytes | None]:
    """Path to contents, None for what is no file, as pycdlib reads it."""
    reader = pycdlib.PyCdlib()
    reader.open(str(path))
    try:
        return dict(_walked(reader, NAMES[tree]))
    finally:
        reader.close()


def _walked(reader: pycdlib.PyCdlib, kind: str) -> Iterator[tuple[str, bytes | None]]:
    for folder, folders, files in reader.walk(**{kind: "/"}):
        for name in folders:
            yield f"{folder}/{name}".strip("/"), None
        for name in files:
            full = f"{folder}/{name}".replace("//", "/")
            shown = full.strip("/").removesuffix(";1").removesuffix(".")
            yield shown, UNREAD if full == CATALOG else _contents(reader, kind, full)


def _contents(reader: pycdlib.PyCdlib, kind: str, path: str) -> bytes | None:
    record = reader.get_record(**{kind: path})
    if kind in ("rr_path", "iso_path") and record.rock_ridge and record.rock_ridge.is_symlink():
        return None
    out = io.BytesIO()
    reader.get_file_from_iso_fp(out, **{kind: path})
    return out.getvalue()


def bytes_of(path: Path, entry: IsoEntry) -> bytes | None:
    if entry.kind is not IsoKind.FILE:
        return None
    data = path.read_bytes()
    pieces = [
        bytes(extent.length)
        if extent.offset is None
        else data[extent.offset : extent.offset + extent.length]
        for extent in entry.extents
    ]
    return b"".join(pieces)


def test_every_tree_has_the_same_entries_and_bytes(disc: Path) -> None:
    trees = facts(disc).trees
    assert IsoTree.ISO9660 in trees
    for tree in trees:
        ours = {path: bytes_of(disc, entry) for path, entry in entries(disc, tree).items()}
        if "boot.cat" in ours:
            ours["boot.cat"] = UNREAD
        if tree is IsoTree.ISO9660:
            # a link of Rock Ridge is an empty file to who does not know it
            ours = {path: data or None for path, data in ours.items()}
            known = {path: data or None for path, data in theirs(disc, tree).items()}
            assert ours == known
        else:
            assert ours == theirs(disc, tree), tree


@pytest.mark.parametrize("tree", [IsoTree.ROCK_RIDGE, IsoTree.JOLIET, IsoTree.UDF])
def test_a_tree_has_what_was_put_on_the_disc(tree: IsoTree, tmp_path: Path) -> None:
    path = write(tmp_path / "disc.iso", rock_ridge="1.09", joliet=3, udf="2.60")
    found = entries(path, tree)
    links = SMALL.links if tree is IsoTree.ROCK_RIDGE else {}
    assert found.keys() == {*SMALL.files, *SMALL.folders, *links}
    for name, content in SMALL.files.items():
        assert bytes_of(path, found[name]) == content
    assert {name: found[name].target for name in links} == links


def test_the_versions_and_the_boot_entry_are_those_that_were_asked_for(disc: Path) -> None:
    found = facts(disc)
    way = WAYS[disc.stem]
    assert found.joliet_level == way.get("joliet")
    assert (found.rock_ridge is not None) == ("rock_ridge" in way)
    if way.get("rock_ridge") == "1.12":
        assert found.rock_ridge == "1.12"
    assert (found.udf_revision is not None) == ("udf" in way)
    assert (found.volume_id, found.system_id) == ("SMALL", "LINUX")
    assert [entry.bootable for entry in found.boot] == ([True] if way.get("boot") else [])
    if found.boot:
        size = len(SMALL.files["boot/loader.bin"])
        assert found.boot[0].size in (size, -(-size // 2048) * 2048)


def test_directories_that_are_too_deep_for_iso9660_are_shown_where_they_belong(
    tmp_path: Path,
) -> None:
    folders = ["/".join("abcdefghij"[:depth]) for depth in range(1, 11)]
    deep = Disc(files={f"{folders[-1]}/x": b"deep\n"}, folders=folders)
    path = write(tmp_path / "deep.iso", deep, rock_ridge="1.09")
    found = entries(path)
    assert bytes_of(path, found[f"{folders[-1]}/x"]) == b"deep\n"
    assert set(folders) <= found.keys()
    assert os.path.dirname(folders[-1]) in found
