"""What the folder promises beyond the contract: keys stay inside, zeros take no room."""

from __future__ import annotations

import errno
import os

import pytest

from diskwright.adapters.directory import DirectoryStore, files
from diskwright.errors import DiskFull, InputUnreadable, ObjectMissing, OutputNotWritable
from support.uploading import files_under

MIB = 1 << 20


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


@pytest.mark.parametrize("key", ["../x", "a/../../x", "/etc/x", "a//b", "", ".", "a/.", "a\0b"])
def test_no_key_leaves_the_folder(root, tmp_path, key):
    store = DirectoryStore(str(root))
    for act in (
        lambda: store.put(key, b"x"),
        lambda: store.get(key),
        lambda: store.delete(key),
        lambda: store.create_upload(key, part_size=1),
    ):
        with pytest.raises(OutputNotWritable):
            act()
    assert files_under(str(tmp_path)) == []


def test_a_link_out_of_the_folder_is_not_followed(root, tmp_path):
    (tmp_path / "outside").mkdir()
    root.mkdir()
    (root / "images").symlink_to(tmp_path / "outside")
    with pytest.raises(OutputNotWritable):
        DirectoryStore(str(root)).put("images/x", b"x")
    assert files_under(str(tmp_path / "outside")) == []


def test_the_place_of_open_uploads_is_no_place_for_objects(root):
    with pytest.raises(OutputNotWritable):
        DirectoryStore(str(root)).put(".uploads/x", b"x")


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1)])
def test_zeros_become_holes_and_the_size_is_right(root, order):
    store = DirectoryStore(str(root))
    parts = {1: bytes(4 * MIB), 2: bytes(2 * MIB) + b"x" + bytes(2 * MIB - 1), 3: bytes(MIB)}
    upload_id = store.create_upload("sparse", part_size=4 * MIB)
    etags = {n: store.put_part("sparse", upload_id, n, memoryview(parts[n])) for n in order}
    store.complete_upload("sparse", upload_id, [etags[n] for n in (1, 2, 3)])
    assert store.get("sparse") == b"".join(parts[n] for n in (1, 2, 3))
    assert os.stat(root / "sparse").st_blocks * 512 <= 256 << 10


def test_a_copied_range_keeps_its_zeros_as_holes(root):
    store = DirectoryStore(str(root))
    store.put("source", bytes(2 * MIB) + b"end")
    upload_id = store.create_upload("copy", part_size=4 * MIB)
    etag = store.copy_part("copy", upload_id, 1, "source", 0, 2 * MIB + 3)
    store.complete_upload("copy", upload_id, [etag])
    assert store.get("copy") == bytes(2 * MIB) + b"end"
    assert os.stat(root / "copy").st_blocks * 512 <= 256 << 10


def test_copying_past_the_sources_end_is_an_error(root):
    store = DirectoryStore(str(root))
    store.put("source", b"short")
    upload_id = store.create_upload("copy", part_size=100)
    with pytest.raises(InputUnreadable):
        store.copy_part("copy", upload_id, 1, "source", 0, 6)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_so_and_leaves_no_half_object(root, monkeypatch, number):
    store = DirectoryStore(str(root))
    upload_id = store.create_upload("k", part_size=MIB)

    def full(*given):
        raise OSError(number, "full")

    monkeypatch.setattr(files.os, "pwrite", full)
    with pytest.raises(DiskFull):
        store.put("manifest", b"x")
    with pytest.raises(DiskFull):
        store.put_part("k", upload_id, 1, memoryview(b"x"))
    store.abort_upload("k", upload_id)
    assert files_under(str(root)) == []


def test_a_file_where_the_folder_should_be_is_an_error_of_ours(tmp_path):
    (tmp_path / "root").write_text("")
    store = DirectoryStore(str(tmp_path / "root"))
    with pytest.raises(OutputNotWritable):
        store.put("k", b"x")
    with pytest.raises(ObjectMissing):
        store.get("k")


def test_another_processes_uploads_are_found_by_key(root):
    first = DirectoryStore(str(root))
    upload_id = first.create_upload("images/1/a b:c%.raw", part_size=5)
    (found,) = DirectoryStore(str(root)).list_uploads("images/1/")
    assert (found.key, found.upload_id) == ("images/1/a b:c%.raw", upload_id)


def test_what_a_killed_put_leaves_is_an_open_upload_of_its_key(root, monkeypatch):
    store = DirectoryStore(str(root))

    class Killed(BaseException):
        pass

    def die(*given):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(files.os, "pwrite", die)
        patched.setattr(store, "_remove_upload", lambda upload_id: None)
        with pytest.raises(Killed):
            store.put("manifests/1.json", b"x")
    (left,) = store.list_uploads("manifests/1.json")
    store.abort_upload(left.key, left.upload_id)
    assert files_under(str(root)) == []


def test_a_key_too_long_for_a_file_name_is_refused_by_name(root):
    with pytest.raises(OutputNotWritable, match="too long"):
        DirectoryStore(str(root)).put("a/" * 150 + "b", b"x")


@pytest.mark.parametrize("folder", [".uploads", "names"])
def test_a_folder_that_goes_just_as_it_is_found_is_no_conflict(root, monkeypatch, folder):
    """Another process removes it as empty, between our mkdir and the look at what is in the way."""
    (root / folder).mkdir(parents=True)
    make = os.mkdir

    def make_as_it_goes(path, *mode):
        try:
            make(path, *mode)
        except FileExistsError:
            if str(path) == str(root / folder):
                monkeypatch.setattr(os, "mkdir", make)
                os.rmdir(path)
            raise

    monkeypatch.setattr(os, "mkdir", make_as_it_goes)
    DirectoryStore(str(root)).put("names/one", b"x", if_absent=True)
    assert os.mkdir is make
    assert (root / "names" / "one").read_bytes() == b"x"
