"""prune and prove: an old version goes only once a newer one was found whole."""

from __future__ import annotations

import os
import signal

import pytest

from diskwright.errors import DataTampered, UsageError
from diskwright.model import canonical
from diskwright.model.names import manifest_key
from diskwright.model.record import Sharing
from diskwright.ops.library import place, prove
from diskwright.ops.library.chain import read_chain
from diskwright.ops.manifests import read_manifest
from support.care import DAY, Care, care, folder_store, other, template, where

__all__ = ["care", "other", "template", "where"]


def told(pruned) -> dict[str, tuple[bool, str]]:
    return {one.entry.name: (one.goes, one.why) for one in pruned.versions}


def test_none_goes_before_a_newer_one_is_proven(care):
    made = care.prune("stable", keep=1)
    assert [one.goes for one in made.versions] == [False, False, False]
    assert "proven" in told(made)["web-1"][1]
    care.prove("web-2")  # it does not stay itself
    assert not care.prune("stable", keep=1).anything
    proven = care.prove("web-3")
    assert proven.proven
    assert care.history("web-3")[-1].what == "found whole: restored"
    planned = care.prune("stable", keep=1, dry_run=True)
    assert [one.goes for one in planned.versions] == [False, True, True]
    assert told(care.prune("stable", keep=1)) == told(planned)
    assert [entry.name for entry in care.list()] == ["web-3"]
    assert "pruned" in care.history(planned.versions[1].entry.id)[-1].what
    care.undelete("web-1")


def test_a_clock_that_is_ahead_makes_no_version_the_newest(where, tmp_path):
    with Care(where, tmp_path / "behind", later_s=-2 * DAY) as behind:
        behind.prove("web-1")
        made = behind.prune("stable", keep=1)
        assert not made.anything
        assert all("clock" in one.why for one in made.versions)


def test_what_is_shared_used_tagged_or_damaged_stays(care, where):
    care.prove("web-3")
    at = care.synced()
    chain = read_chain(at.store, care.show("web-1").id, None)
    place.append(at, chain, Sharing("me", "ab12", "them", True))
    care.tag("web-2", {"keep": ""})
    made = told(care.prune("stable", keep=1))
    assert made["web-1"] == (False, "shared with them")
    assert made["web-2"] == (False, "tagged keep")
    care.tag("web-2", {}, removed=["keep"])
    use = f"uses/{care.show('web-2').id}/server.json"
    folder_store(where).put(use, b"")
    assert told(care.prune("stable", keep=1))["web-2"] == (False, "in use by server")
    folder_store(where).delete(use)
    (disk,) = care.show("web-3").disks
    folder_store(where).delete(disk.key)
    care.check()
    made = told(care.prune("stable", keep=1))
    assert "damaged" in made["web-3"][1]
    assert made["web-2"] == (False, "number 1 of the newest 1")
    with pytest.raises(UsageError):
        care.prune("beta", keep=1)


def test_what_changed_since_it_was_planned_stays(care, other, monkeypatch):
    care.prove("web-3")
    from diskwright.ops.library import prune

    at = care.synced()
    planned = prune.plan(at, "stable", keep=1)
    other.set("web-2", channel="beta")
    other.tag("web-1", {"keep": ""})
    made = told(prune.run(at, planned, _never()))
    assert made["web-2"] == (False, "it is of another channel now")
    assert made["web-1"] == (False, "tagged keep")
    other.tag("web-1", {}, removed=["keep"])
    planned = prune.plan(care.synced(), "stable", keep=1)
    other.delete("web-3")
    assert not prune.run(at, planned, _never()).anything


def _never():
    from diskwright.model.nulls import NeverCancelled

    return NeverCancelled()


def test_what_is_damaged_is_not_proven(care, where, tmp_path):
    (disk,) = care.show("web-3").disks
    data = bytearray(folder_store(where).get(disk.key))
    data[-1] ^= 1
    folder_store(where).put(disk.key, bytes(data))
    with pytest.raises(DataTampered):
        care.prove("web-3")
    assert not care.show("web-3").proven
    assert disks_left(tmp_path) == []


@pytest.mark.parametrize(
    "later", [lambda one: one.prove("web-2"), lambda one: one.gc()], ids=["prove", "gc"]
)
def test_the_disk_that_a_killed_one_left_goes_with_the_next(
    care, where, tmp_path, monkeypatch, later
):
    child = os.fork()
    if not child:
        monkeypatch.setattr(prove, "verify", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        try:
            Care(where, tmp_path / "here").prove("web-3")
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert len(disks_left(tmp_path)) == 1
    later(care)
    assert disks_left(tmp_path) == []


def disks_left(tmp_path) -> list[str]:
    """Files in the state folder that are as large as `small_disk` has data, but the catalog."""
    found = (tmp_path / "here" / "state").rglob("*")
    kept = [path for path in found if path.is_file() and path.stat().st_size >= 1 << 16]
    return [str(path) for path in kept if path.suffix not in {".sqlite", ".sqlite-wal"}]


@pytest.mark.parametrize("time", ["soon", "2026-01-01", "2026-13-01T00:00:00Z", 7])
def test_a_manifest_whose_time_is_none_is_told_and_passed_over(care, where, time):
    key = manifest_key(care.show("web-1").id)
    store = folder_store(where)
    manifest = canonical.decode(store.get(key))
    store.put(key, canonical.encode({**manifest, "time": time}))
    with pytest.raises(DataTampered, match="its time is none") as told:
        read_manifest(store, care.show("web-1").id)
    assert told.value.hint
    care.rebuild()
    assert sorted(told.name for told in care.list()) == ["web-2", "web-3"]
    assert len(care.prune("stable", keep=1).versions) == 2
