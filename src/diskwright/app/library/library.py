"""A private image library: the Python API of its verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diskwright.app.library.care import CareVerbs
from diskwright.app.library.copies import CopyVerbs
from diskwright.app.library.images import ImageVerbs
from diskwright.app.library.servers import ServerVerbs
from diskwright.app.library.sharing import SharingVerbs

if TYPE_CHECKING:
    from diskwright.app.verbs import Diskwright


class Library(ImageVerbs, CareVerbs, CopyVerbs, ServerVerbs, SharingVerbs):
    """A library of this workstation's list by its name, or a place (`dir:PATH`, `s3://…`).

    None is that of the settings, else the default one. `settings` come on top of file and
    environment, as `diskwright.open()` takes them.
    """

    def __init__(
        self,
        wanted: str | None = None,
        *,
        key: str | None = None,
        single_writer: bool = False,
        app: Diskwright | None = None,
        **settings: Any,
    ) -> None:
        if app is None:
            from diskwright.app.verbs import Diskwright
            from diskwright.config import load

            app = Diskwright(load(**settings))
        super().__init__(app, wanted, key=key, single_writer=single_writer)
