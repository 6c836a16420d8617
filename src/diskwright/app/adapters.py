"""Adapters, built from settings when a verb needs them: what is not used is not imported."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import diskwright
from diskwright._child import Ahead
from diskwright.config import Settings
from diskwright.errors import KeyUnreadable, UsageError
from diskwright.ports import (
    ByteSink,
    CancelToken,
    GuestInspector,
    KeyWrapper,
    ObjectStore,
    Progress,
    StagedFile,
)

if TYPE_CHECKING:
    from diskwright._in_force import InForce
    from diskwright.adapters.journal import FileUploadJournal
    from diskwright.adapters.osinfo import OsinfoDatabase
    from diskwright.adapters.qemu_img import QemuImgConverter
    from diskwright.adapters.qemu_nbd import QemuNbdExporter
    from diskwright.app.inputs import InputOptions
    from diskwright.model.library import KnownLibrary
    from diskwright.model.outcome import Tool
    from diskwright.model.profile import Profile
    from diskwright.ops.convert import LocalTools
    from diskwright.ops.iso import IsoReader
    from diskwright.ops.opening import ImageOpener


# What the list of libraries may say of the S3 settings
S3_OF_A_LIBRARY = ("endpoint_url", "region", "addressing_style", "credentials_profile")


def given(option: str, value: str | None) -> str | None:
    """`value`; raises UsageError where it is empty, as of an unset variable of a shell."""
    if value == "":
        raise UsageError(f"{option} is empty", "give it a value, or leave it out")
    return value


def _file_of(store: ObjectStore, key: str) -> str | None:
    from diskwright.adapters.directory import DirectoryStore

    return store.path_of(key) if isinstance(store, DirectoryStore) else None


class Adapters:
    """One method for each port."""

    def __init__(
        self,
        settings: Settings,
        *,
        passphrase: Callable[[], str] | None,
        ahead: Ahead | None = None,
    ) -> None:
        self._settings = settings
        self._ask = passphrase
        self._ahead = ahead or Ahead()

    def exporter(self, cancel: CancelToken | None = None) -> QemuNbdExporter:
        from diskwright.adapters.qemu_nbd import QemuNbdExporter

        return QemuNbdExporter(
            qemu_nbd=self._settings.qemu_nbd,
            unconfined=self._settings.unconfined,
            confinement=self._settings.confinement,
            cancel=cancel,
        )

    def inspector(self, cancel: CancelToken | None = None) -> GuestInspector:
        from diskwright.adapters.guest_child import ConfinedGuestInspector

        return ConfinedGuestInspector(
            descriptor=self.exporter(cancel).descriptor,
            unconfined=self._settings.unconfined,
            confinement=self._settings.confinement,
            cancel=cancel,
            ahead=self._ahead,
        )

    def ahead(self) -> AbstractContextManager[None]:
        """Meanwhile a child waits for the next `inspector`, and imports what it needs."""
        from diskwright.guest.calls import guest_reader

        return self._ahead.started(
            guest_reader(
                unconfined=self._settings.unconfined, confinement=self._settings.confinement
            )
        )

    def opener(
        self,
        inputs: InputOptions,
        *,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> ImageOpener:
        from diskwright.adapters.unpacked import UnpackedFiles
        from diskwright.ops.opening import ImageOpener

        return ImageOpener(
            UnpackedFiles(
                limit=inputs.get("max_unpacked"),
                unconfined=self._settings.unconfined,
                confinement=self._settings.confinement,
                progress=progress,
                cancel=cancel,
            ),
            self.isos(cancel),
            beneath=given("--allow-backing-under", inputs.get("allow_backing_under")),
        )

    def isos(self, cancel: CancelToken | None = None) -> IsoReader:
        from diskwright.adapters.iso_child import ConfinedIsoReader

        return ConfinedIsoReader(
            unconfined=self._settings.unconfined,
            confinement=self._settings.confinement,
            cancel=cancel,
        )

    def converter(self) -> QemuImgConverter:
        from diskwright.adapters.qemu_img import QemuImgConverter

        return QemuImgConverter(
            qemu_img=self._settings.qemu_img,
            unconfined=self._settings.unconfined,
            confinement=self._settings.confinement,
        )

    def local_tools(self, cancel: CancelToken | None = None) -> LocalTools:
        from diskwright.adapters.staging import BesideTarget
        from diskwright.ops.convert import LocalTools

        def staged(path: str, force: bool) -> AbstractContextManager[StagedFile]:
            return BesideTarget(path, force=force)

        return LocalTools(
            self.exporter(cancel),
            self.converter(),
            self.file_sink,
            staged,
            self.threads(),
            self._scratch,
            _file_of,
        )

    def _scratch(self) -> AbstractContextManager[str]:
        from diskwright.adapters.scratch import scratch_folder

        return scratch_folder(self._settings.state_dir)

    def file_sink(self, path: str, force: bool) -> ByteSink:
        from diskwright.adapters.file_sink import FileSink

        return FileSink(path, force=force)

    def database(self) -> OsinfoDatabase:
        from diskwright.adapters.osinfo import OsinfoDatabase

        return OsinfoDatabase(self._settings.osinfo_db)

    def journal(self) -> FileUploadJournal:
        from diskwright.adapters.journal import FileUploadJournal

        return FileUploadJournal(self._settings.state_dir)

    def store(
        self,
        url: str,
        cancel: CancelToken | None = None,
        *,
        sse: str = "",
        known: KnownLibrary | None = None,
    ) -> ObjectStore:
        """The destination or source named by `s3://BUCKET[/PREFIX]` or `dir:PATH`.

        What `known` says of S3 goes before the settings. `sse` is what new objects are encrypted
        with at rest, empty for nothing said. Like all that may wait for others it is told of the
        wish to stop, and then waits no more.
        """
        if url.startswith("dir:") and len(url) > len("dir:"):
            from diskwright.adapters.directory import DirectoryStore

            return DirectoryStore(url.removeprefix("dir:"))
        if url.startswith("s3://"):
            from diskwright.app.buckets import bucket

            said = {name: getattr(known, name) or None for name in S3_OF_A_LIBRARY} if known else {}
            return bucket(url, self._settings.with_s3(**said).s3, sse=sse, cancel=cancel)
        raise UsageError(f"{url}: not a target", "write s3://BUCKET[/PREFIX] or dir:PATH")

    def encryption(self, profile: Profile) -> str:
        """Server-side encryption of new objects: as the settings say, else the profile."""
        sse = self._settings.s3.sse or profile.server_side_encryption
        return "" if sse == "none" else sse

    def wrapper(self, key: str | None) -> KeyWrapper | None:
        """The key service named by `key` or by the settings; None where neither names one."""
        name = given("--key", key) or self._settings.key
        return self.key(name) if name else None

    def key(self, name: str) -> KeyWrapper:
        """The key service of that name. Raises UsageError, KeyUnreadable."""
        from diskwright.app.key_services import key_service

        return key_service(name, self._settings.vault, self.passphrase)

    def passphrase(self) -> str:
        """Raises KeyUnreadable where there is nobody to ask, UsageError for an unreadable file."""
        path = self._settings.passphrase_file
        if not path:
            if self._ask is None:
                raise KeyUnreadable("given", "it needs a passphrase", "set passphrase_file")
            return self._ask()
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                return file.read(4096).rstrip("\n")
        except OSError as error:
            raise UsageError(f"{path}: can't be read: {error.strerror}") from error

    def profile(self, name: str | None) -> Profile:
        from diskwright.config_profiles import load_profile

        return load_profile(given("--profile", name) or self._settings.profile)

    def threads(self) -> int:
        """One more than there are processors: a thread that waits for its read leaves one idle."""
        return self._settings.threads or self.processors() + 1

    def processors(self) -> int:
        return len(os.sched_getaffinity(0))

    def versions(self) -> dict[str, str]:
        """Of what makes an image, and what confined its readers, for its manifest."""
        from importlib.metadata import version

        tools = {tool.name: tool.version for tool in self._made_with() if tool.version}
        found = self.confinement()
        return {
            "diskwright": diskwright.__version__,
            "isal": version("isal"),
            "confinement": found.words if found.confined else "none",
            **tools,
        }

    def installed(self) -> tuple[Tool, ...]:
        """The external programs, whether they are there or not."""
        from diskwright._in_force import bubblewrap_version
        from diskwright.model.outcome import Tool

        lacking = "confinement where the kernel has no Landlock: apt-get install bubblewrap"
        return (*self._made_with(), Tool("bubblewrap", bubblewrap_version(), lacking))

    def _made_with(self) -> tuple[Tool, ...]:
        """Those that take part in making an image."""
        from diskwright.adapters.qemu_img import tool_version
        from diskwright.model.outcome import Tool

        return (
            Tool(
                "qemu-nbd",
                tool_version(self._settings.qemu_nbd),
                "reading qcow2: apt-get install qemu-utils",
            ),
            Tool(
                "qemu-img",
                tool_version(self._settings.qemu_img),
                "writing vmdk, vhd, vhdx and vdi: apt-get install qemu-utils",
            ),
        )

    def confinement(self) -> InForce:
        """Whether readers are confined here, and by what, in words."""
        from diskwright._in_force import in_force

        return in_force(self._settings.confinement, unconfined=self._settings.unconfined)
