"""Who can open a sealed image: wrapped data keys as they stand in headers and manifests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from diskwright.envelope.header import context_bytes
from diskwright.envelope.keys import KEY_SIZE
from diskwright.errors import KeyRefused
from diskwright.model.recipient import Recipient
from diskwright.model.stored import WrappedKey

Unwrap = Callable[[WrappedKey, bytes], bytes]  # KeyWrapper.unwrap


def recipient_of(wrapped: WrappedKey) -> Recipient:
    return Recipient(wrapped.provider, wrapped.key_id, wrapped.wrapped_key, dict(wrapped.params))


def unwrap_any(recipients: Sequence[Recipient], seal_id: str, unwrap: Unwrap) -> bytes:
    """The data key, from the first recipient that `unwrap` (a KeyWrapper's) opens.

    Raises KeyRefused where none does; other errors of the key service pass at once.
    """
    refusals: list[KeyRefused] = []
    for recipient in recipients:
        wrapped = WrappedKey(
            recipient.provider, recipient.key_id, recipient.wrapped_key, recipient.params
        )
        try:
            data_key = unwrap(wrapped, context_bytes(seal_id))
        except KeyRefused as refusal:
            refusals.append(refusal)
            continue
        if len(data_key) == KEY_SIZE:
            return data_key
        refusals.append(KeyRefused(recipient.key_id, "what it unwraps is no data key"))
    if len(refusals) == 1:
        raise refusals[0]
    names = ", ".join(repr(f"{r.provider}:{r.key_id}") for r in recipients)
    key = refusals[0].key if refusals else "given"
    raise KeyRefused(key, f"it is not one of the recipients ({names or 'there are none'})")
