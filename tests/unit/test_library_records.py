"""Records: what they make of an image, and what is believed of them."""

from __future__ import annotations

import json

import pytest

from diskwright._values import replace
from diskwright.adapters.directory import DirectoryStore
from diskwright.adapters.kms_local import LocalKey
from diskwright.envelope.header import context_bytes
from diskwright.envelope.recipients import recipient_of
from diskwright.envelope.record import is_mac, mac
from diskwright.errors import KeyRefused
from diskwright.model import canonical
from diskwright.model import record as records
from diskwright.model.library import Status
from diskwright.model.names import manifest_key
from diskwright.model.record import (
    Attributes,
    Deleted,
    NotARecord,
    Recipients,
    Sharing,
    Tags,
    record_key,
)
from diskwright.ops.images import find
from diskwright.ops.library.chain import next_record, read_chain
from diskwright.ops.library.fold import entry_of, history_of
from support.library_images import KEY, OTHER_KEY, put_image

STRANGER = LocalKey("local:eve.json", "8f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b", bytes(range(32)))
TIME = "2026-11-27T08:00:00Z"


@pytest.fixture
def store(tmp_path):
    return DirectoryStore(str(tmp_path / "library"))


def add(store, image, *bodies, key=None):
    for body in bodies:
        chain = read_chain(store, image, key)
        record = next_record(chain, body, TIME)
        store.put(record_key(image, record.seq), records.encode(record), if_absent=True)
    return read_chain(store, image, key)


def entry(store, image, key=None):
    return entry_of(read_chain(store, image, key))


BOTH = pytest.mark.parametrize("key", [None, KEY], ids=["plain", "sealed"])


class TestWhatRecordsMake:
    @BOTH
    def test_of_an_image_without_any_it_is_what_the_manifest_says(self, store, key):
        put = put_image(store, "web", key=key, description="first", tags={"a": "1"})
        found = entry(store, put.id, key)
        assert (found.name, found.description, found.tags) == ("web", "first", {"a": "1"})
        assert (found.status, found.seq, found.sealed) == (Status.ACTIVE, 0, key is not None)
        assert found.head == records.digest(store.get(manifest_key(put.id)))
        assert found.disks[0].virtual_size == 1 << 20

    @BOTH
    def test_each_changes_what_it_names_and_nothing_else(self, store, key):
        put = put_image(store, "web", key=key, description="first", tags={"a": "1", "b": "2"})
        chain = add(
            store,
            put.id,
            Attributes("ann", name="web-2", min_memory_mib=2048),
            Tags("ben", put={"c": "3"}, removed=("a",)),
            Sharing("ann", "acc-1", "team", offered=True),
            Attributes("cem", nic_multiqueue=True),
            key=key,
        )
        found = entry_of(chain)
        assert (found.name, found.description) == ("web-2", "first")
        assert (found.min_memory_mib, found.nic_multiqueue) == (2048, True)
        assert found.tags == {"b": "2", "c": "3"}
        assert [member.name for member in found.members] == ["team"]
        assert (found.seq, found.updated, found.warnings) == (4, TIME, ())

    @BOTH
    def test_the_trash_and_back(self, store, key):
        put = put_image(store, "web", key=key)
        add(store, put.id, Deleted("ann", deleted=True), key=key)
        assert entry(store, put.id, key).status is Status.PENDING_DELETE
        add(store, put.id, Deleted("ann", deleted=False), key=key)
        assert entry(store, put.id, key).status is Status.ACTIVE

    @BOTH
    def test_history_tells_who_and_what_from_the_making_on(self, store, key):
        put = put_image(store, "web", key=key)
        add(store, put.id, Attributes("ann", name="w", sriov=False, reason="asked"), key=key)
        made, change = history_of(read_chain(store, put.id, key))
        assert (made.kind, made.who) == ("created", "maker@host")
        assert (change.seq, change.who) == (1, "ann")
        assert change.what == "name: w; SR-IOV: off; because: asked"

    def test_a_taken_back_share_leaves_no_member(self, store):
        put = put_image(store, "web")
        add(store, put.id, Sharing("a", "x", "team", offered=True))
        add(store, put.id, Sharing("a", "x", "team", offered=False))
        assert entry(store, put.id).members == ()


