"""The verbs of diskwright as methods: the Python API, and what the command calls."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Unpack

from diskwright._child import Ahead
from diskwright._values import replace
from diskwright.app.accounts import AccountVerbs
from diskwright.app.adapters import Adapters, given
from diskwright.app.difference import DifferenceVerbs
from diskwright.app.inputs import InputOptions
from diskwright.app.iso import IsoVerbs
from diskwright.app.keys import KeyVerbs
from diskwright.app.libraries import LibrariesVerbs
from diskwright.app.prepare import PrepareVerbs
from diskwright.app.servers import ServersVerbs
from diskwright.app.validate import ValidateVerbs
from diskwright.config import Settings
from diskwright.model.image import ImageFormat
from diskwright.model.nulls import NeverCancelled, NullProgress
from diskwright.ports import CancelToken, Progress

if TYPE_CHECKING:
    from diskwright.errors import ImageRefused
    from diskwright.model.deep import Refused
    from diskwright.model.outcome import (
        Converted,
        Doctored,
        Inspected,
        Reopened,
        Restored,
    )
    from diskwright.ops.opening import Source


class Diskwright(
    AccountVerbs,
    DifferenceVerbs,
    IsoVerbs,
    KeyVerbs,
    LibrariesVerbs,
    PrepareVerbs,
    ServersVerbs,
    ValidateVerbs,
):
    """The verbs, with settings. Nothing is held open between two of them."""

    def __init__(
        self,
        settings: Settings,
        *,
        passphrase: Callable[[], str] | None = None,
        ahead: Ahead | None = None,
    ) -> None:
        """`ahead` has readers that were started already."""
        self.settings = settings
        self.adapters = Adapters(settings, passphrase=passphrase, ahead=ahead)

    def ahead(self) -> AbstractContextManager[None]:
        """The first inspect or validate in this context is quicker: the process that will read the
        guest is started at once, and not when the image was looked at."""
        return self.adapters.ahead()

    def inspect(
        self,
        path: str,
        *,
        deep: bool = False,
        packages: bool = False,
        digests: bool = True,
        cells: int = 64,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
        **inputs: Unpack[InputOptions],
    ) -> Inspected:
        """Facts of an image file and of the guest in it. Raises InputError, ToolError.

        With `deep` also how the file is made and where the disk has data, as a map of `cells`; of
        a package then the `digests` are computed. With `packages` also what its package managers
        list as installed; raises PackagesUnread where that can't be told.
        """
        from diskwright.ops.inspect import inspect

        with self._source(path, inputs, progress, cancel) as source:
            found = inspect(
                source,
                inspector=self.adapters.inspector(cancel),
                database=self.adapters.database(),
                packages=packages,
            )
            if not deep:
                return found
            from diskwright.ops.deep import DeepTools, deepened
            from diskwright.ops.package import checked

            progress = progress or NullProgress()
            if digests:
                wish = cancel or NeverCancelled()
                (source,) = checked((source,), progress=progress, cancel=wish)
            tools = DeepTools(self.adapters.exporter(cancel), progress, time.monotonic)
            told = deepened(source, tools=tools, cells=cells)
            return replace(found, package=source.package, deep=told)

    def explain(self, path: str, error: ImageRefused, **inputs: Unpack[InputOptions]) -> Refused:
        """Why `path` was refused with `error`: what was seen where, for people. Raises InputError.

        Nothing that it names is opened for this, and no tool is run.
        """
        from diskwright.ops.deep import refused

        return refused(path, error, alone=inputs.get("allow_backing_under") is None)

    def convert(
        self,
        source: str,
        target: str,
        *,
        output_format: ImageFormat | None = None,
        subformat: str | None = None,
        size_multiple: int | None = None,
        compress: bool | None = None,
        profile: str | None = None,
        verify: bool = False,
        force: bool = False,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
        **inputs: Unpack[InputOptions],
    ) -> Converted:
        """Write `target` in another format; it appears whole or not at all.

        What is not given is as `profile` prefers it, without one qcow2. Zeros make the disk a
        multiple of `size_multiple` bytes: raw, qcow2 and fixed VHD only.
        """
        from diskwright.ops.convert import Wanted, convert

        wanted = Wanted.under(
            self.adapters.profile(profile) if profile is not None else None,
            image_format=output_format,
            subformat=subformat,
            size_multiple=size_multiple,
            compress=compress,
            verify=verify,
            force=force,
        )
        with self._source(source, inputs, progress, cancel) as opened:
            return convert(
                opened,
                target,
                wanted,
                tools=self.adapters.local_tools(cancel),
                progress=progress or NullProgress(),
                cancel=cancel or NeverCancelled(),
            )

    def restore(
        self,
        source: str,
        target: str,
        *,
        image: str | None = None,
        disk: int | None = None,
        key: str | None = None,
        output_format: ImageFormat | None = None,
        verify: bool = False,
        force: bool = False,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> Restored:
        """Fetch an image (by id, name, or the only one) into the file `target`, verified.

        Of one with several disks `disk` says which, from 1.
        """
        from diskwright.ops.restore import RestoreRequest, restore
        from diskwright.ops.stored_file import RestoreTools

        return restore(
            RestoreRequest(
                target,
                given("--image", image),
                disk,
                output_format,
                verify=verify,
                force=force,
            ),
            tools=RestoreTools(
                self.adapters.store(source, cancel),
                self.adapters.wrapper(key),
                self.adapters.local_tools(cancel),
            ),
            progress=progress or NullProgress(),
            cancel=cancel or NeverCancelled(),
        )

    def reopen(
        self,
        source: str,
        to: str,
        *,
        image: str | None = None,
        key: str | None = None,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> Reopened:
        """A stored image as a new import-ready one at `to`, in one streaming pass."""
        from diskwright.ops.reopen import reopen
        from diskwright.ops.stored_file import RestoreTools

        sse = self.adapters.encryption(self.adapters.profile(None))
        return reopen(
            given("--image", image),
            tools=RestoreTools(
                self.adapters.store(source, cancel),
                self.adapters.wrapper(key),
                self.adapters.local_tools(cancel),
            ),
            store=self.adapters.store(to, cancel, sse=sse),
            journal=self.adapters.journal(),
            now=time.time,
            entropy=os.urandom,
            progress=progress or NullProgress(),
            cancel=cancel or NeverCancelled(),
        )

    def doctor(self, *, to: str | None = None) -> Doctored:
        """What is installed and in force; with `to` also what that endpoint can do."""
        from diskwright.ops.doctor import doctor

        given("--to", to)
        found = self.adapters.confinement()
        return doctor(
            tools=self.adapters.installed(),
            confinement=found.words,
            confined=found.confined,
            database=self.adapters.database(),
            store=self.adapters.store(to) if to else None,
        )

    def service_of(self, profile: str | None) -> str:
        """Whose call imports what was prepared under a profile; empty where that is not known.

        Raises UsageError for a profile that there is none of.
        """
        return self.adapters.profile(profile).service

    def service_of_shipped(self, profile: str) -> str:
        """As `service_of`, by a name that nobody vouches for: it opens no file of the user's."""
        from diskwright.config_profiles import profile_names

        return self.service_of(profile) if profile in profile_names() else ""

    def _source(
        self,
        path: str,
        inputs: InputOptions,
        progress: Progress | None,
        cancel: CancelToken | None,
    ) -> AbstractContextManager[Source]:
        opener = self.adapters.opener(inputs, progress=progress, cancel=cancel)
        return opener.source(path, input_format=inputs.get("input_format"), disk=inputs.get("disk"))
