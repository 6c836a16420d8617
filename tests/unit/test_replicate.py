"""replicate: what the new image is, who wins of two, and that nothing stays of what failed."""

from __future__ import annotations

import pytest

from diskwright._values import replace
from diskwright.adapters.directory import DirectoryStore
from diskwright.adapters.journal import FileUploadJournal
from diskwright.app import Diskwright
from diskwright.config import load
from diskwright.errors import (
    ChangedMeanwhile,
    DataTampered,
    IllegalState,
    KeyMissing,
    NameTaken,
    ObjectMissing,
    OutputNotWritable,
    RemoteRefused,
    RemoteUnreachable,
    UsageError,
)
from diskwright.model.library import Query, Status
from diskwright.model.nulls import NeverCancelled, NullProgress
from diskwright.model.record import Attributes
from diskwright.ops.fetch import plain_chunks
from diskwright.ops.library import modify, replicate, trash
from diskwright.ops.library.chain import read_chain
from diskwright.ops.library.place import check_conditions, find_entry
from diskwright.ops.library.replicate import ReplicateRequest
from diskwright.ops.library.source import found_of
from diskwright.ops.library.sync import sync
from diskwright.ops.manifests import read_manifest
from diskwright.ops.stored_file import RestoreTools
from support.disks import assemble
from support.library_images import KEY, OTHER_KEY, put_image
from support.library_places import Clock, workstation
from support.memory_store import MemoryStore
from support.uploading import files_under


class Copying:
    """A library, and what replicate needs besides; `entropy` is drawn as anywhere."""

    def __init__(self, folder, store=None, key=None) -> None:
        self.folder, self.store = folder, store or MemoryStore()
        self.place = workstation(self.store, folder, key=key, clock=Clock())
        self.state = folder / "state"
        self.journal = FileUploadJournal(str(self.state))
        self.local = Diskwright(load()).adapters.local_tools()

    def put(self, name, **options):
        put = put_image(self.store, name, **options)
        sync(self.place, whole=True)
        return put

    def plan(self, wanted, request, target=None):
        if isinstance(request, str):
            request = ReplicateRequest(request)
        entry = find_entry(self.place.catalog, wanted, "here")
        return replicate.plan(self.place, target or self.place, entry, request, source=self.source)

    @property
    def source(self):
        return RestoreTools(self.store, self.place.wrapper, self.local)

    def run(self, planned):
        return replicate.run(
            self.place,
            planned,
            source=self.source,
            journal=self.journal,
            progress=NullProgress(),
            cancel=NeverCancelled(),
        )

    def made(self, wanted, request, target=None):
        return self.run(self.plan(wanted, request, target))

    def statuses(self):
        return [entry.status for entry in self.place.catalog.query(Query())]


def disk_of(store, image, key=None):
    found = found_of(read_chain(store, image, key))
    return assemble(plain_chunks(store, found))


@pytest.fixture
def here(tmp_path):
    return Copying(tmp_path)


@pytest.fixture
def sealed(tmp_path):
    return Copying(tmp_path, key=KEY)


