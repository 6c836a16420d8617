"""What it took to read a guest, as one line and as JSON: for people who measure, never a fact."""

from __future__ import annotations

from typing import Any

from diskwright.model.cost import ReadingCost
from diskwright.model.text import printable
from diskwright.model.units import format_size


def stats_text(name: str, cost: ReadingCost | None) -> str:
    """`name` is the disk's label; None: no guest was read to its end."""
    if cost is None:
        return printable(f"{name}: no guest was read to its end")
    stages = sorted(cost.stages, key=lambda stage: -stage.microseconds)
    said = ", ".join(f"{stage.section} {_seconds(stage.microseconds)}" for stage in stages)
    return printable(
        f"{name}: {format_size(cost.bytes_read)} of the disk in {cost.reads} reads, "
        f"{_seconds(cost.microseconds)} ({said}), {format_size(cost.peak_memory)} of memory"
    )


def stats_value(cost: ReadingCost | None) -> dict[str, Any] | None:
    """Sizes in bytes, times in seconds; `stages` by the sections of the facts."""
    if cost is None:
        return None
    return {
        "bytes_read": cost.bytes_read,
        "reads": cost.reads,
        "seconds": cost.microseconds / 1e6,
        "stages": {stage.section.value: stage.microseconds / 1e6 for stage in cost.stages},
        "peak_memory": cost.peak_memory,
    }


def _seconds(microseconds: int) -> str:
    return f"{microseconds / 1e6:.3f} s"
