"""Looking at image files as the application does, without a command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diskwright.adapters.iso_child import ConfinedIsoReader
from diskwright.adapters.unpacked import UnpackedFiles
from diskwright.ops.opening import ImageOpener


def opener(*, beneath: Path | str | None = None, **unpacking: Any) -> ImageOpener:
    folder = None if beneath is None else str(beneath)
    return ImageOpener(UnpackedFiles(**unpacking), ConfinedIsoReader(), beneath=folder)
