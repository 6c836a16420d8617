"""Where servers live: who holds a folder, what a killed run leaves, and who uses an image."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from diskwright._values import replace
from diskwright.adapters.directory import DirectoryStore
from diskwright.adapters.server_folder import ServerFolders
from diskwright.errors import (
    ImageInUse,
    InputUnreadable,
    Locked,
    ServerAmbiguous,
    ServerNotFound,
    TargetExists,
)
from diskwright.model.names import uuid7
from diskwright.model.server import Server, ServerBase, ServerDisk, ServerKind, Use
from diskwright.ops.library.server_ends import find_server
from diskwright.ops.library.uses import check_unused, put_use, use_key, uses_of

IMAGE = uuid7(1, bytes(10))


def server(number: int, name: str = "web") -> Server:
    base = ServerBase("/srv/base.raw", "raw", 1 << 40, 1_800_000_000_000_000, "0" * 64)
    disk = ServerDisk("disk-0.qcow2", "qcow2", 1 << 40, "1" * 64, base=base)
    return Server(
        uuid7(number, bytes([number] * 10)), name, ServerKind.SERVER, "library", "dir:/srv", IMAGE,
        "web", "2026-11-27T00:00:00Z", "me", disks=(disk,),
    )  # fmt: skip


@pytest.fixture
def folders(tmp_path: Path) -> ServerFolders:
    return ServerFolders(str(tmp_path / "servers"))


def test_what_was_published_is_read_back(folders):
    work = folders.begin(server(1), numbered=False)
    assert folders.all() == ()
    made = work.publish(work.server)
    work.close()
    assert folders.all() == (made,)
    assert replace(made, folder="") == server(1)
    assert os.listdir(made.folder) == ["server.json"]


def test_names_of_those_that_are_being_made_are_taken(folders):
    first = folders.begin(server(1), numbered=False)
    with pytest.raises(TargetExists):
        folders.begin(server(2), numbered=False)
    assert folders.begin(server(3), numbered=True).server.name == "web-2"
    first.close()


def test_one_holds_a_folder_at_a_time(folders):
    work = folders.begin(server(1), numbered=False)
    assert list(folders.unfinished()) == []
    work.publish(work.server)
    with pytest.raises(Locked):
        folders.take(server(1).id)
    work.close()
    folders.take(server(1).id).close()
    with pytest.raises(ServerNotFound):
        folders.take(server(2).id)


def test_what_a_killed_run_left_comes_with_its_draft(folders):
    work = folders.begin(replace(server(1), use="uses/x"), numbered=False)
    (Path(work.folder) / "disk-0.qcow2").touch()
    (Path(work.folder) / ".stage").mkdir()
    work.close()  # as the end of its process does
    (left,) = folders.unfinished()
    assert left.server.use == "uses/x"
    left.unpublish()
    assert os.listdir(left.folder) == ["draft.json"]
    left.forget()
    assert not os.path.exists(left.folder)
    assert list(folders.unfinished()) == []


def test_a_folder_without_a_draft_goes_at_once(folders, tmp_path):
    empty = tmp_path / "servers" / server(1).id
    empty.mkdir(parents=True)
    other = tmp_path / "servers" / "somebody's"
    other.mkdir()
    assert list(folders.unfinished()) == []
    assert not empty.exists()
    assert other.exists()


def test_a_removal_that_was_killed_is_one_that_is_unfinished(folders):
    work = folders.begin(server(1), numbered=False)
    work.publish(work.server)
    work.unpublish()
    work.close()
    assert folders.all() == ()
    (left,) = folders.unfinished()
    assert left.server.id == server(1).id
    left.close()


@pytest.mark.parametrize("text", ["{}", "", '{"format":"diskwright-server","v":2}'])
def test_a_description_that_is_none(folders, text):
    work = folders.begin(server(1), numbered=False)
    made = work.publish(work.server)
    work.close()
    (Path(made.folder) / "server.json").write_text(text)
    with pytest.raises(InputUnreadable):
        folders.all()


def test_found_by_id_name_and_prefix(folders):
    for number, name in ((1, "web"), (2, "web-2")):
        work = folders.begin(server(number, name), numbered=False)
        work.publish(work.server)
        work.close()
    first, second = folders.all()
    assert find_server(folders, first.id, None) == first
    assert find_server(folders, "web-2", ServerKind.SERVER) == second
    assert find_server(folders, second.id[:-1], None) == second
    with pytest.raises(ServerAmbiguous):
        find_server(folders, "0000", None)
    for wanted, kind in (("000", None), ("web", ServerKind.VOLUME), ("", None)):
        with pytest.raises(ServerNotFound):
            find_server(folders, wanted, kind)


def test_uses_count_even_where_they_can_not_be_read(tmp_path):
    store = DirectoryStore(str(tmp_path))
    check_unused(store, IMAGE)
    use = Use(server(1).id, "web", "here", "2026-11-27T00:00:00Z", "me")
    put_use(store, IMAGE, use)
    store.put(use_key(IMAGE, server(2).id), b"?")
    store.put(f"uses/{IMAGE}/note.txt", b"?")
    assert uses_of(store, IMAGE) == (use, Use(server(2).id, "", "", "", ""))
    with pytest.raises(ImageInUse, match="web on here"):
        check_unused(store, IMAGE)
    assert uses_of(store, server(1).id) == ()
