"""The console script. The reader imports for as long as the command does: both begin at once."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, NoReturn

from diskwright.cli.cancel import Interrupted, SignalCancel

if TYPE_CHECKING:
    from diskwright._child import Ahead

_READERS = {"inspect", "validate"}  # that read a guest before anything else takes time
_OTHERS = ("-h", "--help", "--sbom", "--diff")  # of them, where nobody is read, or by another


def main() -> NoReturn:
    gc.disable()  # of code nothing becomes garbage: to look for it takes a tenth of the time
    with SignalCancel() as cancel:
        try:
            _run(cancel)
        except Interrupted:  # by who is impatient, or before the command began
            from diskwright.errors import Cancelled

            cancel.over()
            cancelled = Cancelled(cancel.signal)
            sys.stderr.write(f"diskwright: {cancelled.message}\n  hint: {cancelled.hint}\n")
            sys.exit(cancelled.status)


def _run(cancel: SignalCancel) -> NoReturn:
    with cancel.counting():
        ahead = _begun(sys.argv[1:])
        from diskwright.cli.main import run
        from diskwright.cli.session import Session

        gc.freeze()
        gc.enable()
    try:
        run(Session(ahead=ahead, cancel=cancel))
    finally:
        cancel.over()
        if ahead is not None:
            ahead.stop()
        gc.freeze()  # else Python looks at all there is, twice, before it ends: 30 ms


def _begun(words: list[str]) -> Ahead | None:
    """With the reader that the verb will need; None where it needs none, or that is not clear."""
    if not (words and words[0] in _READERS) or any(word.startswith(_OTHERS) for word in words):
        return None
    from diskwright._child import Ahead
    from diskwright.guest.calls import guest_reader

    ahead = Ahead()
    ahead.start(guest_reader(unconfined=False, confinement="auto"))
    return ahead
