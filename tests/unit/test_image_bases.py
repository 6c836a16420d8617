"""What a new image rests on: how deep, whose, and that it stays."""

from __future__ import annotations

import os

import pytest

from diskwright.app import Diskwright
from diskwright.app.library import Library
from diskwright.config import load
from diskwright.errors import IllegalState, UsageError
from diskwright.model.image import ImageFormat
from diskwright.model.library import ImageKind
from diskwright.ops.library import replicate, resting, trash
from diskwright.ops.library.create import CreateRequest
from diskwright.ops.library.deltas import DELTAS_LIMIT
from diskwright.ops.library.source import found_of, source_chain
from diskwright.ops.library.uses import use_key

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
        return found_of(source_chain(self.library.store(), image, None)).disk.base


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
