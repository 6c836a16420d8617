"""What is installed on a virtual disk: facts, nothing judged.

A section that could not be read is None, and `unread` says why; a section that was read and is
empty is an empty tuple. Paths are those of the guest, from its root; names that are not UTF-8 are
spelled with backslash escapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from diskwright._values import Struct
from diskwright.model.access import Account, LeftBehind, SshServer
from diskwright.model.image import Problem
from diskwright.model.location import Location
from diskwright.model.network import Network
from diskwright.model.partitions import PartitionTable
from diskwright.model.services import Services
from diskwright.model.volumes import Subvolume, Volume
from diskwright.model.windows import WindowsFacts


class Section(StrEnum):
    """Parts of the facts that can stay unread, each for itself."""

    TABLE = "table"
    FILESYSTEMS = "filesystems"
    ROOT = "root"
    OS = "os"
    FSTAB = "fstab"
    CRYPTTAB = "crypttab"
    BOOT = "boot"
    KERNELS = "kernels"
    INITRAMFS = "initramfs"
    NETWORK = "network"
    CLOUD_INIT = "cloud-init"
    ACCOUNTS = "accounts"
    SSH = "ssh"
    LEFT = "left-behind"
    SERVICES = "services"
    WINDOWS = "windows"


class Unread(Struct, frozen=True):
    section: Section
    reason: str


SUBVOLUMES_UNLISTED = "subvolumes-unlisted"  # of a btrfs: they are not all known
_WITH_LOG = frozenset({"xfs", "btrfs", "ntfs"})
_UNREPLAYED = frozenset({"journal-unread", "journal-fast-commits"})


class FileSystem(Struct, frozen=True):
    """`type`: ext4, vfat, xfs, swap, … It is on a `partition` or on a `volume` (by its `name`);
    where both are None it fills the disk.

    `read` says whether its tree was read, or its volumes, of what holds such; where not, `note`
    says why. `dirty`: it was not unmounted cleanly (None: not known).
    """

    type: str
    partition: int | None
    read: bool
    uuid: str | None = None
    label: str | None = None
    size: int | None = None
    free: int | None = None
    dirty: bool | None = None
    note: str = ""
    problems: tuple[Problem, ...] = ()
    volume: str | None = None
    subvolumes: tuple[Subvolume, ...] = ()
    default_subvolume: int | None = None  # the number of what is mounted without options

    @property
    def unreplayed(self) -> bool:
        """Read, and a log may hold what is not seen: that a name is missing then proves little."""
        codes = {problem.code for problem in self.problems}
        by_log = self.type in _WITH_LOG and self.dirty is not False
        return self.read and (by_log or bool(codes & _UNREPLAYED))

    @property
    def may_lack(self) -> str:
        """In words, where it is not known to be read as it was left; else empty."""
        if not self.unreplayed:
            return ""
        return f"{self.type} log not replayed, the last changes may be missing"

    @property
    def place(self) -> str:
        """Where it is, in words."""
        if self.volume is not None:
            return self.volume
        return "the whole disk" if self.partition is None else f"partition {self.partition}"


class OsRelease(Struct, frozen=True):
    """From os-release(5), or a registry: `windows` or `windows-server` with 10.0.20348.

    `architecture` is from a program's header (x86_64, aarch64), not from a name.
    """

    id: str
    version_id: str | None
    name: str | None
    codename: str | None = None
    architecture: str | None = None
    like: tuple[str, ...] = ()


class NamedBy(StrEnum):
    """How a device is named in fstab, on a kernel command line or in a boot loader."""

    UUID = "uuid"
    LABEL = "label"
    PARTUUID = "partuuid"
    PARTLABEL = "partlabel"
    DEVICE = "device"  # /dev/sda1: changes with the order and kind of disks
    MAPPER = "mapper"  # /dev/mapper/…, /dev/vg/lv: stable
    BY_LINK = "by-link"  # /dev/disk/by-uuid/…, by-label, by-partuuid
    PSEUDO = "pseudo"  # tmpfs, proc, none, …
    NETWORK = "network"  # nfs, cifs
    OTHER = "other"


class FstabEntry(Struct, frozen=True):
    """`on_disk`: the device is one of this disk's file systems (None: can't be told);
    `filesystem` is its index among them."""

    location: Location
    spec: str
    named_by: NamedBy
    mount_point: str
    type: str
    options: tuple[str, ...]
    on_disk: bool | None
    filesystem: int | None = None


class CryptEntry(Struct, frozen=True):
    """A line of crypttab(5). `key` is a file; None where somebody types it or a token has it."""

    location: Location
    name: str
    spec: str
    named_by: NamedBy
    key: str | None
    options: tuple[str, ...]
    on_disk: bool | None


class BootEntry(Struct, frozen=True):
    """One entry of a boot loader. `kernel` and `initrds` are paths from the guest's root.

    `location` is the line that loads the kernel; `default` is True for at most one entry.
    `version` is the kernel's where the entry says it, else empty.
    """

    location: Location
    title: str
    kernel: str
    kernel_exists: bool | None
    initrds: tuple[str, ...]
    initrds_exist: bool | None
    command_line: str
    root: str | None  # the value of root=
    root_named_by: NamedBy | None
    root_on_disk: bool | None
    default: bool = False
    version: str = ""
    resume: str | None = None  # the value of resume=
    resume_by: NamedBy | None = None
    resume_on_disk: bool | None = None
    consoles: tuple[str, ...] = ()  # the values of console=


def default_entry(entries: Sequence[BootEntry]) -> BootEntry | None:
    """What is started when nobody chooses: the first one, where none says so."""
    return next((e for e in entries if e.default), entries[0] if entries else None)


class Bootloader(Struct, frozen=True):
    """`bios`/`uefi`: what starts in that mode was found (None: that can't be told).

    `config` is None where none was found. Where the loaders were seen and the configuration could
    not be read, this is here without `config` and entries, and `unread` has an entry for BOOT.
    `starts_other`: what the menu starts when nobody chooses, where that is none of `entries`; empty
    where it starts nothing and waits.
    """

    name: str | None  # grub2, grub-legacy, systemd-boot, uki, extlinux
    bios: bool | None
    uefi: bool | None
    esp_fallback: str | None  # path of EFI/BOOT/BOOT<ARCH>.EFI on the ESP
    esp_loaders: tuple[str, ...]
    config: str | None
    entries: tuple[BootEntry, ...]
    problems: tuple[Problem, ...] = ()
    starts_other: str | None = None


class InitramfsState(StrEnum):
    READ = "read"
    MISSING = "missing"
    CORRUPT = "corrupt"
    UNREAD = "unread"  # a compression or form that is not read


class Initramfs(Struct, frozen=True):
    path: str
    state: InitramfsState
    compression: str | None = None
    entries: int = 0
    modules: tuple[str, ...] = ()  # module names with dashes as underscores, sorted
    persistent_net_rules: tuple[str, ...] = ()
    detail: str = ""


class Kernel(Struct, frozen=True):
    """`builtin`: driver names of interest that /boot/config-* builds in (None: no config read).
    `modules`: those that lie on the disk, of the default kernel (None: their list was not read).

    `path` is None for a kernel that the default boot entry names and that is not there. Of a
    unified kernel image it is the image's, and the initramfs's too. `architecture` is that of its
    PE header.
    """

    version: str
    path: str | None
    default: bool
    builtin: tuple[str, ...] | None
    initramfs: Initramfs | None
    architecture: str | None = None
    modules: tuple[str, ...] | None = None


class CloudInit(Struct, frozen=True):
    installed: bool
    enabled: bool | None
    version: str | None = None
    disabled_by: str | None = None  # the file or the command line word that disables it
    datasources: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()  # what else may set up a server: ignition, afterburn


class GuestFacts(Struct, frozen=True):
    table: PartitionTable | None = None
    filesystems: tuple[FileSystem, ...] | None = None
    root: int | None = None  # index in `filesystems` of the root file system
    root_subvolume: int | None = None  # of a btrfs: which one was read as the root
    os: OsRelease | None = None
    fstab: tuple[FstabEntry, ...] | None = None
    crypttab: tuple[CryptEntry, ...] | None = None
    bootloader: Bootloader | None = None
    kernels: tuple[Kernel, ...] | None = None
    network: Network | None = None
    cloud_init: CloudInit | None = None
    accounts: tuple[Account, ...] | None = None  # with a password, or an empty one
    ssh: SshServer | None = None
    left: LeftBehind | None = None
    services: Services | None = None
    windows: WindowsFacts | None = None  # None: no Windows, and what Linux alone has may be here
    architecture: str | None = None  # as in OsRelease; known also where that is not
    libc: str | None = None  # glibc, musl
    unread: tuple[Unread, ...] = ()
    problems: tuple[Problem, ...] = ()  # guest-link-escapes, os-release-missing, fstab-unreadable
    volumes: tuple[Volume, ...] = ()

    def why_unread(self, section: Section) -> str:
        """The reason that `section` was not read, or an empty string."""
        return next((u.reason for u in self.unread if u.section is section), "")
