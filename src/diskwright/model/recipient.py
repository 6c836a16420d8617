"""Who can open a sealed image."""

from __future__ import annotations

from diskwright._values import Struct


class Recipient(Struct, frozen=True):
    """Who can unwrap the data key: a provider's own fields stand in `params`."""

    provider: str
    key_id: str
    wrapped_key: str
    params: dict[str, str]
