"""What an extraction makes and what it leaves out: decided before a byte is written."""

from __future__ import annotations

import pytest

from diskwright.errors import ImageBroken, ImageUnsafe, UsageError
from diskwright.model.image import FileIdentity
from diskwright.model.iso import IsoEntry, IsoExtent, IsoKind, IsoTree, ListedIso
from diskwright.ops.iso import chosen
from diskwright.ops.iso_extract import EXPANSION, ExtractRequest, Planned, plan

SIZE = 100_000
IDENTITY = FileIdentity("/discs/disc.iso", 1, 2, SIZE, 3)


def file(path: str, size: int = 10, offset: int | None = 0) -> IsoEntry:
    extents = (IsoExtent(offset, size),) if size else ()
    return IsoEntry(path, IsoKind.FILE, size, extents=extents)


def folder(path: str) -> IsoEntry:
    return IsoEntry(path, IsoKind.DIRECTORY)


def link(path: str, target: str) -> IsoEntry:
    return IsoEntry(path, IsoKind.LINK, target=target)


def planned(
    *entries: IsoEntry, paths: tuple[str, ...] = (), max_size: int | None = None
) -> Planned:
    listed = ListedIso(IDENTITY.path, IsoTree.ROCK_RIDGE, entries)
    return plan(listed, ExtractRequest(IDENTITY.path, "out", paths, None, max_size), IDENTITY)


def made(found: Planned) -> list[str]:
    return ["/".join(names) for names, _ in found.entries]


def reasons(found: Planned) -> dict[str, str]:
    return {entry.path: entry.reason for entry in found.left_out}


def test_a_folder_comes_before_what_is_in_it() -> None:
    found = planned(folder("b"), file("b/x"), file("a"), folder("b/c"), file("b/c/y"))
    assert made(found) == ["a", "b", "b/c", "b/c/y", "b/x"]
    assert (found.size, found.left_out) == (30, ())


def test_paths_bring_the_folders_they_lie_in() -> None:
    entries = folder("a"), folder("a/b"), file("a/b/x"), file("a/y"), file("z")
    assert made(planned(*entries, paths=("/a/b/",))) == ["a", "a/b", "a/b/x"]
    assert made(planned(*entries, paths=("z", "a/y"))) == ["a", "a/y", "z"]
    assert made(planned(*entries, paths=("/",))) == ["a", "a/b", "a/b/x", "a/y", "z"]
    with pytest.raises(UsageError, match="has no 'nothing'"):
        planned(*entries, paths=("a", "nothing"))


@pytest.mark.parametrize("path", ["..", "a/..", "../x", "", "a//b", "/etc/passwd", ".", "./x"])
def test_names_that_lead_elsewhere_are_left_out(path: str) -> None:
    found = planned(folder("a"), file(path))
    assert made(found) == ["a"]
    assert path in reasons(found)


def test_control_characters_become_underscores_and_may_clash() -> None:
    found = planned(file("a\x1b[2J\n"), file("a_[2J_"), file("right\u202eleft"))
    assert made(found) == ["a_[2J_", "right_left"]
    assert reasons(found) == {"a_[2J_": "another entry has its name"}


def test_what_has_no_folder_is_left_out() -> None:
    found = planned(file("a"), file("a/b"), file("c/d"), link("e", "."), file("e/f"))
    assert made(found) == ["a", "e"]
    assert set(reasons(found).values()) == {"its folder was left out"}


def test_names_that_no_file_system_takes_are_left_out() -> None:
    assert made(planned(file("ü" * 127))) == ["ü" * 127]
    assert list(reasons(planned(file("ü" * 128)))) == ["ü" * 128]


def test_devices_and_codings_are_left_out_with_their_kind() -> None:
    other = IsoEntry("dev", IsoKind.OTHER, note="block device")
    assert reasons(planned(other)) == {"dev": "block device"}


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("b", True),
        ("a/../b", True),
        (".", True),
        ("./a/..", True),
        ("nowhere", True),
        ("..", False),
        ("a/../..", False),
        ("/", False),
        ("/etc/passwd", False),
        ("here/..", False),
        ("a/up/up", True),
        ("a/up/..", False),
        ("self", False),
        ("", False),
        ("x\0y", False),
        ("x\ny", False),
        ("x" * 4096, False),
    ],
)
def test_links_are_kept_where_they_stay_inside(target: str, kept: bool) -> None:
    inside = folder("a"), link("a/up", ".."), link("here", "."), link("self", "self")
    found = planned(*inside, link("l", target))
    assert ("l" in made(found)) is kept
    assert ("l" in reasons(found)) is not kept


def test_a_link_is_judged_by_the_names_that_are_made() -> None:
    # on the disc `x_` is nothing; in the folder it is the link `x\x01`
    entries = folder("d"), link("d/x\x01", ".."), link("d/out", "x_/..")
    assert "d/out" in reasons(planned(*entries))


def test_links_in_a_ring_end() -> None:
    found = planned(link("a", "b"), link("b", "a"))
    assert set(reasons(found)) == {"a", "b"}


@pytest.mark.parametrize(("offset", "length"), [(SIZE, 1), (SIZE - 9, 10), (1 << 60, 1)])
def test_an_extent_past_the_end_is_refused(offset: int, length: int) -> None:
    with pytest.raises(ImageBroken) as caught:
        planned(file("a", length, offset))
    assert caught.value.code == "offset-past-end"
    planned(file("a", length, offset), file("b"), paths=("b",))  # which is not asked for


@pytest.mark.parametrize("size", [0, 9, 11])
def test_a_size_that_is_not_its_extents_is_refused(size: int) -> None:
    wrong = IsoEntry("a", IsoKind.FILE, size, extents=(IsoExtent(0, 10),))
    with pytest.raises(ImageBroken, match="longer than its extents"):
        planned(wrong)


def test_an_extent_without_length_is_refused() -> None:
    with pytest.raises(ImageBroken):
        planned(IsoEntry("a", IsoKind.FILE, 0, extents=(IsoExtent(0, 0),)))


def test_files_that_come_to_too_much_are_refused() -> None:
    each = [file(str(number), SIZE) for number in range(EXPANSION)]
    assert planned(*each).size == EXPANSION * SIZE
    with pytest.raises(ImageUnsafe) as caught:
        planned(*each, file("more", 1))
    assert caught.value.code == "too-large"
    assert "--max-size" in caught.value.hint
    with pytest.raises(ImageUnsafe):
        planned(file("hole", 1 << 50, None))
    assert planned(file("hole", 1 << 50, None), max_size=1 << 50).size == 1 << 50
    with pytest.raises(ImageUnsafe):
        planned(file("a"), max_size=9)


def test_choosing_keeps_the_order_of_the_disc() -> None:
    entries = file("b"), folder("a"), file("a/x")
    listed = ListedIso("x", IsoTree.UDF, entries)
    assert chosen(listed, ("a", "b")) == entries
    assert chosen(listed, ()) == entries
