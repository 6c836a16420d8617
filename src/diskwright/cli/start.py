"""The console script. The reader imports for as long as the command does: both begin at once."""

from __future__ import annotations

import gc
import sys
from typing import NoReturn

from diskwright._child import Ahead
from diskwright.cli.cancel import SignalCancel
from diskwright.guest.calls import guest_reader

_READERS = {"inspect", "validate"}  # that read a guest before anything else takes time
_HELP = {"-h", "--help"}


def main() -> NoReturn:
    gc.disable()  # of code nothing becomes garbage: to look for it takes a tenth of the time
    ahead, cancel = Ahead(), SignalCancel()
    words = sys.argv[1:]
    try:
        with cancel:
            with cancel.looked_at():
                if words and words[0] in _READERS and not _HELP.intersection(words):
                    ahead.start(guest_reader(unconfined=False, confinement="auto"))
                from diskwright.cli.main import run
                from diskwright.cli.session import Session
            gc.freeze()
            gc.enable()
            run(Session(ahead=ahead, cancel=cancel))
    finally:
        ahead.stop()
        gc.freeze()  # else Python looks at all there is, twice, before it ends: 30 ms
