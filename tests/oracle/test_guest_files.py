"""The list of a guest's files is what debugfs takes out of the same file system."""

from __future__ import annotations

import hashlib
from pathlib import Path

from diskwright._values import replace
from diskwright.guest.files import EVERY, list_files
from diskwright.guest.filesystems.ext import ExtFs
from diskwright.guest.tree import GuestTree
from diskwright.model.examined import EntryKind, FileEntry
from support.guest_disks import FIXTURES, run, source_of_file

ROOT = (34603008, 1039138816)  # the second partition: start and length


def test_debugfs_takes_out_the_same(tmp_path: Path) -> None:
    raw, out = tmp_path / "disk.raw", tmp_path / "out"
    run("qemu-img", "convert", "-O", "raw", FIXTURES / "debian12-uefi-ext4.qcow2", raw)
    out.mkdir()
    run("debugfs", "-R", f"rdump / {out}", f"{raw}?offset={ROOT[0]}")
    fs = ExtFs(source_of_file(raw).window(*ROOT))
    found = list_files(GuestTree(fs), "/", EVERY)
    assert (found.unread, found.end) == ((), None)
    taken = [p for p in out.rglob("*") if p.is_symlink() or p.is_file()]
    ours = [replace(e, mode=e.mode & 0o777) for e in found.entries]  # set-id bits: lost by debugfs
    assert {e.path: e for e in ours} == {
        "/" + str(p.relative_to(out)): entry(p, out) for p in taken
    }
    assert len(taken) > 1000


def entry(path: Path, out: Path) -> FileEntry:
    name, status = "/" + str(path.relative_to(out)), path.lstat()
    if path.is_symlink():
        target = str(path.readlink())
        return FileEntry(name, EntryKind.LINK, len(target.encode()), 0o777, target)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return FileEntry(name, EntryKind.FILE, status.st_size, status.st_mode & 0o777, digest)
