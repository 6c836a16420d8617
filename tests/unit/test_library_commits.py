"""A change of an image that reads none of a large manifest, and what it still notices."""

from __future__ import annotations

import pytest

from diskwright.errors import DataTampered, ImageNotFound
from diskwright.model import commit as commits
from diskwright.model import manifest as manifests
from diskwright.model.names import manifest_key
from diskwright.model.record import Attributes
from diskwright.ops.library import commits as kept_commits
from diskwright.ops.library import modify, sharing
from diskwright.ops.library.chain import read_chain
from diskwright.ops.library.place import to_change
from diskwright.ops.library.source import source_chain
from diskwright.ops.library.sync import sync
from support.accounts import account
from support.library_images import KEY, OTHER_KEY, put_image
from support.library_places import workstation
from support.memory_store import MemoryStore

BOTH = pytest.mark.parametrize("key", [None, KEY], ids=["plain", "sealed"])


class Counted(MemoryStore):
    """How often a manifest was read."""

    manifests = 0

    def get(self, key, start, length):
        self.manifests += key.startswith("manifests/")
        return super().get(key, start, length)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_commits, "_SMALL", 0)
    made = workstation(Counted(), tmp_path, key=KEY)
    yield made
    made.catalog.close()


def put(place, key):
    made = put_image(place.store, "web", key=key)
    sync(place, whole=True)
    place.store.manifests = 0
    return made


def described(place, text="new"):
    plan = modify.plan_set(place, "web", Attributes("ann", description=text))
    return modify.run(place, plan)


@BOTH
def test_it_says_what_the_whole_says(place, key):
    made = put(place, key)
    light, whole = to_change(place, "web"), read_chain(place.store, made.id, KEY)
    assert light.commit == whole.commit
    assert (light.body, light.links, light.head) == (whole.body, whole.links, whole.head)
    assert commits.decode(commits.encode(whole.commit)) == whole.commit


@BOTH
def test_changes_read_no_manifest_and_others_find_them(place, key, tmp_path):
    made = put(place, key)
    assert described(place).description == "new"
    sharing.run(place, sharing.plan_share(place, "web", account().public, name="ada"))
    assert place.store.manifests == 0
    other = workstation(place.store, tmp_path, who="ben@there", key=KEY)
    sync(other)
    assert other.catalog.entry(made.id) == place.catalog.entry(made.id)
    assert other.catalog.history(made.id) == place.catalog.history(made.id)
    other.catalog.close()


@BOTH
def test_with_parts_it_is_read_whole(place, key):
    put(place, key)
    chain = to_change(place, "web", parts=True)
    assert chain.manifest.objects[0].part_digests
    assert place.store.manifests == 1


@BOTH
def test_what_was_lost_or_is_of_another_version_is_read_again(place, key):
    made = put(place, key)
    for text in ("{}", "x", '{"digest":"a"}'):
        place.catalog.keep_commit(made.id, text)
        assert described(place, text).description == text
    assert place.store.manifests == 3


@BOTH
def test_one_of_another_size_is_told_at_once(place, key):
    made = put(place, key)
    other = put_image(place.store, "another-name", key=key)
    data = place.store.objects[manifest_key(other.id)].replace(other.id.encode(), made.id.encode())
    place.store.objects[manifest_key(made.id)] = data + b" "
    with pytest.raises(DataTampered):
        described(place)


@BOTH
def test_a_swapped_one_of_the_same_size_gets_nothing_and_is_not_restored(place, key):
    made = put(place, key)
    where = manifest_key(made.id)
    manifest = manifests.decode(place.store.objects[where])
    before = place.store.objects[where]
    last = "1" if manifest.time[18] != "1" else "2"
    time = f"{manifest.time[:18]}{last}{manifest.time[19:]}"
    place.store.objects[where] = before.replace(manifest.time.encode(), time.encode())
    described(place)
    entry = place.catalog.entry(made.id)
    with pytest.raises(DataTampered):
        source_chain(place.store, entry, KEY)
    with pytest.raises(DataTampered):
        to_change(place, "web", parts=True)


@BOTH
def test_one_that_is_gone_is_not_there(place, key):
    made = put(place, key)
    del place.store.objects[manifest_key(made.id)]
    with pytest.raises(ImageNotFound):
        described(place)


def test_recipients_of_another_data_key_are_passed_over(place):
    """Authentic is what the image's own data key says, though no manifest is read for it."""
    made = put(place, KEY)
    chain = to_change(place, "web")
    assert chain.data_key is not None
    kept = chain.commit
    wrong = commits.Commit(kept.digest, kept.size, "00" * 32, kept.manifest)
    place.catalog.keep_commit(made.id, commits.encode(wrong))
    with pytest.raises(DataTampered):
        to_change(place, "web")
    assert read_chain(place.store, made.id, OTHER_KEY, before=kept).data_key is None