class TestWhatTheStorageLearns:
    def test_of_a_sealed_image_nothing_that_is_said_in_a_record(self, store):
        put = put_image(store, "secret-name", key=KEY)
        add(store, put.id, Attributes("ann@host", name="secret-two"), key=KEY)
        add(store, put.id, Tags("ann@host", put={"stage": "hidden"}), key=KEY)
        everything = b"".join(store.get(info.key) for info in store.list("records/"))
        for word in (b"secret", b"ann@host", b"stage", b"hidden"):
            assert word not in everything

    def test_without_its_key_an_entry_tells_that_it_is_sealed_and_no_more(self, store):
        put = put_image(store, "secret", key=KEY)
        add(store, put.id, Attributes("ann", name="secret-two"), key=KEY)
        for wrong in (None, OTHER_KEY):
            found = entry(store, put.id, wrong)
            assert (found.name, found.opened, found.sealed) == (None, False, True)
            assert (found.seq, found.kind) == (1, None)


class TestWhatIsNotBelieved:
    def rewrite(self, store, key, change):
        value = json.loads(store.get(key))
        change(value)
        store.put(key, canonical.encode(value))

    @BOTH
    def test_a_missing_record_ends_what_counts(self, store, key):
        put = put_image(store, "web", key=key)
        add(store, put.id, *(Attributes("a", name=f"n{i}") for i in range(3)), key=key)
        store.delete(record_key(put.id, 2))
        chain = read_chain(store, put.id, key)
        assert chain.seq == 1
        assert entry_of(chain).name == "n0"
        assert "00000002.json is missing: 2 later" in chain.warnings[0]

    @BOTH
    def test_a_record_that_was_rewritten_ends_it_at_the_next(self, store, key):
        put = put_image(store, "web", key=key)
        add(store, put.id, *(Attributes("a", name=f"n{i}") for i in range(2)), key=key)
        self.rewrite(store, record_key(put.id, 1), lambda v: v.update(time="2020-01-01T00:00:00Z"))
        chain = read_chain(store, put.id, key)
        assert chain.seq == 1
        assert any("does not follow" in warning for warning in chain.warnings)

    def test_a_record_of_a_sealed_image_that_was_changed_says_nothing(self, store):
        put = put_image(store, "web", key=KEY)
        add(store, put.id, Attributes("a", name="new"), key=KEY)
        self.rewrite(store, record_key(put.id, 1), lambda v: v.update(time="2020-01-01T00:00:00Z"))
        chain = read_chain(store, put.id, KEY)
        assert entry_of(chain).name == "web"
        assert "does not verify" in chain.warnings[0]

    def test_a_record_in_clear_of_a_sealed_image_says_nothing(self, store):
        put = put_image(store, "web", key=KEY)
        chain = read_chain(store, put.id, None)
        forged = {
            "v": 1, "image": put.id, "seal": chain.manifest.seal, "seq": 1, "prev": chain.head,
            "time": TIME, "kind": "attributes", "body": {"who": "eve", "name": "evil"},
        }  # fmt: skip
        store.put(record_key(put.id, 1), canonical.encode(forged))
        chain = read_chain(store, put.id, KEY)
        assert entry_of(chain).name == "web"
        assert chain.warnings

    def test_a_record_of_another_image_does_not_count(self, store):
        put, other = put_image(store, "web"), put_image(store, "other")
        add(store, other.id, Attributes("a", name="evil"))
        store.put(record_key(put.id, 1), store.get(record_key(other.id, 1)))
        assert entry(store, put.id).name == "web"

    def test_a_kind_that_is_not_known_here_is_kept_and_passed_over(self, store):
        put = put_image(store, "web")
        chain = read_chain(store, put.id, None)
        later = {
            "v": 1, "image": put.id, "seal": None, "seq": 1, "prev": chain.head,
            "time": TIME, "kind": "blessed", "body": {"by": "x"},
        }  # fmt: skip
        store.put(record_key(put.id, 1), canonical.encode(later))
        add(store, put.id, Attributes("a", name="after"))
        found = entry(store, put.id)
        assert (found.name, found.seq) == ("after", 2)

    @pytest.mark.parametrize(
        "data",
        [b"", b"{}", b'{"v":2}', b"[1]", b'{"v":1,"v":1}', b"\xff", b'{"v":1,"body":3}'],
    )
    def test_what_is_no_record_is_refused(self, data):
        with pytest.raises(NotARecord):
            records.decode(data)


