"""The list of libraries: whole at every moment, its owner's alone, and no change is lost."""

from __future__ import annotations

import os
import threading

import pytest

from diskwright.adapters import registry
from diskwright.adapters.registry import FileLibraryRegistry
from diskwright.errors import DiskFull, InputUnreadable, OutputNotWritable, TargetExists, UsageError
from diskwright.model.library import KnownLibrary

HERE = KnownLibrary("here", "dir:/srv/library", default=True)
THERE = KnownLibrary("there", "s3://bucket/library", account="/keys/account.json")


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "config" / "libraries.json")


@pytest.fixture
def libraries(path):
    return FileLibraryRegistry(path)


def test_without_a_file_none_is_known(libraries, path):
    assert libraries.known() == ()
    assert not os.path.exists(os.path.dirname(path))


def test_what_was_added_is_known_in_its_order(libraries, path):
    libraries.add(THERE)
    libraries.add(HERE)
    assert FileLibraryRegistry(path).known() == (THERE, HERE)
    libraries.remove("there")
    assert libraries.known() == (HERE,)


def test_a_name_in_use_is_refused(libraries):
    libraries.add(HERE)
    with pytest.raises(TargetExists):
        libraries.add(KnownLibrary("here", "dir:/elsewhere"))
    assert libraries.known() == (HERE,)


def test_one_at_most_is_the_default(libraries):
    libraries.add(HERE)
    libraries.add(THERE)
    libraries.set_default("there")
    assert [it.default for it in libraries.known()] == [False, True]
    libraries.add(KnownLibrary("third", "dir:/x", default=True))
    assert [it.default for it in libraries.known()] == [False, False, True]


def test_a_name_that_is_not_known_is_told(libraries):
    for change in (libraries.remove, libraries.set_default):
        with pytest.raises(UsageError):
            change("nowhere")
    assert libraries.known() == ()


def test_file_and_folder_are_their_owners_alone(libraries, path):
    before = os.umask(0)
    try:
        libraries.add(HERE)
        libraries.set_default("here")
    finally:
        os.umask(before)
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.stat(os.path.dirname(path)).st_mode & 0o777 == 0o700
    assert os.listdir(os.path.dirname(path)) == ["libraries.json"]


def test_what_a_killed_run_left_is_in_nobodys_way(libraries, path):
    os.mkdir(os.path.dirname(path))
    left = os.path.join(os.path.dirname(path), ".libraries.json.new")
    with open(left, "w") as file:
        file.write('{"v": 1, "libr')
    libraries.add(HERE)
    assert (libraries.known(), os.path.exists(left)) == ((HERE,), False)


def test_a_change_that_fails_leaves_the_list_as_it_was(libraries, path, monkeypatch):
    libraries.add(HERE)

    def full(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(registry.os, "fsync", full)
    with pytest.raises(DiskFull):
        libraries.add(THERE)
    monkeypatch.undo()
    assert libraries.known() == (HERE,)
    assert os.listdir(os.path.dirname(path)) == ["libraries.json"]


def test_a_list_of_an_older_diskwright_is_read(libraries, path):
    os.mkdir(os.path.dirname(path))
    with open(path, "w") as file:
        file.write(
            '{"libraries": [{"name": "here", "url": "dir:/srv/library", "id": "",'
            ' "account": "", "default": true}], "v": 1}'
        )
    assert libraries.known() == (HERE,)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        b'{"v": 2, "libraries": []}',
        b'{"libraries": [{"name": "a"}]}',
        b'{"libraries": [], "more": 1}',
        b" " * (1 << 20) + b'{"libraries": []}',
    ],
)
def test_a_file_that_is_no_list_is_refused_and_left(libraries, path, content):
    os.mkdir(os.path.dirname(path))
    with open(path, "wb") as file:
        file.write(content)
    for call in (libraries.known, lambda: libraries.add(HERE)):
        with pytest.raises(InputUnreadable):
            call()
    with open(path, "rb") as file:
        assert file.read() == content


def test_a_place_that_cant_be_written_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises((OutputNotWritable, InputUnreadable)):
        FileLibraryRegistry(str(tmp_path / "file" / "libraries.json")).add(HERE)


def test_of_changes_at_once_none_is_lost_and_every_look_sees_a_whole_list(path):
    libraries = FileLibraryRegistry(path)
    done, broken = threading.Event(), []

    def look():
        while not done.is_set():
            try:
                libraries.known()
            except InputUnreadable as error:
                broken.append(error)

    def add(first):
        for number in range(first, first + 10):
            FileLibraryRegistry(path).add(KnownLibrary(f"n{number}", "dir:/x"))

    looking = threading.Thread(target=look)
    adding = [threading.Thread(target=add, args=(n * 10,)) for n in range(4)]
    looking.start()
    for thread in adding:
        thread.start()
    for thread in adding:
        thread.join()
    done.set()
    looking.join()
    assert broken == []
    assert {it.name for it in libraries.known()} == {f"n{number}" for number in range(40)}
