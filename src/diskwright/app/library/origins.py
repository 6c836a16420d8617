"""Others' libraries that a library of ours receives from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from diskwright._values import Struct
from diskwright.app.known import registry
from diskwright.model.stored import WrappedKey
from diskwright.ops.library.offered import Origin
from diskwright.ports import CancelToken, KeyWrapper

if TYPE_CHECKING:
    from diskwright.app.verbs import Diskwright


def origins_of(
    app: Diskwright, library_id: str, cancel: CancelToken | None = None
) -> tuple[Origin, ...]:
    """Those whose images the library of that id shows."""
    return tuple(
        Origin(
            known.url,
            known.id,
            known.account_id,
            partial(app.adapters.store, known.url, cancel, known=known),
            _WhenAsked(partial(app.adapters.key, known.account)),
        )
        for known in registry(app.settings).known()
        if known.account and known.into == library_id
    )


class _WhenAsked(Struct):
    """A KeyWrapper whose file is read, and its passphrase asked for, when it is first used."""

    load: Callable[[], KeyWrapper]
    _key: KeyWrapper | None = None

    def wrap(self, data_key: bytes, context: bytes) -> WrappedKey:
        return self._loaded().wrap(data_key, context)

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        return self._loaded().unwrap(wrapped, context)

    def _loaded(self) -> KeyWrapper:
        if self._key is None:
            self._key = self.load()
        return self._key
