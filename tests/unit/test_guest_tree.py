"""The guest's tree: links stay inside, mounts cover, answers are certain or refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from diskwright.guest.filesystems.base import Node, NodeKind
from diskwright.guest.reading import NotThere, Unreadable, damaged
from diskwright.guest.tree import GuestTree
from diskwright.model.image import Problem

Content = bytes | str | dict[str, "Content"] | None  # file, link, folder, damaged


class Shelf:
    """A `GuestFs` of dicts: bytes are files, text is a link's target, None can't be read."""

    type, uuid, label, size, free, dirty, note = "shelf", None, None, 0, None, False, ""
    problems: tuple[Problem, ...] = ()

    def __init__(self, content: Mapping[str, Content], huge: int | None = None) -> None:
        self._content = content
        self._huge = huge

    def root(self) -> Node:
        return self._node(self._content)

    def names(self, node: Node) -> Iterator[bytes]:
        return iter([name.encode("utf-8", "surrogateescape") for name in node.handle])  # type: ignore[attr-defined]

    def entries(self, node: Node) -> Iterator[tuple[bytes, Node]]:
        raise NotImplementedError

    def child(self, node: Node, name: bytes) -> Node | None:
        folder = node.handle
        key = name.decode("utf-8", "surrogateescape")
        if key not in folder:  # type: ignore[operator]
            return None
        if folder[key] is None:  # type: ignore[index]
            raise damaged("inode")
        return self._node(folder[key])  # type: ignore[index]

    def readlink(self, node: Node) -> bytes:
        return str(node.handle).encode()

    def read(self, node: Node, offset: int, length: int) -> bytes:
        assert self._huge is None, "a file over the limit is not read"
        assert isinstance(node.handle, bytes)
        return node.handle[offset : offset + length]

    def _node(self, content: object) -> Node:
        if isinstance(content, bytes):
            return Node(NodeKind.FILE, self._huge or len(content), 0o100644, content)
        if isinstance(content, str):
            return Node(NodeKind.LINK, len(content), 0o120777, content)
        return Node(NodeKind.DIR, 0, 0o040755, content)


def tree(**content: Content) -> GuestTree:
    return GuestTree(Shelf(content))


def test_a_file_is_read_through_relative_absolute_and_folder_links() -> None:
    guest = tree(
        usr={"lib": {"os-release": b"ID=x"}},
        etc={"os-release": "../usr/lib/os-release", "absolute": "/lib/os-release"},
        lib="usr/lib",
    )
    for path in ("/etc/os-release", "/etc/absolute", "lib/os-release", "/lib/../lib/./os-release"):
        assert guest.read_text(path) == "ID=x"
    assert guest.escapes == ()


def test_a_link_that_climbs_out_is_resolved_inside_and_recorded() -> None:
    guest = tree(etc={"os-release": "../../../etc/passwd", "passwd": b"guest's own"})
    assert guest.read_text("/etc/os-release") == "guest's own"
    assert guest.escapes == ("/etc/os-release -> ../../../etc/passwd",)


def test_what_a_link_says_is_told_and_not_followed() -> None:
    guest = tree(a={"loop": "loop", "file": b"x"}, b="a")
    said = [guest.link(path) for path in ("/a/loop", "/b/loop", "/b", "/a/file")]
    assert said == ["loop", "loop", "a", None]
    for path in ("/a/none", "/a/file/none"):
        with pytest.raises(NotThere):
            guest.link(path)


def test_a_path_of_ours_that_climbs_is_no_escape_of_the_guest() -> None:
    guest = tree(a=b"x")
    assert guest.read_text("/../../a") == "x"
    assert guest.escapes == ()


def test_a_link_loop_can_not_be_told_and_says_so() -> None:
    guest = tree(a="b", b="a")
    for ask in (guest.exists, guest.is_file, guest.read_text, guest.size):
        with pytest.raises(Unreadable) as caught:
            ask("/a")
        assert (caught.value.code, caught.value.path) == ("guest-link-loop", "/a")


def test_forty_links_are_followed_and_no_more() -> None:
    links: dict[str, Content] = {f"l{i}": f"l{i + 1}" for i in range(41)}
    links["l41"] = b"end"
    guest = tree(**links)
    assert guest.read_text("/l1") == "end"
    with pytest.raises(Unreadable):
        guest.read_text("/l0")


def test_what_is_not_there_is_an_answer() -> None:
    guest = tree(etc={"dangling": "nowhere"}, file=b"")
    for path in ("/no", "/etc/no/deeper", "/etc/dangling", "/file/below", "/file/"):
        assert not guest.exists(path)
        with pytest.raises(NotThere):
            guest.read_text(path)
    with pytest.raises(NotThere):
        guest.names("/file")


def test_damage_is_never_taken_for_absence() -> None:
    guest = tree(etc={"fstab": None})
    with pytest.raises(Unreadable) as caught:
        guest.exists("/etc/fstab")
    assert caught.value.path == "/etc/fstab"


def test_a_file_over_the_limit_is_refused_unread() -> None:
    guest = GuestTree(Shelf({"fstab": b"?"}, huge=4 << 30))
    for ask in (guest.read_text, lambda p: list(guest.stream(p)), lambda p: guest.read_bytes(p, 9)):
        with pytest.raises(Unreadable) as caught:
            ask("/fstab")
        assert caught.value.code == "too-large"


def test_a_folder_is_not_a_file() -> None:
    with pytest.raises(Unreadable) as caught:
        tree(etc={}).read_text("/etc")
    assert caught.value.code == "not-a-file"


def test_a_stream_is_the_file_in_blocks() -> None:
    assert list(tree(f=b"0123456789").stream("/f", 4)) == [b"0123", b"4567", b"89"]


def test_names_are_sorted_bounded_and_lead_back_to_their_files() -> None:
    guest = tree(d={"b": b"", "caf\udce9": b"latin", "a": b""})
    assert guest.names("/d") == ["a", "b", "caf\\xe9"]
    assert guest.read_text("/d/caf\\xe9") == "latin"
    with pytest.raises(Unreadable) as caught:
        guest.names("/d", limit=2)
    assert caught.value.code == "too-large"


def test_bytes_that_are_not_utf8_are_escaped_in_text() -> None:
    assert tree(f=b"a\xffb").read_text("/f") == "a\\xffb"


def test_a_mount_covers_its_folder_also_through_links_and_where_it_is_missing() -> None:
    guest = tree(boot={"hidden": b""}, var={"run": "/run"}, run={})
    guest.mount("/boot", Shelf({"vmlinuz": b"kernel", "up": "../etc"}))
    guest.mount("/boot/efi", Shelf({"EFI": {}}))
    guest.mount("/var/run/x", Shelf({"pid": b"1"}))
    assert guest.names("/boot") == ["up", "vmlinuz"]
    assert not guest.exists("/boot/hidden")
    assert guest.is_dir("/boot/efi/EFI")
    assert guest.read_text("/run/x/pid") == "1"
    assert not guest.exists("/boot/up")
    assert guest.escapes == ()


def test_folders_above_a_mount_that_are_missing_are_empty_ones() -> None:
    guest = tree(etc={}, broken=None, file=b"")
    for path in ("/boot/efi", "/a/b/c", "/broken/x/y", "/file/x/y"):
        guest.mount(path, Shelf({"a": b"1"}))
    assert guest.exists("/boot/efi/a")
    assert guest.exists("/a/b/c/a")
    assert not guest.exists("/boot/other")
    assert guest.names("/a") == []
    with pytest.raises(Unreadable):
        guest.exists("/broken/x/y")
    assert not guest.exists("/file/x/y/a")
    assert [met.path for met in guest.below("/boot")] == ["/boot", "/boot/efi", "/boot/efi/a"]
    guest.mount("/boot", Shelf({"k": b"2"}))
    assert guest.names("/boot") == ["k"]
    assert guest.exists("/boot/efi/a")


def test_the_root_is_not_mounted_over() -> None:
    with pytest.raises(ValueError, match="root"):
        tree().mount("/", Shelf({}))
