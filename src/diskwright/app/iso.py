"""The verbs over ISOs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from diskwright.app.adapters import Adapters
from diskwright.config import Settings
from diskwright.errors import UsageError
from diskwright.model.nulls import NeverCancelled, NullProgress

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from diskwright.model.image import FileIdentity
    from diskwright.model.iso import ExtractedIso, InspectedIso, IsoTree, ListedIso
    from diskwright.ops.iso_extract import TreeSink
    from diskwright.ports import CancelToken, Progress


class IsoVerbs:
    """Methods of `Diskwright`."""

    settings: Settings
    adapters: Adapters

    def inspect_iso(self, path: str) -> InspectedIso:
        """Facts of an ISO and the system that it installs. Raises InputError, ToolError."""
        from diskwright.ops.iso import inspect_iso

        reader, database = self.adapters.isos(), self.adapters.database()
        return inspect_iso(path, reader=reader, database=database)

    def list_iso(self, path: str, *, below: str = "", tree: IsoTree | None = None) -> ListedIso:
        """What lies in an ISO, or in its folder `below`."""
        from diskwright.ops.iso import list_iso

        return list_iso(path, reader=self.adapters.isos(), tree=tree, below=below)

    def extract_iso(
        self,
        path: str,
        target: str,
        *,
        paths: Sequence[str] = (),
        tree: IsoTree | None = None,
        max_size: int | None = None,
        force: bool = False,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> ExtractedIso:
        """Files of an ISO into the folder `target`: all, or those that `paths` name.

        Nothing is written outside it. Raises TargetExists, without `force` for any folder that is
        not empty.
        """
        from diskwright.adapters.extracted_folder import ExtractedFolder
        from diskwright.ops.iso_extract import ExtractRequest, extract_iso

        if not target:
            raise UsageError("the target is empty", "name a folder")

        def folder(name: str, source: FileIdentity) -> AbstractContextManager[TreeSink]:
            return ExtractedFolder(name, force=force, source=source)

        return extract_iso(
            ExtractRequest(path, target, tuple(paths), tree, max_size),
            reader=self.adapters.isos(cancel),
            folder=folder,
            progress=progress or NullProgress(),
            cancel=cancel or NeverCancelled(),
        )
