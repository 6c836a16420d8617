"""What a new image rests on: how deep, whose, and that it stays."""

from __future__ import annotations

import os

import pytest

from diskwright._values import replace
from diskwright.adapters.directory import DirectoryStore
from diskwright.adapters.kms_local import new_key
from diskwright.app import Diskwright
from diskwright.app.library import Library
from diskwright.config import load
from diskwright.errors import IllegalState, ImageInUse, NameTaken, RemoteUnreachable, UsageError
from diskwright.model import manifest as manifests
from diskwright.model.image import ImageFormat
from diskwright.model.library import ImageKind, Status
from diskwright.model.manifest import DiskBase
from diskwright.model.names import manifest_key, sealed_key
from diskwright.model.nulls import NeverCancelled
from diskwright.ops.library import replicate, resting, trash
from diskwright.ops.library.chain import read_chain
from diskwright.ops.library.create import CreateRequest
from diskwright.ops.library.deltas import DELTAS_LIMIT
from diskwright.ops.library.references import read_references
from diskwright.ops.library.source import found_of
from diskwright.ops.library.uses import use_key
from diskwright.ops.manifests import opened_with, read_manifest, unwrapped
from support.library_images import KEY, put_image
from support.library_places import workstation
from support.memory_store import MemoryStore

MIB = 1 << 20


