"""A process that copies an object and stops after its second part, to be killed there:

python copy_until_killed.py DIR|ENDPOINT BUCKET PREFIX STATE PART_SIZE

It makes the object first. It prints the word `parts` when the moment has come.
"""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from diskwright.adapters.directory import DirectoryStore
from support.copying import copied, noise, object_in
from support.servers.seaweed import Seaweed


def main() -> None:
    place, bucket, prefix, state, part_size = sys.argv[1:]
    store = Seaweed(None, place).store(bucket, prefix) if bucket else DirectoryStore(place)
    copy_part = store.copy_part

    def stop_after(key, upload_id, number, *source):
        etag = copy_part(key, upload_id, number, *source)
        if number == 2:
            print("parts", flush=True)
            sys.stdin.read()
        return etag

    store.copy_part = stop_after
    copied(store, store, object_in(store, noise(int(part_size)), int(part_size)), state)


if __name__ == "__main__":
    main()
