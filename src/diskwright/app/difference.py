"""The verb that compares two images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from diskwright.app.adapters import Adapters
from diskwright.app.inputs import InputOptions
from diskwright.config import Settings
from diskwright.ports import CancelToken, Progress

if TYPE_CHECKING:
    from diskwright.model.difference import Differences


class DifferenceVerbs:
    """Methods of `Diskwright`."""

    settings: Settings
    adapters: Adapters

    def difference(
        self,
        a: str,
        b: str,
        *,
        files: bool = False,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
        **inputs: Unpack[InputOptions],
    ) -> Differences:
        """What changed from image `a` to `b`: facts, packages, what is below /etc by digest.

        With `files` every file of the guests by digest. Raises InputError, ToolError, and
        UsageError for an ISO.
        """
        from diskwright.ops.difference import Seen, compare, see

        opener = self.adapters.opener(inputs, progress=progress, cancel=cancel)

        def seen(path: str) -> Seen:
            with opener.source(
                path, input_format=inputs.get("input_format"), disk=inputs.get("disk")
            ) as source:
                return see(source, inspector=self.adapters.inspector(cancel), files=files)

        return compare(seen(a), seen(b))
