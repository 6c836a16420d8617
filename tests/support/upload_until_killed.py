"""A process that uploads and stops at a moment, to be killed there:

python upload_until_killed.py DIR|ENDPOINT BUCKET PREFIX STATE MOMENT PART_SIZE

MOMENT: begun, created, parts, finished, committed. It prints the moment when it has come.
"""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from diskwright.adapters.directory import DirectoryStore
from diskwright.adapters.journal import FileUploadJournal
from diskwright.model.stored import Chunk
from diskwright.ops.upload import StoreDestination
from support.servers.seaweed import Seaweed
from support.uploading import IMAGE, KEY, layout, manifest


def main() -> None:
    place, bucket, prefix, state, moment, part_size = sys.argv[1:]
    size = int(part_size)
    store = Seaweed(None, place).store(bucket, prefix) if bucket else DirectoryStore(place)

    def stop_at(now: str) -> None:
        if now == moment:
            print(now, flush=True)
            sys.stdin.read()

    create_upload = store.create_upload

    def create(key, **options):
        stop_at("begun")
        return create_upload(key, **options)

    store.create_upload = create
    with StoreDestination(store, FileUploadJournal(state), image_id=IMAGE) as destination:
        sink = destination.sink(KEY, layout(size))
        stop_at("created")
        for number in range(3):
            sink.write(Chunk(number * size, bytes([number + 1]) * size))
        stop_at("parts")
        stored = sink.finish()
        stop_at("finished")
        destination._entry.remove = lambda: stop_at("committed")
        destination.commit(manifest(stored))


if __name__ == "__main__":
    main()
