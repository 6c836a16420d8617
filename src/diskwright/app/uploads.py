"""The verbs over uploads that were left open."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from diskwright.app.adapters import Adapters, given
from diskwright.config import Settings
from diskwright.errors import FolderMissing, UsageError
from diskwright.ports import CancelToken, ObjectStore

if TYPE_CHECKING:
    from diskwright.model.uploads import AbortedUploads, ListedUploads


class UploadVerbs:
    """Methods of `Diskwright`."""

    settings: Settings
    adapters: Adapters

    def uploads(self, *, to: str | None = None, cancel: CancelToken | None = None) -> ListedUploads:
        """Open uploads at the target `to`, and whose they are."""
        from diskwright.ops.uploads import list_uploads

        store = self._standing(self.target(to), cancel)
        return list_uploads(store, self.adapters.journal())

    def abort_uploads(
        self,
        *,
        to: str | None = None,
        image: str | None = None,
        key: str | None = None,
        older_than_s: int | None = None,
        dry_run: bool = False,
        cancel: CancelToken | None = None,
    ) -> AbortedUploads:
        """End the uploads of an image, of a key, or older than so many seconds.

        With none of them those of dead runs. Never one of a run that goes on here.
        """
        from diskwright.model.uploads import UploadChoice
        from diskwright.ops.uploads import abort_uploads

        choice = UploadChoice(given("--image", image), given("--key", key), older_than_s)
        if sum(value is not None for value in (image, key, older_than_s)) > 1:
            raise UsageError("choose in one way", "--image ID, --key KEY, --older-than AGE or none")
        store = self._standing(self.target(to), cancel)
        return abort_uploads(
            store, self.adapters.journal(), choice, now=time.time(), dry_run=dry_run
        )

    def _standing(self, target: str, cancel: CancelToken | None) -> ObjectStore:
        """The store `target`. Raises FolderMissing for a folder that is not there."""
        folder = target.removeprefix("dir:")
        if folder not in ("", target) and not os.path.isdir(folder):
            raise FolderMissing(folder)
        return self.adapters.store(target, cancel)

    def target(self, to: str | None) -> str:
        """`to`, else what the settings say. Raises UsageError where neither says anything."""
        target = given("--to", to) or self.settings.to
        if not target:
            raise UsageError("a target is needed", "as --to s3://BUCKET/PREFIX or --to dir:PATH")
        return target