@pytest.fixture
def library(tmp_path, monkeypatch):
    for name in ("STATE", "DATA", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    app = Diskwright(load())
    app.new_library("own", f"dir:{tmp_path}/own")
    with Library("own", app=app) as opened:
        yield opened


class Versions:
    def __init__(self, library, folder) -> None:
        self.library, self.path, self.data = library, folder / "disk.raw", b""
        self.data = os.urandom(2 * MIB)

    def create(self, name, **options):
        """The next version, which differs in a cluster."""
        at = len(name) * 65536
        self.data = self.data[:at] + os.urandom(65536) + self.data[at + 65536 :]
        self.path.write_bytes(self.data)
        request = CreateRequest(name, kind=ImageKind.DATA)
        entry, _ = self.library.create([str(self.path)], request=request, **options)
        return entry

    def base(self, image):
        return found_of(read_chain(self.library.store(), image, None)).disk.base


@pytest.fixture
def versions(library, tmp_path):
    return Versions(library, tmp_path)


def test_no_more_lie_over_a_whole_one_than_may(versions, tmp_path):
    made = [versions.create("v")]
    for number in range(2, DELTAS_LIMIT + 3):
        made.append(versions.create("v" * number, base=made[-1].id))
    bases = [versions.base(one.id) for one in made]
    assert bases[0] is None
    rests_on = [base.image for base in bases[1:]]
    assert rests_on[:DELTAS_LIMIT] == [one.id for one in made[:DELTAS_LIMIT]]
    assert rests_on[DELTAS_LIMIT] == made[DELTAS_LIMIT - 1].id  # not the last one
    out = tmp_path / "out.raw"
    versions.library.download(made[-1].id, str(out), output_format=ImageFormat.RAW)
    assert out.read_bytes() == versions.data
    assert versions.library.prove(made[-1].id).proven


def uses(versions):
    return [info.key for info in versions.library.store().list("uses/")]


def test_a_base_that_was_deleted_meanwhile_is_none(versions, monkeypatch):
    first = versions.create("v")
    place = versions.library.synced()
    deleting = trash.plan_delete(place, "v")
    real = resting.put_use

    def deleted_first(store, base, use):
        trash.run(place, deleting)
        real(store, base, use)

    monkeypatch.setattr(resting, "put_use", deleted_first)
    keys = {info.key for info in versions.library.store().list("images/")}
    with pytest.raises(IllegalState, match=first.id):
        versions.create("vv", base="v")
    assert uses(versions) == []
    assert {info.key for info in versions.library.store().list("images/")} == keys


def test_a_replica_of_a_version_rests_on_its_base_from_its_commit_on(versions, monkeypatch):
    """So a run that is killed while data goes over leaves no mark."""
    versions.create("v")
    made = versions.create("vv", base="v")
    before, seen, real = uses(versions), [], replicate._send

    def sent(*given):
        done = real(*given)
        seen.append(uses(versions))
        return done

    monkeypatch.setattr(replicate, "_send", sent)
    copy = versions.library.replicate(made.id, "vvv").entry
    assert seen == [before]
    assert versions.base(copy.id) == versions.base(made.id)
    assert set(uses(versions)) - set(before) == {use_key(versions.base(copy.id).image, copy.id)}


def test_an_image_that_is_there_though_no_answer_came_keeps_its_base_and_its_name(
    versions, monkeypatch
):
    first = versions.create("v")
    put, uploads, unanswered = DirectoryStore.put, DirectoryStore.list_uploads, []

    def lost(store, key, data, **named):
        put(store, key, data, **named)
        if key.startswith("manifests/"):
            unanswered.append(key)
            raise RemoteUnreachable("dir:", "cut")

    def cut_once(store, prefix):
        if len(unanswered) == 1:
            unanswered.append(prefix)
            raise RemoteUnreachable("dir:", "cut")
        return uploads(store, prefix)

    with monkeypatch.context() as patched:
        patched.setattr(DirectoryStore, "put", lost)
        patched.setattr(DirectoryStore, "list_uploads", cut_once)
        with pytest.raises(RemoteUnreachable):
            versions.create("vv", base="v")
    second = versions.library.show("vv")
    assert uses(versions) == [use_key(first.id, second.id)]
    with pytest.raises(ImageInUse):
        versions.library.delete("v")
    place = versions.library.place()
    with pytest.raises(NameTaken):  # by its claim, whatever a catalog says
        place.names(sealed=False).take("vv", first.id, lambda *_: True, place.now())


def test_with_a_key_gc_sees_what_a_sealed_one_rests_on_without_its_mark(tmp_path):
    here = workstation(MemoryStore(), tmp_path, key=KEY)
    base = put_image(here.store, "v", key=KEY)
    made = put_version(here.store, "vv", base, key=KEY)
    with_key, without = (
        read_references(one, NeverCancelled()) for one in (here, replace(here, wrapper=None))
    )
    assert with_key.needed_by == {base.id: {made}}
    assert without.needed_by == {}
    assert not with_key.unread


def put_version(store, name, base, *, key):
    """A sealed image that says it rests on `base`; it has no mark."""
    put = put_image(store, name, key=key)
    manifest = read_manifest(store, put.id)
    body = opened_with(manifest, unwrapped(manifest.recipients, manifest.seal, key))
    told = DiskBase(base.id, 0, sealed_key(base.id, 0), body.disks[0].digest)
    body = replace(body, disks=(replace(body.disks[0], format="qcow2", base=told),))
    whole = put.seal.close(replace(manifest, body=body, private=None))
    store.put(manifest_key(put.id), manifests.encode(whole))
    return put.id


def test_one_in_the_trash_is_none(versions):
    made = versions.create("v")
    versions.library.delete(made.id)
    with pytest.raises(IllegalState):
        versions.create("vv", base=made.id)


def test_no_other_format_can(versions):
    versions.create("v")
    with pytest.raises(UsageError):
        versions.create("vv", base="v", output_format=ImageFormat.RAW)
    assert uses(versions) == []


def test_check_tells_where_a_base_is_gone(versions):
    first = versions.create("v")
    second = versions.create("vv", base="v")
    third = versions.create("vvv", base="vv")
    library = versions.library
    store = library.store()
    manifest = store.get(manifest_key(first.id))
    store.delete(manifest_key(first.id))
    issues = library.check(read_data=True).broken
    assert {one.image for one in issues} == {first.id, second.id, third.id}
    assert library.show("vvv").status is Status.ERROR
    store.put(manifest_key(first.id), manifest)
    assert library.check().issues == ()
    store.delete(first.disks[0].key)
    assert {one.image for one in library.check().issues} == {first.id, second.id, third.id}


def test_gc_with_a_key_finds_what_a_sealed_version_rests_on(versions, tmp_path):
    path = tmp_path / "key"
    new_key(str(path))
    versions.library.close()
    with Library("own", app=versions.library.app, key=f"local:{path}") as library:
        versions.library = library
        first = versions.create("v")
        versions.create("vv", base="v")
        for key in uses(versions):  # as where a commit came through whose answer was lost
            library.store().delete(key)
        library.delete("v")
        made = library.gc(grace_s=0)
        assert made.purged == ()
        assert [(one.image, "rests on it" in one.why) for one in made.kept] == [(first.id, True)]
        assert first.sealed
