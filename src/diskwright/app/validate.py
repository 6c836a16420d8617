"""The verbs that judge: one disk, or many files at once."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, TypeAlias, Unpack

from diskwright.app.adapters import Adapters
from diskwright.app.inputs import InputOptions
from diskwright.config import Settings
from diskwright.errors import Cancelled, DiskwrightError, UsageError
from diskwright.model.finding import Accepted
from diskwright.model.nulls import NeverCancelled
from diskwright.model.times import day_text
from diskwright.ports import CancelToken, Progress

if TYPE_CHECKING:
    from diskwright.model.outcome import Validated
    from diskwright.model.rule import RuleText
    from diskwright.ops.opening import ImageOpener
    from diskwright.ops.report_files import ReportFiles

# The name of a disk (empty where a file is one), and what was found or stood in the way
Judged: TypeAlias = "tuple[str, Validated | DiskwrightError]"


class ValidateVerbs:
    """Methods of `Diskwright`."""

    settings: Settings
    adapters: Adapters

    def disk_names(self, path: str, **inputs: Unpack[InputOptions]) -> tuple[str, ...]:
        """Of a package's disks, in the order of their numbers; of any other file one empty name.

        No disk is read. Raises InputError.
        """
        opener: ImageOpener = self.adapters.opener(inputs)
        return opener.names(path, input_format=inputs.get("input_format"))

    def images_below(self, path: str) -> tuple[str, ...]:
        """`path` itself, or of a folder the image files in it and below, by their endings, sorted.

        Raises FolderWithoutImages, InputUnreadable.
        """
        from diskwright.ops.folders import images_below

        return images_below(path) if os.path.isdir(path) else (path,)

    def report_files(
        self, paths: Sequence[str], *, images: Sequence[str], force: bool = False
    ) -> ReportFiles:
        """Files to write at the end of a run, checked when its context is entered."""
        from diskwright.ops.report_files import ReportFiles

        return ReportFiles(paths, images=images, sink=self.adapters.file_sink, force=force)

    def profile_name(self, profile: str | None = None) -> str:
        """How reports call the profile: one of the user's own is named by a path."""
        return self.adapters.profile(profile).name

    def rules(self, *, profile: str | None = None) -> tuple[RuleText, ...]:
        """What `validate` judges by, in words, under a profile."""
        from diskwright.rules.explain import explained

        return explained(self.adapters.profile(profile))

    def rule(self, name: str, *, profile: str | None = None) -> RuleText:
        """The one with that id. Raises UsageError, which names those that may have been meant."""
        from diskwright.rules.explain import near

        for rule in self.rules(profile=profile):
            if rule.id == name:
                return rule
        meant = " or ".join(near(name))
        raise UsageError(
            f"{name}: no rule has that id",
            f"perhaps {meant}" if meant else "all of them: docs/rules.md",
        )

    def validate(
        self,
        path: str,
        *,
        profile: str | None = None,
        data: bool = False,
        min_memory: int | None = None,
        accepted: Sequence[Accepted] = (),
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
        **inputs: Unpack[InputOptions],
    ) -> Validated:
        """Facts and findings under a profile; `min_memory` in bytes."""
        from diskwright.ops.validate import validate

        opener = self.adapters.opener(inputs, progress=progress, cancel=cancel)
        with opener.source(
            path, input_format=inputs.get("input_format"), disk=inputs.get("disk")
        ) as source:
            return validate(
                source,
                inspector=self.adapters.inspector(cancel),
                profile=self.adapters.profile(profile),
                database=self.adapters.database(),
                data=data,
                min_memory=min_memory,
                accepted=accepted,
                today=day_text(time.time()),
            )

    def validate_all(
        self,
        paths: Sequence[str],
        *,
        jobs: int | None = None,
        profile: str | None = None,
        data: bool = False,
        min_memory: int | None = None,
        accepted: Sequence[Accepted] = (),
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
        **inputs: Unpack[InputOptions],
    ) -> Generator[tuple[Judged, ...], None, None]:
        """For each of `paths`, in their order, what is said of each disk in it.

        `jobs` files are judged at a time, by default one for each processor. What stands in the
        way of a disk (InputError, ToolError, …) comes in its place, and the others go on. Raised
        are a wish to stop, and the UsageError of what all are judged by.
        """
        from diskwright.ops.in_order import in_order
        from diskwright.ops.validate import check_accepted

        check_accepted(accepted)
        self.adapters.profile(profile)

        def of_disk(path: str, name: str, options: InputOptions, stop: CancelToken) -> Judged:
            try:
                found = self.validate(
                    path,
                    profile=profile,
                    data=data,
                    min_memory=min_memory,
                    accepted=accepted,
                    progress=progress,
                    cancel=stop,
                    **options,
                )
            except Cancelled:
                raise
            except DiskwrightError as error:
                return name, error
            return found.name, found

        def of_file(path: str, stop: CancelToken) -> tuple[Judged, ...]:
            if inputs.get("disk") is not None:
                return (of_disk(path, "", inputs, stop),)
            try:
                names = self.disk_names(path, **inputs)
            except DiskwrightError as error:
                return (("", error),)
            numbered = enumerate(names, 1)
            return tuple(of_disk(path, n, {**inputs, "disk": i}, stop) for i, n in numbered)

        return in_order(
            of_file,
            paths,
            jobs=max(1, min(jobs or self.adapters.processors(), len(paths))),
            cancel=cancel or NeverCancelled(),
        )
