"""Any lawful sequence of chunks makes the object that the same writes to a file would make."""

from __future__ import annotations

import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st

from diskwright.adapters.directory import DirectoryStore
from diskwright.adapters.journal import FileUploadJournal
from diskwright.model.stored import Chunk
from diskwright.ops.upload import StoreDestination
from support.memory_store import MemoryStore
from support.uploading import IMAGE, KEY, assembled, layout, manifest

PART = 64 << 10

steps = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 4096, PART - 1, PART, PART + 1, 3 * PART]),  # the gap before
        st.sampled_from([0, 1, 100, PART - 1, PART, 2 * PART + 7]),  # the length
        st.integers(0, 255),
    ),
    max_size=8,
)
late = st.lists(st.tuples(st.integers(0, PART - 1), st.integers(1, 300)), max_size=3)


@settings(max_examples=60, deadline=None)
@given(steps, late, st.booleans())
def test_objects_are_what_was_written(forward, late_ones, in_folder):
    chunks, at = [], 0
    for gap, length, value in forward:
        chunks.append(Chunk(at + gap, bytes([value]) * length))
        at += gap + length
    for offset, length in late_ones:
        if offset + length <= min(at, PART):
            chunks.append(Chunk(offset, b"\xaa" * length))
    with tempfile.TemporaryDirectory() as folder:
        store = DirectoryStore(f"{folder}/target") if in_folder else MemoryStore()
        journal = FileUploadJournal(f"{folder}/state")
        with StoreDestination(store, journal, image_id=IMAGE) as destination:
            sink = destination.sink(KEY, layout(PART))
            for chunk in chunks:
                sink.write(chunk)
            stored = sink.finish()
            destination.commit(manifest(stored))
        assert store.get(KEY) == assembled(chunks)
        assert stored.size == at