class TestWhatIsMade:
    def test_a_plain_one_has_the_same_bytes_under_an_id_of_its_own(self, here):
        put = here.put("web")
        made = here.made("web", "copy")
        assert made.id != put.id
        assert (made.name, made.from_image, made.status) == ("copy", put.id, Status.ACTIVE)
        assert disk_of(here.store, made.id) == put.disk
        assert made.disks[0].key.startswith(f"images/{made.id}/copy-0.raw")
        assert not any(call == "put_part" for call, _ in here.store.calls)
        (change,) = here.place.catalog.history(put.id)[1:]
        assert change.what == f"replicated to {made.id} in memory:"

    def test_it_says_what_the_newest_state_of_its_source_says(self, here):
        here.put("web", tags={"a": "1"}, channel="stable")
        modify.run(
            here.place,
            modify.plan_set(
                here.place, "web", Attributes("", description="new", min_memory_mib=4096)
            ),
        )
        modify.run(here.place, modify.plan_tags(here.place, "web", put={"b": "2"}, removed=["a"]))
        made = here.made("web", "copy")
        assert (made.description, made.min_memory_mib) == ("new", 4096)
        assert made.tags == {"b": "2"}
        assert made.owner == here.place.who
        assert made.channel == ""  # it is no further version

    def test_a_sealed_one_is_sealed_under_a_key_of_its_own(self, sealed):
        put = sealed.put("web", key=KEY)
        made = sealed.made("web", "copy")
        chains = [read_chain(sealed.store, one, KEY) for one in (put.id, made.id)]
        assert made.sealed
        assert made.opened
        assert chains[0].data_key != chains[1].data_key
        assert chains[0].manifest.seal != chains[1].manifest.seal
        assert disk_of(sealed.store, made.id, KEY) == put.disk

    def test_sealed_plain_and_for_another_key(self, sealed):
        put = sealed.put("web", key=KEY)
        opened = sealed.made("web", ReplicateRequest("open", decrypt=True))
        assert not opened.sealed
        assert disk_of(sealed.store, opened.id) == put.disk
        other = sealed.made("web", ReplicateRequest("other", encrypt=OTHER_KEY))
        assert disk_of(sealed.store, other.id, OTHER_KEY) == put.disk
        with pytest.raises(KeyMissing):
            disk_of(sealed.store, other.id, KEY)
        again = sealed.made("open", ReplicateRequest("again", encrypt=OTHER_KEY))
        assert disk_of(sealed.store, again.id, OTHER_KEY) == put.disk

    def test_in_another_library_it_is_as_here(self, here, tmp_path):
        (tmp_path / "far").mkdir()
        far = workstation(DirectoryStore(str(tmp_path / "far" / "lib")), tmp_path / "far")
        put = here.put("web", channel="stable")
        made = here.made("web", "web", far)
        assert disk_of(far.store, made.id) == put.disk
        assert made.channel == "stable"
        assert far.catalog.entry(made.id).status is Status.ACTIVE
        assert here.place.catalog.entry(made.id) is None


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        "request_",
        [
            ReplicateRequest("x", decrypt=True),
            ReplicateRequest("x", encrypt=KEY, decrypt=True),
            ReplicateRequest("x", encrypt=KEY, quick=True),
            ReplicateRequest("x", quick=True),  # memory: is no folder
            ReplicateRequest(""),
        ],
    )
    def test_what_can_not_be(self, here, request_):
        here.put("web")
        with pytest.raises(UsageError):
            here.plan("web", request_)

    def test_a_sealed_one_is_not_opened_in_passing(self, sealed):
        sealed.put("web", key=KEY)
        with pytest.raises(UsageError):
            sealed.plan("web", ReplicateRequest("x", quick=True))

    def test_a_name_in_use(self, here):
        here.put("web")
        with pytest.raises(NameTaken):
            here.plan("web", "web")
        made = here.made("web", ReplicateRequest("web", allow_duplicate=True))
        assert made.name == "web"

    def test_one_in_the_trash(self, here):
        put = here.put("web")
        trash.run(here.place, trash.plan_delete(here.place, "web"))
        with pytest.raises(IllegalState):
            here.plan(put.id, "copy")


def left(store):
    """What only a new image would have."""
    return {key for key in store.objects if key.startswith(("images/", "manifests/", "uses/"))}


class TestRaces:
    @pytest.mark.parametrize("key", [None, KEY], ids=["plain", "sealed"])
    def test_deleted_first(self, tmp_path, key):
        here = Copying(tmp_path, key=key)
        put = here.put("web", key=key)
        before = left(here.store)
        planned = here.plan("web", "copy")
        trash.run(here.place, trash.plan_delete(here.place, "web"))
        with pytest.raises(ChangedMeanwhile, match="deleted"):
            here.run(planned)
        assert left(here.store) == before
        assert not here.store.uploads
        assert here.place.catalog.entry(planned.entry.id) is None
        assert files_under(str(here.state)) == []
        assert here.place.catalog.entry(put.id).status is Status.PENDING_DELETE
        here.put("other", key=key)
        assert here.made("other", "copy").name == "copy"  # its name is free again

    def test_replicated_first(self, here):
        put = here.put("web")
        deleting = trash.plan_delete(here.place, "web")
        made = here.made("web", "copy")
        with pytest.raises(ChangedMeanwhile, match="replicated"):
            trash.run(here.place, deleting)
        assert here.place.catalog.entry(put.id).status is Status.ACTIVE
        assert disk_of(here.store, made.id) == put.disk

    def test_deleted_while_data_is_copied(self, here):
        here.put("web")
        before = left(here.store)
        planned, deleting = here.plan("web", "copy"), trash.plan_delete(here.place, "web")

        def interleaved(call, _number):
            if call == "complete_upload":
                here.store.before = lambda *_: None
                trash.run(here.place, deleting)

        here.store.before = interleaved
        with pytest.raises(ChangedMeanwhile):
            here.run(planned)
        assert left(here.store) == before

    def test_two_of_one_name(self, here):
        here.put("web")
        first, second = here.plan("web", "copy"), here.plan("web", "copy")
        here.run(first)
        with pytest.raises(NameTaken):
            here.run(second)
        assert here.statuses() == [Status.ACTIVE, Status.ACTIVE]

    def test_until_it_is_there_it_is_saving(self, here):
        here.put("web")
        planned, seen = here.plan("web", "copy"), []
        here.store.before = lambda call, _: (
            seen.append(here.place.catalog.entry(planned.entry.id).status)
            if call == "create_upload"
            else None
        )
        here.run(planned)
        assert set(seen) == {Status.SAVING}


