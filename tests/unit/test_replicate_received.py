"""replicate of what another offers: the copy is ours, so it is sealed for a key of ours."""

from __future__ import annotations

import pytest

from diskwright._values import replace
from diskwright.adapters.journal import FileUploadJournal
from diskwright.app import Diskwright
from diskwright.config import load
from diskwright.errors import KeyMissing, NameTaken, UsageError
from diskwright.model.nulls import NeverCancelled, NullProgress
from diskwright.ops.fetch import plain_chunks
from diskwright.ops.library import replicate
from diskwright.ops.library.chain import read_chain
from diskwright.ops.library.claims import take_name
from diskwright.ops.library.replicate import ReplicateRequest
from diskwright.ops.library.source import found_of
from diskwright.ops.stored_file import RestoreTools
from support.accounts import pair
from support.disks import assemble
from support.library_images import KEY, OTHER_KEY
from support.library_places import workstation
from support.memory_store import MemoryStore


@pytest.fixture
def two(tmp_path):
    made = pair(tmp_path)
    made.ada = replace(made.ada, wrapper=OTHER_KEY)
    return made


@pytest.fixture
def put(two):
    put = two.put("web", sealed=True)
    two.share(put.id)
    two.sync()
    two.answer("web")
    return put


def replicated(two, put, request, folder, target=None):
    store, key = two.source(put.id)
    tools = RestoreTools(store, key, Diskwright(load()).adapters.local_tools())
    entry = two.ada.catalog.entry(put.id)
    planned = replicate.plan(two.ada, target or two.ada, entry, request, source=tools)
    return replicate.run(
        two.ada,
        planned,
        source=tools,
        journal=FileUploadJournal(str(folder / "state")),
        progress=NullProgress(),
        cancel=NeverCancelled(),
    )


def disk_of(store, image, key):
    return assemble(plain_chunks(store, found_of(read_chain(store, image, key))))


def test_it_is_sealed_for_our_own_key_alone_and_has_its_name(two, put, tmp_path):
    made = replicated(two, put, ReplicateRequest("mine"), tmp_path)
    store = two.ada.store
    assert disk_of(store, made.id, OTHER_KEY) == put.disk
    assert [one.key_id for one in made.recipients] == [OTHER_KEY.key_id]
    for other in (two.key, KEY):
        with pytest.raises(KeyMissing):
            disk_of(store, made.id, other)
    two.ada.catalog.forget(made.id)  # as on another workstation
    with pytest.raises(NameTaken):
        take_name(two.ada, "mine", put.id, sealed=True, duplicate=False)


def test_in_another_library_for_that_ones_key(two, put, tmp_path):
    (tmp_path / "other").mkdir()
    target = workstation(MemoryStore(), tmp_path / "other", who="ada", key=KEY)
    made = replicated(two, put, ReplicateRequest("mine"), tmp_path, target)
    assert disk_of(target.store, made.id, KEY) == put.disk


def test_or_for_the_one_that_is_named(two, put, tmp_path):
    two.ada = replace(two.ada, wrapper=None)
    made = replicated(two, put, ReplicateRequest("mine", encrypt=KEY), tmp_path)
    assert disk_of(two.ada.store, made.id, KEY) == put.disk


def test_without_a_key_of_ours_it_is_refused_or_opened(two, put, tmp_path):
    two.ada = replace(two.ada, wrapper=None)
    with pytest.raises(UsageError, match="no key of ours") as refused:
        replicated(two, put, ReplicateRequest("mine"), tmp_path)
    assert "--key local:FILE" in refused.value.hint
    made = replicated(two, put, ReplicateRequest("mine", decrypt=True), tmp_path)
    assert not made.sealed
    assert disk_of(two.ada.store, made.id, None) == put.disk