class TestRecipients:
    def give(self, store, image, *keys, owner=KEY):
        chain = read_chain(store, image, owner)
        context = context_bytes(chain.manifest.seal)
        listed = tuple(recipient_of(one.wrap(chain.data_key, context)) for one in keys)
        return add(store, image, Recipients(listed), key=owner)

    def test_whom_the_newest_list_names_can_open_it(self, store):
        put = put_image(store, "web", key=KEY)
        assert read_chain(store, put.id, OTHER_KEY).body is None
        self.give(store, put.id, KEY, OTHER_KEY)
        assert entry(store, put.id, OTHER_KEY).name == "web"
        assert find(store, put.id, OTHER_KEY).body.name == "web"

    def test_who_was_taken_off_it_can_no_longer(self, store):
        put = put_image(store, "web", key=KEY)
        self.give(store, put.id, KEY, OTHER_KEY)
        self.give(store, put.id, KEY)
        assert read_chain(store, put.id, OTHER_KEY).body is None
        with pytest.raises(KeyRefused):
            find(store, put.id, OTHER_KEY)
        assert find(store, put.id, KEY).body.name == "web"

    def test_a_list_that_is_not_authentic_is_passed_over_and_told(self, store):
        put = put_image(store, "web", key=KEY)
        self.give(store, put.id, KEY, OTHER_KEY)
        key = record_key(put.id, 1)
        value = json.loads(store.get(key))
        value["body"]["recipients"].pop()  # eve takes a recipient off, without the data key
        store.put(key, canonical.encode(value))
        chain = read_chain(store, put.id, KEY)
        assert chain.body is not None
        assert "not authentic" in chain.warnings[0]
        assert chain.recipients == chain.manifest.recipients

    @pytest.mark.parametrize("place", [1, 2], ids=["first", "behind another"])
    def test_a_list_without_us_that_is_not_authentic_locks_nobody_out(self, store, place):
        put = put_image(store, "web", key=KEY)
        if place == 2:
            self.give(store, put.id, KEY, OTHER_KEY)
        chain = read_chain(store, put.id, KEY)
        context = context_bytes(chain.manifest.seal)
        theirs = (recipient_of(STRANGER.wrap(bytes(32), context)),)  # nobody told eve our key
        forged = next_record(replace(chain, data_key=bytes(32)), Recipients(theirs), TIME)
        store.put(record_key(put.id, place), records.encode(forged), if_absent=True)
        found = read_chain(store, put.id, KEY)
        assert found.body is not None
        assert found.recipients == chain.recipients
        assert "not authentic" in found.warnings[0]
        assert read_chain(store, put.id, None).recipients == theirs  # who has no key can't tell

    @pytest.mark.parametrize("mac", ["é", "", "a" * 43, "a" * 45, "\0" * 44, "é" * 43 + "="])
    def test_a_mac_of_another_shape_ends_what_counts(self, store, mac):
        put = put_image(store, "web", key=KEY)
        self.give(store, put.id, KEY)
        key = record_key(put.id, 1)
        value = {**json.loads(store.get(key)), "mac": mac}
        store.put(key, canonical.encode(value))
        with pytest.raises(NotARecord, match="MAC"):
            records.decode(store.get(key))
        chain = read_chain(store, put.id, KEY)
        assert (chain.seq, chain.recipients) == (0, chain.manifest.recipients)
        assert "its MAC is none" in chain.warnings[0]

    def test_any_text_may_be_asked_whether_it_is_the_mac(self):
        for text in ("é", "", "\U0010ffff" * 44):
            assert not is_mac(bytes(32), b"{}", text)
        assert is_mac(bytes(32), b"{}", mac(bytes(32), b"{}"))