class TestFailures:
    @pytest.mark.parametrize("key", [None, KEY], ids=["copied", "streamed"])
    def test_whatever_call_fails_nothing_stays(self, tmp_path, key):
        """Each call of a run in turn; the store answers again afterwards."""
        number, ended = 0, False
        while not ended:
            number += 1
            folder = tmp_path / str(number)
            folder.mkdir()
            here = Copying(folder, key=key)
            put = here.put("web", key=key, size=64 << 10)
            before = left(here.store)
            planned = here.plan("web", "copy")
            start = len(here.store.calls)

            def fail(call, at, start=start, number=number):
                if at == start + number and call != "delete":
                    raise RemoteUnreachable("memory:", "cut")

            here.store.before = fail
            try:
                made = here.run(planned)
            except RemoteUnreachable:
                image = planned.entry.id
                here.store.before = lambda *_: None
                if read_manifest(here.store, image) is None:
                    here.store.objects.pop(f"manifests/{image}.json", None)  # that it was aborted
                    assert left(here.store) == before
                    assert not here.store.uploads
                    assert here.place.catalog.entry(image) is None
                else:  # it was its answer, or a look at it, that failed
                    sync(here.place)
                    assert here.place.catalog.entry(image).status is Status.ACTIVE
            else:
                ended = len(here.store.calls) - start < number
                here.store.before = lambda *_: None
                assert disk_of(here.store, made.id, key) == put.disk
        assert number > 10

    def test_damage_is_seen_where_the_data_passes(self, sealed):
        put = sealed.put("web", key=KEY)
        planned = sealed.plan("web", "copy")
        (key,) = [key for key in sealed.store.objects if key.startswith(f"images/{put.id}/")]
        data = bytearray(sealed.store.objects[key])
        data[-100] ^= 1
        sealed.store.objects[key] = bytes(data)
        before = left(sealed.store)
        with pytest.raises(DataTampered):
            sealed.run(planned)
        assert left(sealed.store) == before

    def test_a_source_of_which_nothing_is_there(self, here):
        put = here.put("web")
        planned = here.plan("web", "copy")
        for key in list(here.store.objects):
            if key.startswith(f"images/{put.id}/"):
                del here.store.objects[key]
        before = left(here.store)
        with pytest.raises(ObjectMissing):
            here.run(planned)
        assert left(here.store) == before


def test_what_is_not_ours_gets_no_record(here, tmp_path):
    """A library for everybody, replicated to one's own."""
    put = here.put("web")
    here.place = replace(here.place, info=replace(here.place.info, public=True))
    sync(here.place, whole=True)
    (tmp_path / "mine").mkdir()
    mine = workstation(DirectoryStore(str(tmp_path / "mine" / "lib")), tmp_path / "mine")
    made = here.made("web", "web", mine)
    assert disk_of(mine.store, made.id) == put.disk
    assert not any(key.startswith("records/") for key in here.store.objects)


@pytest.mark.parametrize("asked_before", [False, True])
@pytest.mark.parametrize(
    "refusal", [OutputNotWritable("own", "read only"), RemoteRefused("s3://own", "put", "no")]
)
def test_a_library_that_can_only_be_read_is_read(here, tmp_path, refusal, asked_before):
    """Also one of which it is known that it was written to."""
    put = here.put("web")
    if asked_before:
        check_conditions(here.place)
    before = set(here.store.objects)

    def refuse(name, number):
        if name not in {"get", "head", "list"}:
            raise refusal

    here.store.before = refuse
    (tmp_path / "mine").mkdir()
    mine = workstation(DirectoryStore(str(tmp_path / "mine" / "lib")), tmp_path / "mine")
    made = here.made("web", "web", mine)
    assert disk_of(mine.store, made.id) == put.disk
    assert set(here.store.objects) == before
    with pytest.raises(type(refusal)):
        here.made("web", "copy")
