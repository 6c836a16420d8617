"""What a Destination over any store promises: one image, whole, or nothing at all.

An adapter passes by giving the fixtures `store` (empty) and `part_size`; `state` is the folder of
the journal.
"""

from __future__ import annotations

import hashlib
import os

import pytest

from diskwright.adapters.journal import FileUploadJournal
from diskwright.errors import Cancelled, TargetExists
from diskwright.model.manifest import encode
from diskwright.model.stored import Chunk
from diskwright.ops.upload import StoreDestination, sweep_dead_runs
from support.uploading import (
    IMAGE,
    KEY,
    CancelAt,
    assembled,
    files_under,
    layout,
    manifest,
)

MANIFEST = f"manifests/{IMAGE}.json"


def nothing_is_left(store, state) -> bool:
    return not (list(store.list("")) or list(store.list_uploads("")) or files_under(str(state)))


class DestinationContract:
    @pytest.fixture
    def state(self, tmp_path):
        return tmp_path / "state"

    @pytest.fixture
    def open_destination(self, store, state):
        def open_one(**options):
            journal = FileUploadJournal(str(state))
            return StoreDestination(store, journal, image_id=IMAGE, **options)

        return open_one

    @pytest.fixture
    def chunks(self, part_size):
        """Parts of data, of zeros, of both; a head that comes late and a trailing hole."""
        noise = os.urandom(part_size + 12345)
        return [
            Chunk(4096, noise[:1000]),
            Chunk(part_size - 10, noise),
            Chunk(5 * part_size + 77, memoryview(noise)[:2000]),
            Chunk(6 * part_size - 1, b"z"),
            Chunk(6 * part_size + 5, b""),
            Chunk(0, b"HEAD"),
        ]

    def test_a_committed_image_is_whole_and_the_journal_is_empty(
        self, store, state, open_destination, chunks, part_size
    ):
        with open_destination() as destination:
            sink = destination.sink(KEY, layout(part_size))
            for chunk in chunks:
                sink.write(chunk)
            stored = sink.finish()
            assert store.head(MANIFEST) is None
            destination.commit(manifest(stored))
        wanted = assembled(chunks)
        assert store.get(KEY) == wanted
        parts = [wanted[at : at + part_size] for at in range(0, len(wanted), part_size)]
        digests = [hashlib.sha256(part).digest() for part in parts]
        assert stored.part_digests == tuple(digest.hex() for digest in digests)
        assert stored.digest == hashlib.sha256(b"".join(digests)).hexdigest()
        assert (stored.key, stored.size, stored.part_size) == (KEY, len(wanted), part_size)
        assert store.get(MANIFEST) == encode(manifest(stored))
        assert list(store.list_uploads("")) == []
        assert files_under(str(state)) == []

    @pytest.mark.parametrize("size", [0, 1, -1, "part"])
    def test_small_objects_go_the_same_way(self, store, open_destination, part_size, size):
        data = os.urandom(part_size if size == "part" else size % part_size)
        with open_destination() as destination:
            sink = destination.sink(KEY, layout(part_size))
            sink.write(Chunk(0, data))
            stored = sink.finish()
            destination.commit(manifest(stored))
        assert store.get(KEY) == data
        assert stored.part_digests == (hashlib.sha256(data).hexdigest(),)

    def test_cancelled_at_every_look_nothing_is_left(
        self, store, state, open_destination, part_size
    ):
        chunks = [Chunk(n * part_size // 2, bytes([n]) * 1000) for n in range(1, 6)]

        def run(cancel):
            with open_destination(cancel=cancel) as destination:
                sink = destination.sink(KEY, layout(part_size))
                for chunk in chunks:
                    sink.write(chunk)
                destination.commit(manifest(sink.finish()))

        for number in range(1, len(chunks) + 3):
            with pytest.raises(Cancelled):
                run(CancelAt(number))
            assert nothing_is_left(store, state), f"cancelled at look {number}"

    def test_cancelled_at_every_chunk_boundary_the_next_write_stops(
        self, store, state, open_destination, part_size
    ):
        chunks = [Chunk(n * part_size // 2, bytes([n]) * 10) for n in range(6)]
        for boundary in range(len(chunks)):
            cancel = CancelAt(None)
            with open_destination(cancel=cancel) as destination:
                sink = destination.sink(KEY, layout(part_size))
                for chunk in chunks[:boundary]:
                    sink.write(chunk)
                cancel.number = 0
                with pytest.raises(Cancelled):
                    sink.write(chunks[boundary])
            assert nothing_is_left(store, state), f"cancelled before chunk {boundary}"

    @pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, None])
    @pytest.mark.parametrize("finished", [False, True])
    def test_leaving_without_commit_leaves_nothing(
        self, store, state, open_destination, part_size, error, finished
    ):
        try:
            with open_destination() as destination:
                sink = destination.sink(KEY, layout(part_size))
                sink.write(Chunk(part_size, b"x" * part_size))
                if finished:
                    sink.finish()
                if error:
                    raise error
        except (KeyboardInterrupt, RuntimeError):
            pass
        assert nothing_is_left(store, state)
        destination.abort()

    def test_a_sink_can_be_aborted_alone(self, store, open_destination, part_size):
        with open_destination() as destination:
            kept = destination.sink(KEY, layout(part_size))
            kept.write(Chunk(0, b"kept"))
            dropped = destination.sink(KEY.replace("-0", "-1"), layout(part_size))
            dropped.write(Chunk(part_size, b"x" * part_size))
            dropped.finish()
            dropped.abort()
            dropped.abort()
            stored = kept.finish()
            assert [info.key for info in store.list("")] == [KEY]
        assert stored.size == 4

    def test_another_images_manifest_is_never_replaced(
        self, store, state, open_destination, part_size
    ):
        other = encode(manifest(private="BBBB"))
        store.put(MANIFEST, other)
        with open_destination() as destination:
            sink = destination.sink(KEY, layout(part_size))
            sink.write(Chunk(0, b"x"))
            mine = manifest(sink.finish())
            with pytest.raises(TargetExists):
                destination.commit(mine)
        assert store.get(MANIFEST) == other
        assert list(store.list_uploads("")) == []

    def test_a_live_run_is_not_swept(self, store, state, open_destination, part_size):
        with open_destination() as destination:
            sink = destination.sink(KEY, layout(part_size))
            sink.write(Chunk(0, b"alive"))
            assert sweep_dead_runs(store, FileUploadJournal(str(state))).cleaned == ()
            destination.commit(manifest(sink.finish()))
        assert store.get(KEY) == b"alive"
