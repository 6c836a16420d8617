"""diskwright: prepares disk images on a workstation for a cloud's image service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diskwright.app import Diskwright
    from diskwright.app.library import Library

__version__ = "0.1.0"
__all__ = ["Library", "__version__", "open"]


def open(config: str | None = None, **settings: Any) -> Diskwright:  # noqa: A001 - diskwright.open()
    """The verbs as methods, with settings from `config` (a TOML file; None: the platform's place).

    `settings` come on top of file and environment, as `profile="huawei-ims"`. Raises UsageError for
    one that is not known.
    """
    from diskwright.app import Diskwright
    from diskwright.config import load

    return Diskwright(load(config, **settings))


def __getattr__(name: str) -> Any:
    """`diskwright.Library`, imported where it is first asked for."""
    if name == "Library":
        from diskwright.app.library import Library

        return Library
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
