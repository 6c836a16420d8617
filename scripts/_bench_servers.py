"""How soon the disk of a server is ready, of an image for quick provisioning."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

_GIB = 1 << 30
_BAR_S = 0.3
_RUNS = 7


def quick(sizes: tuple[int, ...] = (_GIB, 512 * _GIB)) -> list[dict[str, object]]:
    """A row for each virtual size: the median time of the verb, and of the whole command."""
    return [_measured(size) for size in sizes]


def _measured(size: int) -> dict[str, object]:
    from _bench_tree import run

    import diskwright
    from diskwright.model.names import uuid7
    from diskwright.model.server import ServerKind
    from support.quick_images import sparse_quick

    with tempfile.TemporaryDirectory() as folder:
        settings = {"data_dir": f"{folder}/data", "state_dir": f"{folder}/state"}
        place = Path(folder) / "library"
        app = diskwright.open(**settings)
        app.new_library("bench", f"dir:{place}")
        image = uuid7(int(time.time() * 1000), os.urandom(10))
        sparse_quick(place, image, "base", size)
        verb, command = [], []
        with diskwright.Library("bench", **settings) as library:
            library.sync()
            for _ in range(_RUNS):
                started = time.perf_counter()
                made = library.create_server(image, kind=ServerKind.VOLUME)
                verb.append(time.perf_counter() - started)
                assert made.server.quick
        env = {"DISKWRIGHT_DATA_DIR": f"{folder}/data", "DISKWRIGHT_STATE_DIR": f"{folder}/state"}
        for _ in range(_RUNS):
            words = ["diskwright", "volume", "create", "--image", image]
            command.append(run(words, env=env).seconds)
        assert len(diskwright.open(**settings).servers()) == 2 * _RUNS
    ready = statistics.median(verb)
    whole = statistics.median(command)
    return {
        "measure": f"quick server, {size // _GIB} GiB: its disk ready",
        "diskwright": f"{ready * 1000:.0f} ms",
        "peer": "",
        "result": f"whole command {whole:.2f} s",
        "bar": f"< {_BAR_S:g} s",
        "held": ready < _BAR_S,
        "seconds": verb,
        "command": command,
    }
